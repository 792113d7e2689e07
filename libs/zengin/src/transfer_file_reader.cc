#include <optional>
#include <string>
#include <utility>

#include "kessai/zengin/transfer_file.h"
#include "record_layout.h"
#include "record_reader.h"

namespace kessai::zengin {
namespace {

using internal::Field;
using internal::ReadAccountType;
using internal::Record;
using internal::Records;
using internal::Refuse;
namespace data = internal::data;
namespace header = internal::header;
namespace trailer = internal::trailer;

Result<KanaText> ReadText(const Record& record, const Field& field,
                          CharacterSet set = CharacterSet::kName) {
    auto text = KanaText::FromBytes(record.Bytes(field), set);
    if (!text.ok()) return text.status().WithContext(record.Where(field));
    return text;
}

Result<KanaText> ReadRequiredText(const Record& record, const Field& field) {
    KESSAI_ASSIGN_OR_RETURN(KanaText text, ReadText(record, field));
    if (text.empty()) return record.Malformed(field, "is empty");
    return text;
}

Result<std::chrono::month_day> ReadDay(const Record& record) {
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t number, record.Number(header::kDay));
    const std::chrono::month_day day(std::chrono::month(static_cast<unsigned>(number / 100)),
                                     std::chrono::day(static_cast<unsigned>(number % 100)));
    if (!day.ok()) return record.Malformed(header::kDay, "is no day of a year");
    return day;
}

Status ReadHeader(const Record& record, TransferFile& file) {
    KESSAI_RETURN_IF_ERROR(internal::CheckFileKind(record, header::kFileKind, header::kCodeDivision,
                                                   internal::kBulkTransfer, "bulk transfers"));
    Originator& originator = file.originator;
    Account& account = originator.account;
    KESSAI_ASSIGN_OR_RETURN(originator.code, record.Digits(header::kOriginatorCode));
    KESSAI_ASSIGN_OR_RETURN(originator.name, ReadRequiredText(record, header::kOriginatorName));
    KESSAI_ASSIGN_OR_RETURN(file.day, ReadDay(record));
    KESSAI_ASSIGN_OR_RETURN(account.bank_code, record.Digits(header::kBankCode));
    KESSAI_ASSIGN_OR_RETURN(originator.office.bank, ReadText(record, header::kBankName));
    KESSAI_ASSIGN_OR_RETURN(account.branch_code, record.Digits(header::kBranchCode));
    KESSAI_ASSIGN_OR_RETURN(originator.office.branch, ReadText(record, header::kBranchName));
    KESSAI_ASSIGN_OR_RETURN(account.type, ReadAccountType(record, header::kAccountType, "129"));
    KESSAI_ASSIGN_OR_RETURN(account.number, record.Digits(header::kAccountNumber));
    return OkStatus();
}

Result<std::variant<CustomerCodes, EdiText>> ReadReference(const Record& record) {
    using Reference = std::variant<CustomerCodes, EdiText>;
    const char identification = record.Bytes(data::kIdentification).front();
    if (identification == internal::kEdiFollows) {
        KESSAI_ASSIGN_OR_RETURN(KanaText text,
                                ReadText(record, data::kEdiText, CharacterSet::kEdi));
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
    KESSAI_ASSIGN_OR_RETURN(transfer.office.bank, ReadText(record, data::kBankName));
    KESSAI_ASSIGN_OR_RETURN(payee.branch_code, record.Digits(data::kBranchCode));
    KESSAI_ASSIGN_OR_RETURN(transfer.office.branch, ReadText(record, data::kBranchName));
    KESSAI_RETURN_IF_ERROR(record.OptionalNumber(data::kClearingHouse));
    KESSAI_ASSIGN_OR_RETURN(payee.type, ReadAccountType(record, data::kAccountType, "1249"));
    KESSAI_ASSIGN_OR_RETURN(payee.number, record.Digits(data::kAccountNumber));
    KESSAI_ASSIGN_OR_RETURN(payee.holder, ReadRequiredText(record, data::kHolder));
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
                return internal::RecordKindUnknown(record);
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
    Records records(bytes, internal::kTransferRecordSize);
    FileInProgress file;
    while (true) {
        KESSAI_ASSIGN_OR_RETURN(const std::optional<Record> record, records.Next());
        if (!record) return std::move(file).Finish(records.line_end());
        KESSAI_RETURN_IF_ERROR(file.Take(*record));
    }
}

}  // namespace kessai::zengin
