#include "file_name.h"

#include <algorithm>

#include "kessai/filetemplate/writer.h"

namespace kessai::filetemplate::internal {
namespace {

struct Placeholder {
    std::string_view name;
    FileValue value;
    Type type;
    std::string_view format;
};

constexpr Placeholder kPlaceholders[] = {
    {"merchant_id", FileValue::kMerchantId, Type::kText, ""},
    {"date", FileValue::kDate, Type::kDate, "%Y%m%d"},
    {"from", FileValue::kFrom, Type::kInstant, "%Y%m%d%H%M%S"},
    {"to", FileValue::kTo, Type::kInstant, "%Y%m%d%H%M%S"},
    {"part", FileValue::kPart, Type::kInteger, "0"},
    {"split", FileValue::kSplit, Type::kText, ""},
    {"version", FileValue::kVersion, Type::kInteger, "0"},
};

Status Invalid(const std::string& name, std::string_view why) {
    return Status(Code::kInvalidArgument, reason::kFileNameInvalid,
                  "the file's name \"" + name + "\" " + std::string(why));
}

Status Check(const std::string& name) {
    if (name.empty()) return Invalid(name, "is empty");
    if (name.front() == '.') return Invalid(name, "begins with a dot");
    if (name.size() > FileName::kBytesMax) return Invalid(name, "is longer than 251 bytes");
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '/' || c == '\\' || byte < 0x20 || byte == 0x7F) {
            return Invalid(name, "holds a slash or a control character");
        }
    }
    if (!IsUtf8(name)) return Invalid(name, "is no UTF-8");
    return OkStatus();
}

}  // namespace

std::variant<FileName::Piece, Refusal> FileName::ParsePlaceholder(std::string_view text,
                                                                  std::size_t at,
                                                                  int offset_minutes) {
    const std::size_t colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    const auto* const known = std::find_if(std::begin(kPlaceholders), std::end(kPlaceholders),
                                           [&](const auto& each) { return each.name == name; });
    if (known == std::end(kPlaceholders)) {
        std::string names;
        for (const Placeholder& each : kPlaceholders) {
            names.append(names.empty() ? "{" : ", {").append(each.name).append("}");
        }
        return Refusal{reason::kFieldUnknown, at,
                       "{" + std::string(name) + "} is not known of a file; known are " + names};
    }
    Piece piece{{}, known->value, Printer{known->type}};
    piece.printer.offset_minutes = offset_minutes;
    const std::string_view format =
        colon == std::string_view::npos ? known->format : text.substr(colon + 1);
    if (known->type == Type::kText && !format.empty()) {
        return Refusal{reason::kFormatInvalid, at, "a text has no format"};
    }
    if (known->type == Type::kInteger) {
        const auto number = NumberFormat::Parse(format);
        if (!number) {
            return Refusal{reason::kFormatInvalid, at,
                           "allowed are " + std::string(NumberFormat::kAllowed)};
        }
        piece.printer.number = *number;
    } else if (known->type != Type::kText) {
        auto date = DateFormat::Parse(format, known->type == Type::kDate);
        if (!date) {
            return Refusal{reason::kFormatInvalid, at,
                           "allowed are " + std::string(DateFormat::kAllowed)};
        }
        piece.printer.date = *std::move(date);
    }
    return piece;
}

std::variant<FileName, Refusal> FileName::Parse(std::string_view text, int offset_minutes) {
    FileName name;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] == '{') {
            const std::size_t end = text.find('}', at);
            if (end == std::string_view::npos) {
                return Refusal{reason::kValueInvalid, at, "{ without }"};
            }
            auto piece =
                ParsePlaceholder(text.substr(at + 1, end - at - 1), at + 1, offset_minutes);
            if (auto* refusal = std::get_if<Refusal>(&piece)) return std::move(*refusal);
            name.pieces_.push_back(std::get<Piece>(std::move(piece)));
            at = end + 1;
            continue;
        }
        const std::size_t end = std::min(text.find('{', at), text.size());
        const std::string literal(text.substr(at, end - at));
        const auto bad = std::find_if(literal.begin(), literal.end(), [](char c) {
            return c == '/' || c == '\\' || c == '}' || static_cast<unsigned char>(c) < 0x20;
        });
        if (bad != literal.end()) {
            return Refusal{reason::kValueInvalid,
                           at + static_cast<std::size_t>(bad - literal.begin()),
                           "a file's name holds no slash, } or control character"};
        }
        name.pieces_.push_back({literal, std::nullopt, {}});
        at = end;
    }
    if (name.pieces_.empty()) return Refusal{reason::kValueInvalid, 0, "a file has a name"};
    if (text.starts_with('.')) {
        return Refusal{reason::kValueInvalid, 0, "a file's name begins with no dot"};
    }
    return name;
}

bool FileName::Has(FileValue value) const {
    return std::any_of(pieces_.begin(), pieces_.end(),
                       [value](const Piece& piece) { return piece.value == value; });
}

Result<std::string> FileName::Make(const FileValues& values) const {
    Arena arena;
    std::string name;
    for (const Piece& piece : pieces_) {
        if (!piece.value) {
            name += piece.text;
            continue;
        }
        const auto text =
            piece.printer.Print(values[static_cast<std::size_t>(*piece.value)], arena);
        if (!text) return Invalid(name, "would hold a day before year 1 or after 9999");
        name += *text;
    }
    KESSAI_RETURN_IF_ERROR(Check(name));
    return name;
}

}  // namespace kessai::filetemplate::internal
