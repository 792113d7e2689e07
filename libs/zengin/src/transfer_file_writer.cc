#include <string>
#include <utility>

#include "digits.h"
#include "kessai/calendar/bank_days.h"
#include "kessai/zengin/bank_directory.h"
#include "kessai/zengin/transfer_file.h"
#include "record_layout.h"

namespace kessai::zengin {
namespace {

using internal::AreDigits;
using internal::Field;
namespace data = internal::data;
namespace header = internal::header;
namespace trailer = internal::trailer;

/// 10^digits - 1.
constexpr std::int64_t LargestOf(const Field& field) {
    std::int64_t value = 1;
    for (std::size_t digit = 0; digit < field.size; ++digit) value *= 10;
    return value - 1;
}

/// A record of spaces, to be filled. Values fit their fields, which was checked before.
class Record {
 public:
    explicit Record(char kind) : bytes_(internal::kTransferRecordSize, ' ') { bytes_[0] = kind; }

    /// Left aligned.
    void Put(const Field& field, std::string_view text) {
        KESSAI_CHECK(text.size() <= field.size, field.name);
        bytes_.replace(field.offset(), text.size(), text);
    }
    /// Right aligned, with zeros before it.
    void PutNumber(const Field& field, std::int64_t number) {
        KESSAI_CHECK(number >= 0, field.name);
        for (std::size_t at = field.offset() + field.size; at-- > field.offset();) {
            bytes_[at] = static_cast<char>('0' + number % 10);
            number /= 10;
        }
        KESSAI_CHECK(number == 0, field.name);
    }

    std::string Take() && { return std::move(bytes_); }

 private:
    std::string bytes_;
};

Status Refuse(std::string_view reason, std::string message) {
    return Status(Code::kInvalidArgument, reason, std::move(message));
}

Status OutOfRange(std::string_view reason, std::string message) {
    return Status(Code::kOutOfRange, reason, std::move(message));
}

Status CheckText(const Field& field, const KanaText& text, CharacterSet set) {
    if (text.size() > field.size) {
        return Refuse(reason::kNameTooLong,
                      std::string(field.name) + " has " + std::to_string(text.size()) +
                          " characters, of which the file carries " + std::to_string(field.size));
    }
    if (!text.Fits(set)) {
        return Refuse(reason::kKanaNotAllowed,
                      std::string(field.name) + " holds a character that this field can't carry");
    }
    return OkStatus();
}

Status CheckAccountNumbers(const Account& account) {
    if (!AreDigits(account.bank_code, header::kBankCode.size)) {
        return Refuse(reason::kBankCodeMalformed, "a bank's number has four digits");
    }
    if (!AreDigits(account.branch_code, header::kBranchCode.size)) {
        return Refuse(reason::kBranchCodeMalformed, "a branch's number has three digits");
    }
    if (!AreDigits(account.number, header::kAccountNumber.size)) {
        return Refuse(reason::kAccountNumberMalformed, "an account's number has seven digits");
    }
    return OkStatus();
}

Status CheckOriginator(const Originator& originator) {
    if (!AreDigits(originator.code, header::kOriginatorCode.size)) {
        return Refuse(reason::kOriginatorCodeMalformed, "an originator's code has ten digits");
    }
    if (originator.name.empty()) {
        return Refuse(reason::kAccountHolderMissing, "the originator's name is missing");
    }
    KESSAI_RETURN_IF_ERROR(
        CheckText(header::kOriginatorName, originator.name, CharacterSet::kName));
    KESSAI_RETURN_IF_ERROR(CheckAccountNumbers(originator.account));
    const AccountType type = originator.account.type;
    if (type != AccountType::kOrdinary && type != AccountType::kCurrent &&
        type != AccountType::kOther) {
        return Refuse(reason::kAccountTypeUnknown,
                      "an originator's account is of type 1 (ordinary), 2 (current) or 9 (other)");
    }
    KESSAI_RETURN_IF_ERROR(
        CheckText(header::kBankName, originator.office.bank, CharacterSet::kName));
    return CheckText(header::kBranchName, originator.office.branch, CharacterSet::kName);
}

Status CheckDay(BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(const bool open, calendar::IsBankDay(day));
    if (open) return OkStatus();
    return Refuse(reason::kNotABankDay, "banks do no business on " + day.ToString());
}

Status CheckPayee(const Account& payee, const OfficeNames& office) {
    KESSAI_RETURN_IF_ERROR(CheckAccountNumbers(payee));
    const AccountType type = payee.type;
    if (type != AccountType::kOrdinary && type != AccountType::kCurrent &&
        type != AccountType::kSavings && type != AccountType::kOther) {
        return Refuse(reason::kAccountTypeUnknown,
                      "a payee's account is of type 1 (ordinary), 2 (current), 4 (savings) or "
                      "9 (other)");
    }
    if (payee.holder.empty()) {
        return Refuse(reason::kAccountHolderMissing, "the payee's name is missing");
    }
    KESSAI_RETURN_IF_ERROR(CheckText(data::kHolder, payee.holder, CharacterSet::kName));
    KESSAI_RETURN_IF_ERROR(CheckText(data::kBankName, office.bank, CharacterSet::kName));
    return CheckText(data::kBranchName, office.branch, CharacterSet::kName);
}

Status CheckReference(const std::variant<CustomerCodes, EdiText>& reference) {
    if (const auto* edi = std::get_if<EdiText>(&reference)) {
        return CheckText(data::kEdiText, edi->text, CharacterSet::kEdi);
    }
    const CustomerCodes& codes = std::get<CustomerCodes>(reference);
    const std::int64_t largest = LargestOf(data::kCustomerCode1);
    if (codes.first < 0 || codes.first > largest || codes.second < 0 || codes.second > largest) {
        return OutOfRange(reason::kCustomerCodeOutOfRange, "a customer code has ten digits");
    }
    return OkStatus();
}

Status CheckAmount(Money amount) {
    if (amount.is_positive() && amount.minor() <= LargestOf(data::kAmount)) return OkStatus();
    return OutOfRange(reason::kAmountOutOfRange,
                      "a transfer of " + amount.ToString() + ": a record carries 1 to " +
                          std::to_string(LargestOf(data::kAmount)) + " yen");
}

/// What the totals are with one more transfer.
Result<TransferTotals> With(const TransferTotals& totals, Money amount) {
    TransferTotals grown = totals;
    ++grown.count;
    KESSAI_ASSIGN_OR_RETURN(grown.amount, totals.amount.Add(amount));
    if (grown.count > LargestOf(trailer::kCount)) {
        return OutOfRange(
            reason::kTooManyTransfers,
            "a file carries " + std::to_string(LargestOf(trailer::kCount)) + " transfers");
    }
    if (grown.amount.minor() > LargestOf(trailer::kTotal)) {
        return OutOfRange(
            reason::kTotalOutOfRange,
            "a file carries " + std::to_string(LargestOf(trailer::kTotal)) + " yen in all");
    }
    return grown;
}

Record HeaderRecord(const Originator& originator, BusinessDate day) {
    const std::chrono::year_month_day date(day.day());
    const Account& account = originator.account;
    Record record(header::kKind);
    record.Put(header::kFileKind, internal::kBulkTransfer);
    record.Put(header::kCodeDivision, internal::kJis);
    record.Put(header::kOriginatorCode, originator.code);
    record.Put(header::kOriginatorName, originator.name.bytes());
    record.PutNumber(header::kDay,
                     100 * static_cast<unsigned>(date.month()) + static_cast<unsigned>(date.day()));
    record.Put(header::kBankCode, account.bank_code);
    record.Put(header::kBankName, originator.office.bank.bytes());
    record.Put(header::kBranchCode, account.branch_code);
    record.Put(header::kBranchName, originator.office.branch.bytes());
    record.PutNumber(header::kAccountType, static_cast<int>(account.type));
    record.Put(header::kAccountNumber, account.number);
    return record;
}

Record DataRecord(const Transfer& transfer) {
    const Account& payee = transfer.payee;
    Record record(data::kKind);
    record.Put(data::kBankCode, payee.bank_code);
    record.Put(data::kBankName, transfer.office.bank.bytes());
    record.Put(data::kBranchCode, payee.branch_code);
    record.Put(data::kBranchName, transfer.office.branch.bytes());
    record.PutNumber(data::kClearingHouse, 0);
    record.PutNumber(data::kAccountType, static_cast<int>(payee.type));
    record.Put(data::kAccountNumber, payee.number);
    record.Put(data::kHolder, payee.holder.bytes());
    record.PutNumber(data::kAmount, transfer.amount.minor());
    record.PutNumber(data::kNewCode, static_cast<int>(transfer.new_code));
    record.Put(data::kWay, {&internal::kByWire, 1});
    if (const auto* edi = std::get_if<EdiText>(&transfer.reference)) {
        record.Put(data::kEdiText, edi->text.bytes());
        record.Put(data::kIdentification, {&internal::kEdiFollows, 1});
    } else {
        const CustomerCodes& codes = std::get<CustomerCodes>(transfer.reference);
        record.PutNumber(data::kCustomerCode1, codes.first);
        record.PutNumber(data::kCustomerCode2, codes.second);
    }
    return record;
}

Status Closed() {
    return Status(Code::kFailedPrecondition, reason::kWriterClosed,
                  "the file is finished, or could not be written on");
}

}  // namespace

TransferFileWriter::TransferFileWriter(LineEnd line_end, Sink sink)
    : line_end_(line_end), sink_(std::move(sink)) {}

Result<TransferFileWriter> TransferFileWriter::Begin(const Originator& originator, BusinessDate day,
                                                     LineEnd line_end, Sink sink) {
    KESSAI_RETURN_IF_ERROR(CheckOriginator(originator));
    KESSAI_RETURN_IF_ERROR(CheckDay(day));
    TransferFileWriter writer(line_end, std::move(sink));
    KESSAI_RETURN_IF_ERROR(writer.Write(HeaderRecord(originator, day).Take()));
    return writer;
}

Status TransferFileWriter::Add(const Transfer& transfer) {
    if (!open_) return Closed();
    KESSAI_RETURN_IF_ERROR(CheckPayee(transfer.payee, transfer.office));
    KESSAI_RETURN_IF_ERROR(CheckReference(transfer.reference));
    KESSAI_RETURN_IF_ERROR(CheckAmount(transfer.amount));
    KESSAI_ASSIGN_OR_RETURN(const TransferTotals grown, With(totals_, transfer.amount));
    KESSAI_RETURN_IF_ERROR(Write(DataRecord(transfer).Take()));
    totals_ = grown;
    return OkStatus();
}

Result<TransferTotals> TransferFileWriter::Finish() {
    if (!open_) return Closed();
    if (totals_.count == 0) {
        return Refuse(reason::kFileEmpty, "a file without transfers is none");
    }
    Record record(trailer::kKind);
    record.PutNumber(trailer::kCount, totals_.count);
    record.PutNumber(trailer::kTotal, totals_.amount.minor());
    KESSAI_RETURN_IF_ERROR(Write(std::move(record).Take()));
    KESSAI_RETURN_IF_ERROR(Write(Record(internal::end::kKind).Take()));
    open_ = false;
    return totals_;
}

Status TransferFileWriter::Write(std::string record) {
    if (line_end_ == LineEnd::kCrLf) record += '\r';
    if (line_end_ != LineEnd::kNone) record += '\n';
    Status outcome = sink_(record);
    open_ = outcome.ok();
    return outcome;
}

}  // namespace kessai::zengin
