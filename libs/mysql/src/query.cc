#include "kessai/mysql/query.h"

#include <cstring>

#include "kessai/mysql/error.h"
#include "kessai/result/check.h"

namespace kessai::mysql {
namespace {

/// Length of the UTF-8 sequence at `p`, 0 if it is not one (RFC 3629: no overlong forms, no
/// surrogates, nothing above U+10FFFF). Precondition: p < end and *p ≥ 0x80.
std::size_t SequenceLength(const unsigned char* p, const unsigned char* end) {
    const auto follows = [&](std::ptrdiff_t i, unsigned low = 0x80, unsigned high = 0xbf) {
        return end - p > i && p[i] >= low && p[i] <= high;
    };
    const unsigned lead = *p;
    if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;
        const unsigned high = lead == 0xed ? 0x9f : 0xbf;
        return follows(1, low, high) && follows(2) ? 3 : 0;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
        const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;
        return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
    }
    return 0;
}

/// A quote is doubled (right under every sql_mode), a backslash and NUL are escaped with a
/// backslash (right under ours, which has no NO_BACKSLASH_ESCAPES; under the other the value
/// would be stored differently but could not end the literal). Text is valid UTF-8, so no
/// multi-byte character of a utf8mb4 connection swallows a quote.
bool AppendText(std::string_view text, std::string& sql) {
    const std::size_t before = sql.size();
    sql.push_back('\'');
    const auto* p = reinterpret_cast<const unsigned char*>(text.data());
    const auto* const end = p + text.size();
    const unsigned char* run = p;
    const auto flush = [&] {
        sql.append(reinterpret_cast<const char*>(run), static_cast<std::size_t>(p - run));
    };
    while (p < end) {
        const unsigned char byte = *p;
        if (byte >= 0x80) {
            const std::size_t length = SequenceLength(p, end);
            if (length == 0) {
                sql.resize(before);
                return false;
            }
            p += length;
        } else if (byte == '\'' || byte == '\\' || byte == 0) {
            flush();
            sql.push_back(byte == '\'' ? '\'' : '\\');
            sql.push_back(byte == 0 ? '0' : static_cast<char>(byte));
            run = ++p;
        } else {
            ++p;
        }
    }
    flush();
    sql.push_back('\'');
    return true;
}

/// Hexadecimal: escaping inside _binary'…' would depend on how the server's scanner steps over
/// bytes that are not UTF-8 (TiDB's takes the length from the lead byte alone).
void AppendBytes(std::string_view bytes, std::string& sql) {
    static constexpr char kDigits[] = "0123456789abcdef";
    const std::size_t before = sql.size();
    sql.resize(before + 3 + 2 * bytes.size());
    char* out = sql.data() + before;
    *out++ = 'x';
    *out++ = '\'';
    for (const char byte : bytes) {
        const auto bits = static_cast<unsigned char>(byte);
        *out++ = kDigits[bits >> 4];
        *out++ = kDigits[bits & 15];
    }
    *out = '\'';
}

/// 0000-00-00, without quotes.
void AppendDate(std::int64_t yyyymmdd, std::string& sql) {
    char text[11] = "0000-00-00";
    for (int i = 9; i >= 0; --i) {
        if (text[i] == '-') continue;
        text[i] = static_cast<char>('0' + yyyymmdd % 10);
        yyyymmdd /= 10;
    }
    sql.append(text, 10);
}

bool IsUtf8(std::string_view text) {
    const auto* p = reinterpret_cast<const unsigned char*>(text.data());
    const auto* const end = p + text.size();
    while (p < end) {
        const std::size_t length = *p < 0x80 ? 1 : SequenceLength(p, end);
        if (length == 0) return false;
        p += length;
    }
    return true;
}

/// What would end the field or the line is escaped with a backslash.
void AppendField(std::string_view bytes, std::string& file) {
    std::size_t run = 0;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        const char byte = bytes[at];
        if (byte != '\\' && byte != '\t' && byte != '\n' && byte != '\0') continue;
        file.append(bytes, run, at - run);
        file.push_back('\\');
        file.push_back(byte == '\0' ? '0' : byte);
        run = at + 1;
    }
    file.append(bytes, run);
}

Status Malformed(const Query& query, std::string_view what) {
    std::string message("query ");
    message += query.name;
    message += ": ";
    message += what;
    return Status(Code::kInternal, reason::kQueryMalformed, std::move(message));
}

/// The index after the quoted text that begins at `at`; npos if it does not end.
std::size_t AfterQuote(std::string_view sql, std::size_t at) {
    const char quote = sql[at];
    for (std::size_t i = at + 1; i < sql.size(); ++i) {
        if (sql[i] == '\\' && quote != '`') {
            ++i;
        } else if (sql[i] == quote) {
            if (i + 1 < sql.size() && sql[i + 1] == quote) {
                ++i;
            } else {
                return i + 1;
            }
        }
    }
    return std::string_view::npos;
}

/// The index after the comment that begins at `at`; `at` if none begins there.
std::size_t AfterComment(std::string_view sql, std::size_t at) {
    const std::string_view rest = sql.substr(at);
    if (rest.starts_with("/*")) {
        const std::size_t end = sql.find("*/", at + 2);
        return end == std::string_view::npos ? end : end + 2;
    }
    const bool dashes =
        rest.starts_with("--") && (rest.size() == 2 || static_cast<unsigned char>(rest[2]) <= ' ');
    if (!dashes && !rest.starts_with('#')) return at;
    const std::size_t end = sql.find('\n', at);
    return end == std::string_view::npos ? sql.size() : end;
}

}  // namespace

bool Value::AppendOther(std::string& sql) const {
    switch (kind_) {
        case Kind::kNull:
            sql += "NULL";
            return true;
        case Kind::kText:
            return AppendText(text_, sql);
        case Kind::kBytes:
            AppendBytes(text_, sql);
            return true;
        case Kind::kDate:
            sql.push_back('\'');
            AppendDate(int_, sql);
            sql.push_back('\'');
            return true;
        case Kind::kInt:
        case Kind::kUint:
            break;
    }
    AppendNumber(sql);
    return true;
}

bool Value::AppendOtherField(std::string& file) const {
    switch (kind_) {
        case Kind::kNull:
            file += "\\N";
            return true;
        case Kind::kText:
            if (!IsUtf8(text_)) return false;
            AppendField(text_, file);
            return true;
        case Kind::kBytes:
            AppendField(text_, file);
            return true;
        case Kind::kDate:
            AppendDate(int_, file);
            return true;
        case Kind::kInt:
        case Kind::kUint:
            break;
    }
    AppendNumber(file);
    return true;
}

void RowList::Begin(std::size_t width) {
    KESSAI_CHECK(width_ == 0 || width_ == width, "all rows of a list have the same width");
    width_ = width;
    if (size_++ > 0) sql_.push_back(',');
    sql_.push_back('(');
}

void RowList::Clear() {
    sql_.clear();
    size_ = 0;
    width_ = 0;
    text_is_utf8_ = true;
}

void KeyList::Clear() {
    sql_.clear();
    size_ = 0;
    text_is_utf8_ = true;
}

Status Render(const Query& query, std::span<const Argument> arguments, std::string& sql) {
    static constexpr std::string_view kRows = "{rows}";
    static constexpr std::string_view kKeys = "{keys}";
    const std::size_t before = sql.size();
    std::size_t bytes = query.sql.size() + 24 * arguments.size();
    for (const Argument& argument : arguments) {
        if (argument.rows_ != nullptr) bytes += argument.rows_->bytes();
        if (argument.keys_ != nullptr) bytes += argument.keys_->bytes();
    }
    // At least doubled: a batch appends many statements to one string.
    if (before + bytes > sql.capacity()) sql.reserve(std::max(before + bytes, 2 * before));

    const std::string_view text = query.sql;
    std::size_t used = 0;
    std::size_t copied = 0;
    std::size_t at = 0;
    std::string_view problem;
    bool utf8 = true;
    const auto put = [&](Argument::Kind kind, std::size_t placeholder_size) {
        if (used == arguments.size()) {
            problem = "has more placeholders than arguments";
            return;
        }
        const Argument& argument = arguments[used++];
        if (argument.kind_ != kind) {
            problem = "an argument is not of its placeholder's kind";
            return;
        }
        sql.append(text.substr(copied, at - copied));
        at += placeholder_size;
        copied = at;
        switch (kind) {
            case Argument::Kind::kValue:
                utf8 = argument.value_.AppendTo(sql) && utf8;
                break;
            case Argument::Kind::kRows:
                if (argument.rows_->empty()) problem = "a list of rows is empty";
                utf8 = argument.rows_->text_is_utf8() && utf8;
                sql.append(argument.rows_->sql());
                break;
            case Argument::Kind::kKeys:
                if (argument.keys_->empty()) problem = "a list of keys is empty";
                utf8 = argument.keys_->text_is_utf8() && utf8;
                sql.append(argument.keys_->sql());
                break;
        }
    };
    while (problem.empty() && at < text.size()) {
        switch (text[at]) {
            case '?':
                put(Argument::Kind::kValue, 1);
                break;
            case '{':
                if (text.substr(at, kRows.size()) == kRows) {
                    put(Argument::Kind::kRows, kRows.size());
                } else if (text.substr(at, kKeys.size()) == kKeys) {
                    put(Argument::Kind::kKeys, kKeys.size());
                } else {
                    problem = "has an unknown placeholder";
                }
                break;
            case '\'':
            case '"':
            case '`':
                at = AfterQuote(text, at);
                if (at == std::string_view::npos) problem = "has a quote that does not end";
                break;
            case ';':
                problem = "is more than one statement";
                break;
            case '-':
            case '#':
            case '/': {
                const std::size_t after = AfterComment(text, at);
                if (after == std::string_view::npos) problem = "has a comment that does not end";
                at = after == at ? at + 1 : after;
                break;
            }
            default:
                ++at;
        }
    }
    if (problem.empty() && used < arguments.size())
        problem = "has more arguments than placeholders";
    if (!problem.empty()) {
        sql.resize(before);
        return Malformed(query, problem);
    }
    if (!utf8) {
        sql.resize(before);
        std::string message("query ");
        message += query.name;
        message += ": a text is not valid UTF-8";
        return Status(Code::kInvalidArgument, reason::kTextNotUtf8, std::move(message));
    }
    sql.append(text.substr(copied));
    return {};
}

}  // namespace kessai::mysql
