#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "digits.h"
#include "kessai/zengin/transfer_file.h"
#include "record_layout.h"

namespace kessai::zengin {
namespace {

using internal::AreDigits;
using internal::Field;
using internal::kRecordSize;
namespace data = internal::data;
namespace header = internal::header;
namespace trailer = internal::trailer;

constexpr char kEndOfFile = '\x1A';

Status Refuse(std::string_view reason, std::string message) {
    return Status(Code::kInvalidArgument, reason, std::move(message));
}

std::string_view BytesOf(LineEnd line_end) {
    if (line_end == LineEnd::kCrLf) return "\r\n";
    return line_end == LineEnd::kLf ? "\n" : "";
}

LineEnd LineEndOf(std::string_view behind_a_record) {
    if (behind_a_record.starts_with(BytesOf(LineEnd::kCrLf))) return LineEnd::kCrLf;
    return behind_a_record.starts_with(BytesOf(LineEnd::kLf)) ? LineEnd::kLf : LineEnd::kNone;
}

/// One record, of its right length.
class Record {
 public:
    Record(std::size_t number, std::string_view bytes) : number_(number), bytes_(bytes) {}

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
    Result<KanaText> Text(const Field& field, CharacterSet set = CharacterSet::kName) const {
        auto text = KanaText::FromBytes(Bytes(field), set);
        if (!text.ok()) return text.status().WithContext(Where(field));
        return text;
    }
    Result<KanaText> RequiredText(const Field& field) const {
        KESSAI_ASSIGN_OR_RETURN(KanaText text, Text(field));
        if (text.empty()) return Malformed(field, "is empty");
        return text;
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

/// Takes record by record off the bytes of a file.
class Records {
 public:
    explicit Records(std::string_view bytes) : rest_(bytes) {
        if (rest_.ends_with(kEndOfFile)) rest_.remove_suffix(1);
        if (rest_.size() > kRecordSize) line_end_ = LineEndOf(rest_.substr(kRecordSize));
    }

    LineEnd line_end() const { return line_end_; }

    /// None at the end of the bytes.
    Result<std::optional<Record>> Next() {
        if (rest_.empty()) return std::optional<Record>();
        ++number_;
        const std::string_view bytes = rest_.substr(0, kRecordSize);
        if (const auto at = bytes.find_first_of("\r\n"); at != std::string_view::npos) {
            return WrongLength("ends after " + std::to_string(at) + " bytes");
        }
        if (bytes.size() < kRecordSize) {
            return WrongLength("has " + std::to_string(bytes.size()) + " bytes");
        }
        rest_.remove_prefix(kRecordSize);
        const std::string_view line_end = BytesOf(line_end_);
        if (!rest_.empty() && !rest_.starts_with(line_end)) {
            return WrongLength("has not the line end of the first behind its 120 bytes");
        }
        rest_.remove_prefix(std::min(line_end.size(), rest_.size()));
        return std::optional<Record>(std::in_place, number_, bytes);
    }

 private:
    Status WrongLength(const std::string& what) const {
        return Refuse(reason::kRecordLengthWrong, "record " + std::to_string(number_) + " " + what);
    }

    std::string_view rest_;
    LineEnd line_end_ = LineEnd::kNone;
    std::size_t number_ = 0;
};

Result<AccountType> ReadAccountType(const Record& record, const Field& field,
                                    std::string_view permitted) {
    const char type = record.Bytes(field).front();
    if (permitted.find(type) != std::string_view::npos) {
        return static_cast<AccountType>(type - '0');
    }
    return Refuse(reason::kAccountTypeUnknown,
                  record.Where(field) + " is none of " + std::string(permitted));
}

Result<std::chrono::month_day> ReadDay(const Record& record) {
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t number, record.Number(header::kDay));
    const std::chrono::month_day day(std::chrono::month(static_cast<unsigned>(number / 100)),
                                     std::chrono::day(static_cast<unsigned>(number % 100)));
    if (!day.ok()) return record.Malformed(header::kDay, "is no day of a year");
    return day;
}

Status ReadHeader(const Record& record, TransferFile& file) {
    if (record.Bytes(header::kFileKind) != internal::kBulkTransfer) {
        return Refuse(reason::kFileKindWrong,
                      record.Where(header::kFileKind) + " is not 21, the number of bulk transfers");
    }
    if (record.Bytes(header::kCodeDivision) == internal::kEbcdic) {
        return Refuse(reason::kCodeDivisionUnsupported,
                      record.Where(header::kCodeDivision) + " says that the file is in EBCDIC");
    }
    if (record.Bytes(header::kCodeDivision) != internal::kJis) {
        return record.Malformed(header::kCodeDivision, "is neither 0 nor 1");
    }
    Originator& originator = file.originator;
    Account& account = originator.account;
    KESSAI_ASSIGN_OR_RETURN(originator.code, record.Digits(header::kOriginatorCode));
    KESSAI_ASSIGN_OR_RETURN(originator.name, record.RequiredText(header::kOriginatorName));
    KESSAI_ASSIGN_OR_RETURN(file.day, ReadDay(record));
    KESSAI_ASSIGN_OR_RETURN(account.bank_code, record.Digits(header::kBankCode));
    KESSAI_ASSIGN_OR_RETURN(originator.office.bank, record.Text(header::kBankName));
    KESSAI_ASSIGN_OR_RETURN(account.branch_code, record.Digits(header::kBranchCode));
    KESSAI_ASSIGN_OR_RETURN(originator.office.branch, record.Text(header::kBranchName));
    KESSAI_ASSIGN_OR_RETURN(account.type, ReadAccountType(record, header::kAccountType, "129"));
    KESSAI_ASSIGN_OR_RETURN(account.number, record.Digits(header::kAccountNumber));
    return OkStatus();
}

Result<std::variant<CustomerCodes, EdiText>> ReadReference(const Record& record) {
    using Reference = std::variant<CustomerCodes, EdiText>;
    const char identification = record.Bytes(data::kIdentification).front();
    if (identification == internal::kEdiFollows) {
        KESSAI_ASSIGN_OR_RETURN(KanaText text, record.Text(data::kEdiText, CharacterSet::kEdi));
        return Reference(EdiText{std::move(text)});
    }
    if (identification != ' ') {
        return record.Malformed(data::kIdentification, "is neither Y nor a space");
    }
    CustomerCodes codes;
    KESSAI_ASSIGN_OR_RETURN(codes.first, record.OptionalNumber(data::kCustomerCode1));
    KESSAI_ASSIGN_OR_RETURN(codes.second, record.OptionalNumber(data::kCustomerCode2));
    return Reference(codes);
}

Result<Transfer> ReadTransfer(const Record& record) {
    Transfer transfer;
    Account& payee = transfer.payee;
    KESSAI_ASSIGN_OR_RETURN(payee.bank_code, record.Digits(data::kBankCode));
    KESSAI_ASSIGN_OR_RETURN(transfer.office.bank, record.Text(data::kBankName));
    KESSAI_ASSIGN_OR_RETURN(payee.branch_code, record.Digits(data::kBranchCode));
    KESSAI_ASSIGN_OR_RETURN(transfer.office.branch, record.Text(data::kBranchName));
    KESSAI_RETURN_IF_ERROR(record.OptionalNumber(data::kClearingHouse));
    KESSAI_ASSIGN_OR_RETURN(payee.type, ReadAccountType(record, data::kAccountType, "1249"));
    KESSAI_ASSIGN_OR_RETURN(payee.number, record.Digits(data::kAccountNumber));
    KESSAI_ASSIGN_OR_RETURN(payee.holder, record.RequiredText(data::kHolder));
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t amount, record.Number(data::kAmount));
    if (amount == 0) {
        return Status(Code::kOutOfRange, reason::kAmountOutOfRange,
                      record.Where(data::kAmount) + " is zero");
    }
    transfer.amount = Yen(amount);
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t new_code, record.OptionalNumber(data::kNewCode));
    if (new_code > 2) return record.Malformed(data::kNewCode, "is none of 0, 1, 2");
    transfer.new_code = static_cast<NewCode>(new_code);
    KESSAI_ASSIGN_OR_RETURN(transfer.reference, ReadReference(record));
    KESSAI_RETURN_IF_ERROR(record.OptionalNumber(data::kWay));
    return transfer;
}

Status ReadTrailer(const Record& record, const TransferTotals& totals) {
    if (totals.count == 0) {
        return Refuse(reason::kFileEmpty, "the file has no data record");
    }
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t count, record.Number(trailer::kCount));
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t total, record.Number(trailer::kTotal));
    if (count != totals.count) {
        return Refuse(reason::kCountWrong, record.Where(trailer::kCount) + " is " +
                                               std::to_string(count) + ", the data records are " +
                                               std::to_string(totals.count));
    }
    if (total != totals.amount.minor()) {
        return Refuse(reason::kTotalWrong,
                      record.Where(trailer::kTotal) + " is " + std::to_string(total) +
                          ", the data records sum to " + std::to_string(totals.amount.minor()));
    }
    return OkStatus();
}

/// Reads records in the order that a file has them.
class FileInProgress {
 public:
    Status Take(const Record& record) {
        switch (record.kind()) {
            case header::kKind:
                KESSAI_RETURN_IF_ERROR(Expect(awaited_ == Awaited::kHeader, record));
                awaited_ = Awaited::kDataOrTrailer;
                return ReadHeader(record, file_);
            case data::kKind: {
                KESSAI_RETURN_IF_ERROR(Expect(awaited_ == Awaited::kDataOrTrailer, record));
                KESSAI_ASSIGN_OR_RETURN(Transfer transfer, ReadTransfer(record));
                ++file_.totals.count;
                KESSAI_ASSIGN_OR_RETURN(file_.totals.amount,
                                        file_.totals.amount.Add(transfer.amount));
                file_.transfers.push_back(std::move(transfer));
                return OkStatus();
            }
            case trailer::kKind:
                KESSAI_RETURN_IF_ERROR(Expect(awaited_ == Awaited::kDataOrTrailer, record));
                awaited_ = Awaited::kEnd;
                return ReadTrailer(record, file_.totals);
            case internal::end::kKind:
                KESSAI_RETURN_IF_ERROR(Expect(awaited_ == Awaited::kEnd, record));
                awaited_ = Awaited::kNothing;
                return OkStatus();
            default:
                return Refuse(reason::kRecordKindUnknown, "record " +
                                                              std::to_string(record.number()) +
                                                              " begins with none of 1, 2, 8, 9");
        }
    }

    Result<TransferFile> Finish(LineEnd line_end) && {
        if (awaited_ != Awaited::kNothing) {
            return Refuse(reason::kFileIncomplete, "the file stops before its end record");
        }
        file_.line_end = line_end;
        return std::move(file_);
    }

 private:
    enum class Awaited { kHeader, kDataOrTrailer, kEnd, kNothing };

    static Status Expect(bool in_order, const Record& record) {
        if (in_order) return OkStatus();
        return Refuse(reason::kRecordOutOfOrder,
                      "record " + std::to_string(record.number()) + " of kind " + record.kind() +
                          " is not in its place: a header, data, a trailer, an end");
    }

    Awaited awaited_ = Awaited::kHeader;
    TransferFile file_;
};

}  // namespace

Result<TransferFile> ReadTransferFile(std::string_view bytes) {
    Records records(bytes);
    FileInProgress file;
    while (true) {
        KESSAI_ASSIGN_OR_RETURN(const std::optional<Record> record, records.Next());
        if (!record) return std::move(file).Finish(records.line_end());
        KESSAI_RETURN_IF_ERROR(file.Take(*record));
    }
}

}  // namespace kessai::zengin
