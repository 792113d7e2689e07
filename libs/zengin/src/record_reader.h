#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "digits.h"
#include "kessai/zengin/transfer_file.h"
#include "record_layout.h"

/// Records of fixed length, as the Bankers Association's files consist of them.
namespace kessai::zengin::internal {

inline constexpr char kEndOfFile = '\x1A';

inline Status Refuse(std::string_view reason, std::string message) {
    return Status(Code::kInvalidArgument, reason, std::move(message));
}

inline std::string_view BytesOf(LineEnd line_end) {
    if (line_end == LineEnd::kCrLf) return "\r\n";
    return line_end == LineEnd::kLf ? "\n" : "";
}

/// One record, of its right length.
class Record {
 public:
    Record(std::size_t number, std::string_view bytes) : number_(number), bytes_(bytes) {}

    /// From 1.
    std::size_t number() const { return number_; }
    char kind() const { return bytes_.front(); }
    std::string_view Bytes(const Field& field) const {
        return bytes_.substr(field.offset(), field.size);
    }

    /// All digits.
    Result<std::int64_t> Number(const Field& field) const {
        const std::string_view digits = Bytes(field);
        if (!AreDigits(digits)) return Malformed(field, "holds something else than digits");
        std::int64_t number = 0;
        for (const char digit : digits) number = 10 * number + (digit - '0');
        return number;
    }
    /// All digits, or all spaces for 0.
    Result<std::int64_t> OptionalNumber(const Field& field) const {
        if (Bytes(field).find_first_not_of(' ') == std::string_view::npos) return 0;
        return Number(field);
    }
    /// All digits, as they are.
    Result<std::string> Digits(const Field& field) const {
        KESSAI_RETURN_IF_ERROR(Number(field));
        return std::string(Bytes(field));
    }

    Status Malformed(const Field& field, std::string_view what) const {
        return Refuse(reason::kFieldMalformed, Where(field) + " " + std::string(what));
    }
    std::string Where(const Field& field) const {
        return "record " + std::to_string(number_) + ", bytes " + std::to_string(field.position) +
               " to " + std::to_string(field.offset() + field.size) + " (" +
               std::string(field.name) + ")";
    }

 private:
    std::size_t number_;
    std::string_view bytes_;
};

/// Of a file's header: what it is a file of, and that it is not in EBCDIC.
inline Status CheckFileKind(const Record& record, const Field& file_kind,
                            const Field& code_division, std::string_view kind,
                            std::string_view files_of_that_kind) {
    if (record.Bytes(file_kind) != kind) {
        return Refuse(reason::kFileKindWrong, record.Where(file_kind) + " is not " +
                                                  std::string(kind) + ", the number of " +
                                                  std::string(files_of_that_kind));
    }
    if (record.Bytes(code_division) == kEbcdic) {
        return Refuse(reason::kCodeDivisionUnsupported,
                      record.Where(code_division) + " says that the file is in EBCDIC");
    }
    if (record.Bytes(code_division) != kJis) {
        return record.Malformed(code_division, "is neither 0 nor 1");
    }
    return OkStatus();
}

inline Result<AccountType> ReadAccountType(const Record& record, const Field& field,
                                           std::string_view permitted) {
    const char type = record.Bytes(field).front();
    if (permitted.find(type) != std::string_view::npos) {
        return static_cast<AccountType>(type - '0');
    }
    return Refuse(reason::kAccountTypeUnknown,
                  record.Where(field) + " is none of " + std::string(permitted));
}

inline Status RecordKindUnknown(const Record& record) {
    return Refuse(reason::kRecordKindUnknown,
                  "record " + std::to_string(record.number()) + " begins with none of 1, 2, 8, 9");
}

/// Takes record by record off the bytes of a file: all of `size` bytes, with one line end
/// throughout (the last may lack it), and an end-of-file byte behind them at most.
class Records {
 public:
    Records(std::string_view bytes, std::size_t size) : rest_(bytes), size_(size) {
        if (rest_.ends_with(kEndOfFile)) rest_.remove_suffix(1);
        if (rest_.size() > size_) line_end_ = LineEndOf(rest_.substr(size_));
    }

    LineEnd line_end() const { return line_end_; }

    /// None at the end of the bytes.
    Result<std::optional<Record>> Next() {
        if (rest_.empty()) return std::optional<Record>();
        ++number_;
        const std::string_view bytes = rest_.substr(0, size_);
        if (const auto at = bytes.find_first_of("\r\n"); at != std::string_view::npos) {
            return WrongLength("ends after " + std::to_string(at) + " bytes");
        }
        if (bytes.size() < size_) {
            return WrongLength("has " + std::to_string(bytes.size()) + " bytes, not " +
                               std::to_string(size_));
        }
        rest_.remove_prefix(size_);
        const std::string_view line_end = BytesOf(line_end_);
        if (!rest_.empty() && !rest_.starts_with(line_end)) {
            return WrongLength("has not the line end of the first behind its " +
                               std::to_string(size_) + " bytes");
        }
        rest_.remove_prefix(std::min(line_end.size(), rest_.size()));
        return std::optional<Record>(std::in_place, number_, bytes);
    }

 private:
    static LineEnd LineEndOf(std::string_view behind_a_record) {
        if (behind_a_record.starts_with(BytesOf(LineEnd::kCrLf))) return LineEnd::kCrLf;
        return behind_a_record.starts_with(BytesOf(LineEnd::kLf)) ? LineEnd::kLf : LineEnd::kNone;
    }
    Status WrongLength(const std::string& what) const {
        return Refuse(reason::kRecordLengthWrong, "record " + std::to_string(number_) + " " + what);
    }

    std::string_view rest_;
    const std::size_t size_;
    LineEnd line_end_ = LineEnd::kNone;
    std::size_t number_ = 0;
};

}  // namespace kessai::zengin::internal
