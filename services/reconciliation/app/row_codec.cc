#include "app/row_codec.h"

#include <cstdint>
#include <cstring>

#include "kessai/result/check.h"

namespace kessai::reconciliation::app {
namespace {

using filetemplate::Type;
using filetemplate::Value;

bool IsText(Type type) {
    return type == Type::kText || type == Type::kJson;
}

void AppendVarint(std::uint64_t number, std::string& bytes) {
    while (number >= 0x80) {
        bytes.push_back(static_cast<char>(number | 0x80));
        number >>= 7;
    }
    bytes.push_back(static_cast<char>(number));
}

/// Small magnitudes are short, above zero and below.
std::uint64_t ZigZag(std::int64_t number) {
    return static_cast<std::uint64_t>(number) << 1 ^ static_cast<std::uint64_t>(number >> 63);
}
std::int64_t UnZigZag(std::uint64_t number) {
    return static_cast<std::int64_t>(number >> 1) ^ -static_cast<std::int64_t>(number & 1);
}

bool TakeVarint(std::string_view& bytes, std::uint64_t& number) {
    number = 0;
    for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
        const auto byte = static_cast<std::uint8_t>(bytes.front());
        bytes.remove_prefix(1);
        number |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

Status Damaged() {
    return Status(Code::kDataLoss, "ROW_DAMAGED", "a row came back other than it was kept");
}

}  // namespace

RowCodec::RowCodec(const filetemplate::Schema& schema, const std::vector<bool>& fields)
    : values_(schema.fields.size()) {
    KESSAI_CHECK(fields.size() == schema.fields.size(), "each field is wanted or not");
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (fields[i]) columns_.push_back({i, schema.fields[i].type});
    }
}

// Each value is a varint with one more than its number or its text's length, so that 0 is an empty
// one; then the text, or the currency's three letters.
void RowCodec::Append(filetemplate::Row row, std::string& bytes) const {
    for (const Column& column : columns_) {
        const Value& value = row[column.place];
        if (value.is_empty()) {
            bytes.push_back('\0');
        } else if (IsText(column.type)) {
            AppendVarint(value.text().size() + 1, bytes);
            bytes += value.text();
        } else {
            bytes.push_back('\1');
            AppendVarint(ZigZag(value.number()), bytes);
            if (column.type == Type::kMoney) bytes += value.currency().code();
        }
    }
}

Result<filetemplate::Row> RowCodec::Read(std::string_view bytes) {
    constexpr std::size_t kCurrencyBytes = 3;
    for (const Column& column : columns_) {
        Value& value = values_[column.place];
        std::uint64_t first = 0;
        if (!TakeVarint(bytes, first)) return Damaged();
        if (first == 0) {
            value = Value();
            continue;
        }
        if (IsText(column.type)) {
            if (first - 1 > bytes.size()) return Damaged();
            const std::string_view text = bytes.substr(0, first - 1);
            bytes.remove_prefix(text.size());
            value = column.type == Type::kJson ? Value::Json(text) : Value::Text(text);
            continue;
        }
        std::uint64_t zigzag = 0;
        if (!TakeVarint(bytes, zigzag)) return Damaged();
        const std::int64_t number = UnZigZag(zigzag);
        switch (column.type) {
            case Type::kInteger:
                value = Value::Integer(number);
                break;
            case Type::kMoney: {
                if (bytes.size() < kCurrencyBytes) return Damaged();
                const auto currency = Currency::Parse(bytes.substr(0, kCurrencyBytes));
                if (!currency.ok()) return Damaged();
                bytes.remove_prefix(kCurrencyBytes);
                value = Value::Of(Money(number, *currency));
                break;
            }
            case Type::kInstant:
                value = Value::Of(FromMicros(number));
                break;
            case Type::kDate:
                value = Value::Of(BusinessDate(
                    std::chrono::sys_days(std::chrono::days(static_cast<int>(number)))));
                break;
            case Type::kEnum:
                value = Value::Enum(static_cast<std::size_t>(number));
                break;
            case Type::kEnumSet:
                value = Value::EnumSet(static_cast<std::uint64_t>(number));
                break;
            case Type::kBoolean:
                value = Value::Boolean(number != 0);
                break;
            case Type::kText:
            case Type::kJson:
                break;  // Above.
        }
    }
    if (!bytes.empty()) return Damaged();
    return filetemplate::Row(values_);
}

void AppendOrdered(std::int64_t number, std::string& bytes) {
    const std::uint64_t shifted = static_cast<std::uint64_t>(number) ^ (std::uint64_t{1} << 63);
    for (int shift = 56; shift >= 0; shift -= 8) {
        bytes.push_back(static_cast<char>(shifted >> shift));
    }
}

void AppendOrderedValue(const Value& value, std::string& bytes) {
    if (value.is_empty()) {
        bytes.push_back('\0');
        return;
    }
    bytes.push_back('\1');
    if (!IsText(value.type())) {
        AppendOrdered(value.number(), bytes);
        return;
    }
    // A zero byte gets a one behind it, so that the two at the end are below whatever goes on.
    std::string_view text = value.text();
    for (std::size_t zero = text.find('\0'); zero != text.npos; zero = text.find('\0')) {
        bytes += text.substr(0, zero + 1);
        bytes.push_back('\1');
        text.remove_prefix(zero + 1);
    }
    bytes += text;
    bytes.append(2, '\0');
}

}  // namespace kessai::reconciliation::app
