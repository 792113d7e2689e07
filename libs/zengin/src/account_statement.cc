#include "kessai/zengin/account_statement.h"

#include <chrono>
#include <optional>
#include <utility>

#include "record_layout.h"
#include "record_reader.h"

namespace kessai::zengin {
namespace {

using internal::Field;
using internal::Record;
using internal::Records;
using internal::Refuse;
namespace data = internal::statement_data;
namespace end = internal::statement_end;
namespace header = internal::statement_header;
namespace trailer = internal::statement_trailer;

/// 2019 was Reiwa 1.
constexpr int kReiwaBegan = 2018;
constexpr int kCentury = 2000;

/// JIS X 0201 to UTF-8: banks write more here than what a transfer may carry, so any of its
/// characters is taken.
Result<std::string> ReadText(const Record& record, const Field& field) {
    std::string_view bytes = record.Bytes(field);
    bytes = bytes.substr(0, bytes.find_last_not_of(' ') + 1);
    std::string text;
    for (const char byte : bytes) {
        const auto value = static_cast<unsigned char>(byte);
        if (value >= 0x20 && value < 0x7F) {
            text += byte;
        } else if (value >= 0xA1 && value <= 0xDF) {
            // U+FF61 to U+FF9F.
            const unsigned point = value - 0xA1u + 0xFF61u;
            text += static_cast<char>(0xE0u | point >> 12);
            text += static_cast<char>(0x80u | (point >> 6 & 0x3Fu));
            text += static_cast<char>(0x80u | (point & 0x3Fu));
        } else {
            return record.Malformed(field, "has a byte that is no character of JIS X 0201");
        }
    }
    return text;
}

Result<BusinessDate> ReadDate(const Record& record, const Field& field, StatementYears years) {
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t number, record.Number(field));
    const int year = static_cast<int>(number / 10'000) +
                     (years == StatementYears::kReiwa ? kReiwaBegan : kCentury);
    const std::chrono::year_month_day date{
        std::chrono::year(year), std::chrono::month(static_cast<unsigned>(number / 100 % 100)),
        std::chrono::day(static_cast<unsigned>(number % 100))};
    if (!date.ok()) return record.Malformed(field, "is no date");
    return BusinessDate(std::chrono::sys_days(date));
}

/// 1 above zero, 2 below it.
Result<Money> ReadBalance(const Record& record, const Field& sign, const Field& amount) {
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t number, record.Number(amount));
    const std::string_view said = record.Bytes(sign);
    if (said != "1" && said != "2") return record.Malformed(sign, "is neither 1 nor 2");
    return Yen(said == "1" ? number : -number);
}

Result<AccountStatement> ReadHeader(const Record& record, StatementYears years) {
    KESSAI_RETURN_IF_ERROR(internal::CheckFileKind(record, header::kFileKind, header::kCodeDivision,
                                                   internal::kStatement, "account statements"));
    AccountStatement statement;
    KESSAI_ASSIGN_OR_RETURN(statement.made, ReadDate(record, header::kMade, years));
    KESSAI_ASSIGN_OR_RETURN(statement.first, ReadDate(record, header::kFirstDay, years));
    KESSAI_ASSIGN_OR_RETURN(statement.last, ReadDate(record, header::kLastDay, years));
    KESSAI_ASSIGN_OR_RETURN(statement.bank_code, record.Digits(header::kBankCode));
    KESSAI_ASSIGN_OR_RETURN(statement.branch_code, record.Digits(header::kBranchCode));
    KESSAI_ASSIGN_OR_RETURN(statement.type,
                            internal::ReadAccountType(record, header::kAccountType, "1249"));
    KESSAI_ASSIGN_OR_RETURN(statement.number, record.Digits(header::kAccountNumber));
    KESSAI_ASSIGN_OR_RETURN(statement.holder, ReadText(record, header::kHolder));
    KESSAI_ASSIGN_OR_RETURN(statement.opening,
                            ReadBalance(record, header::kBelowZero, header::kBalance));
    return statement;
}

Result<StatementEntry> ReadEntry(const Record& record, StatementYears years) {
    StatementEntry entry;
    entry.record = record.number();
    KESSAI_ASSIGN_OR_RETURN(entry.inquiry_number, record.Digits(data::kInquiryNumber));
    KESSAI_ASSIGN_OR_RETURN(entry.booked, ReadDate(record, data::kBooked, years));
    KESSAI_ASSIGN_OR_RETURN(entry.moved, ReadDate(record, data::kMoved, years));
    const std::string_view direction = record.Bytes(data::kDirection);
    if (direction != "1" && direction != "2") {
        return record.Malformed(data::kDirection, "is neither 1 nor 2");
    }
    entry.is_credit = direction == "1";
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t kind, record.Number(data::kTradeKind));
    entry.trade_kind = static_cast<int>(kind);
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t amount, record.Number(data::kAmount));
    entry.amount = Yen(amount);
    KESSAI_ASSIGN_OR_RETURN(entry.originator_code, ReadText(record, data::kOriginatorCode));
    KESSAI_ASSIGN_OR_RETURN(entry.originator_name, ReadText(record, data::kOriginatorName));
    KESSAI_ASSIGN_OR_RETURN(entry.sending_bank, ReadText(record, data::kSendingBank));
    KESSAI_ASSIGN_OR_RETURN(entry.sending_branch, ReadText(record, data::kSendingBranch));
    KESSAI_ASSIGN_OR_RETURN(entry.summary, ReadText(record, data::kSummary));
    KESSAI_ASSIGN_OR_RETURN(entry.edi_text, ReadText(record, data::kEdiText));
    return entry;
}

struct Sums {
    std::int64_t count = 0;
    Money amount = Yen(0);
};

Status CheckSums(const Record& record, const Field& count_field, const Field& amount_field,
                 const Sums& sums) {
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t count, record.Number(count_field));
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t amount, record.Number(amount_field));
    if (count != sums.count) {
        return Refuse(reason::kCountWrong, record.Where(count_field) + " is " +
                                               std::to_string(count) + ", the data records are " +
                                               std::to_string(sums.count));
    }
    if (amount != sums.amount.minor()) {
        return Refuse(reason::kTotalWrong,
                      record.Where(amount_field) + " is " + std::to_string(amount) +
                          ", the data records sum to " + std::to_string(sums.amount.minor()));
    }
    return OkStatus();
}

/// Reads records in the order that a file has them.
class FileInProgress {
 public:
    explicit FileInProgress(StatementYears years) : years_(years) {}

    Status Take(const Record& record) {
        ++records_;
        switch (record.kind()) {
            case '1': {
                KESSAI_RETURN_IF_ERROR(Expect(awaited_ == Awaited::kHeaderOrEnd, record));
                KESSAI_ASSIGN_OR_RETURN(AccountStatement statement, ReadHeader(record, years_));
                statements_.push_back(std::move(statement));
                credits_ = {};
                debits_ = {};
                awaited_ = Awaited::kDataOrTrailer;
                return OkStatus();
            }
            case '2': {
                KESSAI_RETURN_IF_ERROR(Expect(awaited_ == Awaited::kDataOrTrailer, record));
                KESSAI_ASSIGN_OR_RETURN(StatementEntry entry, ReadEntry(record, years_));
                Sums& sums = entry.is_credit ? credits_ : debits_;
                ++sums.count;
                KESSAI_ASSIGN_OR_RETURN(sums.amount, sums.amount.Add(entry.amount));
                statements_.back().entries.push_back(std::move(entry));
                return OkStatus();
            }
            case '8':
                KESSAI_RETURN_IF_ERROR(Expect(awaited_ == Awaited::kDataOrTrailer, record));
                awaited_ = Awaited::kHeaderOrEnd;
                return TakeTrailer(record);
            case '9':
                KESSAI_RETURN_IF_ERROR(
                    Expect(awaited_ == Awaited::kHeaderOrEnd && !statements_.empty(), record));
                awaited_ = Awaited::kNothing;
                return TakeEnd(record);
            default:
                return internal::RecordKindUnknown(record);
        }
    }

    Result<std::vector<AccountStatement>> Finish() && {
        if (awaited_ != Awaited::kNothing) {
            return Refuse(reason::kFileIncomplete, "the file stops before its end record");
        }
        return std::move(statements_);
    }

 private:
    enum class Awaited { kHeaderOrEnd, kDataOrTrailer, kNothing };

    static Status Expect(bool in_order, const Record& record) {
        if (in_order) return OkStatus();
        return Refuse(reason::kRecordOutOfOrder,
                      "record " + std::to_string(record.number()) + " of kind " + record.kind() +
                          " is not in its place: header, data and trailer of each account, an end");
    }

    Status TakeTrailer(const Record& record) {
        AccountStatement& statement = statements_.back();
        KESSAI_RETURN_IF_ERROR(
            CheckSums(record, trailer::kCreditCount, trailer::kCredits, credits_));
        KESSAI_RETURN_IF_ERROR(CheckSums(record, trailer::kDebitCount, trailer::kDebits, debits_));
        KESSAI_ASSIGN_OR_RETURN(const std::int64_t count, record.Number(trailer::kCount));
        if (count != credits_.count + debits_.count) {
            return Refuse(reason::kCountWrong, record.Where(trailer::kCount) + " is " +
                                                   std::to_string(count) +
                                                   ", the data records are " +
                                                   std::to_string(credits_.count + debits_.count));
        }
        KESSAI_ASSIGN_OR_RETURN(statement.closing,
                                ReadBalance(record, trailer::kBelowZero, trailer::kBalance));
        KESSAI_ASSIGN_OR_RETURN(Money closing, statement.opening.Add(credits_.amount));
        KESSAI_ASSIGN_OR_RETURN(closing, closing.Subtract(debits_.amount));
        if (closing == statement.closing) return OkStatus();
        return Refuse(reason::kBalanceWrong,
                      record.Where(trailer::kBalance) + " is " +
                          std::to_string(statement.closing.minor()) +
                          ", the opening balance and the data records make " +
                          std::to_string(closing.minor()));
    }

    Status TakeEnd(const Record& record) const {
        KESSAI_ASSIGN_OR_RETURN(const std::int64_t records,
                                record.OptionalNumber(end::kRecordCount));
        KESSAI_ASSIGN_OR_RETURN(const std::int64_t accounts,
                                record.OptionalNumber(end::kAccountCount));
        const auto check = [&](const Field& field, std::int64_t said, std::size_t found) -> Status {
            if (said == 0 || said == static_cast<std::int64_t>(found)) return OkStatus();
            return Refuse(reason::kCountWrong, record.Where(field) + " is " + std::to_string(said) +
                                                   ", there are " + std::to_string(found));
        };
        KESSAI_RETURN_IF_ERROR(check(end::kRecordCount, records, records_));
        return check(end::kAccountCount, accounts, statements_.size());
    }

    const StatementYears years_;
    Awaited awaited_ = Awaited::kHeaderOrEnd;
    std::vector<AccountStatement> statements_;
    Sums credits_;
    Sums debits_;
    std::size_t records_ = 0;
};

}  // namespace

bool AccountStatement::IsOf(const Account& account) const {
    constexpr std::size_t kNumberSize = 7;
    return bank_code == account.bank_code && branch_code == account.branch_code &&
           type == account.type && number.size() >= kNumberSize &&
           number.substr(number.size() - kNumberSize) == account.number &&
           number.find_first_not_of('0') >= number.size() - kNumberSize;
}

Result<std::vector<AccountStatement>> ReadAccountStatements(std::string_view bytes,
                                                            StatementYears years) {
    Records records(bytes, internal::kStatementRecordSize);
    FileInProgress file(years);
    while (true) {
        KESSAI_ASSIGN_OR_RETURN(const std::optional<Record> record, records.Next());
        if (!record) return std::move(file).Finish();
        KESSAI_RETURN_IF_ERROR(file.Take(*record));
    }
}

}  // namespace kessai::zengin
