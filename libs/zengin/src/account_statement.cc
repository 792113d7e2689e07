#include "kessai/zengin/account_statement.h"

#include <chrono>
#include <optional>
#include <utility>

#include "digits.h"
#include "record_layout.h"
#include "record_reader.h"
#include "record_stream.h"

namespace kessai::zengin {
namespace {

using internal::Field;
using internal::Record;
using internal::RecordStream;
using internal::Refuse;
namespace data = internal::statement_data;
namespace end = internal::statement_end;
namespace header = internal::statement_header;
namespace notice_data = internal::notice_data;
namespace notice_header = internal::notice_header;
namespace notice_trailer = internal::notice_trailer;
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

/// The days and the account: in both kinds of header, at other places.
struct HeaderFields {
    const Field& account_type;
    std::string_view account_types;
    const Field& account_number;
    const Field& holder;
};
constexpr HeaderFields kStatementHeader{header::kAccountType, "1249", header::kAccountNumber,
                                        header::kHolder};
constexpr HeaderFields kNoticeHeader{notice_header::kAccountType, "1249",
                                     notice_header::kAccountNumber, notice_header::kHolder};
// Up to there they are the same.
static_assert(header::kBranchName.position == notice_header::kBranchName.position);

Result<AccountStatement> ReadHeader(const Record& record, StatementYears years, bool notices) {
    const bool is_notice = notices && record.Bytes(header::kFileKind) == internal::kNotice;
    KESSAI_RETURN_IF_ERROR(internal::CheckFileKind(
        record, header::kFileKind, header::kCodeDivision,
        is_notice ? internal::kNotice : internal::kStatement, "account statements"));
    const HeaderFields& fields = is_notice ? kNoticeHeader : kStatementHeader;
    AccountStatement statement;
    statement.kind = is_notice ? StatementKind::kIncomingTransfers : StatementKind::kMovements;
    KESSAI_ASSIGN_OR_RETURN(statement.made, ReadDate(record, header::kMade, years));
    KESSAI_ASSIGN_OR_RETURN(statement.first, ReadDate(record, header::kFirstDay, years));
    KESSAI_ASSIGN_OR_RETURN(statement.last, ReadDate(record, header::kLastDay, years));
    KESSAI_ASSIGN_OR_RETURN(statement.bank_code, record.Digits(header::kBankCode));
    KESSAI_ASSIGN_OR_RETURN(statement.branch_code, record.Digits(header::kBranchCode));
    KESSAI_ASSIGN_OR_RETURN(statement.type, internal::ReadAccountType(record, fields.account_type,
                                                                      fields.account_types));
    KESSAI_ASSIGN_OR_RETURN(statement.number, record.Digits(fields.account_number));
    KESSAI_ASSIGN_OR_RETURN(statement.holder, ReadText(record, fields.holder));
    if (is_notice) return statement;
    KESSAI_ASSIGN_OR_RETURN(statement.opening,
                            ReadBalance(record, header::kBelowZero, header::kBalance));
    return statement;
}

/// Whether the money came in, and how much: what the trailer sums up.
struct Movement {
    bool is_credit = false;
    Money amount = {};
};

Result<Movement> ReadMovement(const Record& record) {
    const std::string_view direction = record.Bytes(data::kDirection);
    if (direction != "1" && direction != "2") {
        return record.Malformed(data::kDirection, "is neither 1 nor 2");
    }
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t amount, record.Number(data::kAmount));
    return Movement{direction == "1", Yen(amount)};
}

/// フォーマットB has 24 digits where A has the EDI text and, behind it, spaces.
bool IsOfFormatB(const Record& record) {
    return internal::AreDigits(record.Bytes(notice_data::kLongAmount)) &&
           internal::AreDigits(record.Bytes(notice_data::kLongOthersCheques));
}

Result<Movement> ReadTransfer(const Record& record) {
    const std::string_view cancelled = record.Bytes(notice_data::kCancelled);
    if (cancelled != "0" && cancelled != "1" && cancelled != " ") {
        return record.Malformed(notice_data::kCancelled, "is neither 0 nor 1");
    }
    KESSAI_ASSIGN_OR_RETURN(std::int64_t amount, record.Number(notice_data::kAmount));
    if (IsOfFormatB(record)) {
        KESSAI_ASSIGN_OR_RETURN(const std::int64_t longer, record.Number(notice_data::kLongAmount));
        if (amount != 0 && longer != 0) {
            return record.Malformed(notice_data::kLongAmount,
                                    "is given, and so is the amount of ten digits");
        }
        amount += longer;
    }
    return Movement{cancelled != "1", Yen(amount)};
}

Result<StatementEntry> ReadEntry(const Record& record, StatementYears years) {
    StatementEntry entry;
    entry.record = record.number();
    KESSAI_ASSIGN_OR_RETURN(entry.inquiry_number, record.Digits(data::kInquiryNumber));
    KESSAI_ASSIGN_OR_RETURN(entry.booked, ReadDate(record, data::kBooked, years));
    KESSAI_ASSIGN_OR_RETURN(entry.moved, ReadDate(record, data::kMoved, years));
    KESSAI_ASSIGN_OR_RETURN(const Movement movement, ReadMovement(record));
    entry.is_credit = movement.is_credit;
    entry.amount = movement.amount;
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t kind, record.Number(data::kTradeKind));
    entry.trade_kind = static_cast<int>(kind);
    KESSAI_ASSIGN_OR_RETURN(entry.originator_code, ReadText(record, data::kOriginatorCode));
    KESSAI_ASSIGN_OR_RETURN(entry.originator_name, ReadText(record, data::kOriginatorName));
    KESSAI_ASSIGN_OR_RETURN(entry.sending_bank, ReadText(record, data::kSendingBank));
    KESSAI_ASSIGN_OR_RETURN(entry.sending_branch, ReadText(record, data::kSendingBranch));
    KESSAI_ASSIGN_OR_RETURN(entry.summary, ReadText(record, data::kSummary));
    KESSAI_ASSIGN_OR_RETURN(entry.edi_text, ReadText(record, data::kEdiText));
    return entry;
}

Result<StatementEntry> ReadNoticeEntry(const Record& record, StatementYears years) {
    constexpr int kTransfer = 11;
    StatementEntry entry;
    entry.record = record.number();
    entry.trade_kind = kTransfer;
    KESSAI_ASSIGN_OR_RETURN(entry.inquiry_number, ReadText(record, notice_data::kInquiryNumber));
    KESSAI_ASSIGN_OR_RETURN(entry.booked, ReadDate(record, notice_data::kBooked, years));
    KESSAI_ASSIGN_OR_RETURN(entry.moved, ReadDate(record, notice_data::kValueDay, years));
    KESSAI_ASSIGN_OR_RETURN(const Movement transfer, ReadTransfer(record));
    entry.is_credit = transfer.is_credit;
    entry.is_cancellation = !transfer.is_credit;
    entry.amount = transfer.amount;
    KESSAI_ASSIGN_OR_RETURN(entry.originator_code, ReadText(record, notice_data::kOriginatorCode));
    KESSAI_ASSIGN_OR_RETURN(entry.originator_name, ReadText(record, notice_data::kOriginatorName));
    KESSAI_ASSIGN_OR_RETURN(entry.sending_bank, ReadText(record, notice_data::kSendingBank));
    KESSAI_ASSIGN_OR_RETURN(entry.sending_branch, ReadText(record, notice_data::kSendingBranch));
    KESSAI_ASSIGN_OR_RETURN(
        entry.edi_text,
        ReadText(record, IsOfFormatB(record) ? notice_data::kEdiTextOfB : notice_data::kEdiText));
    return entry;
}

struct Sums {
    std::int64_t count = 0;
    Money amount = Yen(0);

    Status Add(Money more) {
        ++count;
        KESSAI_ASSIGN_OR_RETURN(amount, amount.Add(more));
        return OkStatus();
    }
};

/// What the trailer says of one side beyond `sums`. While every record's amount is known
/// (`unread` is 0) that must be nothing; otherwise at most `unread` records.
Result<Sums> CheckSums(const Record& record, const Field& count_field, const Field& amount_field,
                       const Sums& sums, std::int64_t unread) {
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t count, record.Number(count_field));
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t amount, record.Number(amount_field));
    const std::string but_for =
        unread == 0 ? "" : " but for " + std::to_string(unread) + " that can't be read";
    if (count < sums.count || count - sums.count > unread) {
        return Refuse(reason::kCountWrong, record.Where(count_field) + " is " +
                                               std::to_string(count) + ", the data records are " +
                                               std::to_string(sums.count) + but_for);
    }
    const bool amount_may_differ = count > sums.count;
    if (amount < sums.amount.minor() || (amount != sums.amount.minor() && !amount_may_differ)) {
        return Refuse(reason::kTotalWrong, record.Where(amount_field) + " is " +
                                               std::to_string(amount) +
                                               ", the data records sum to " +
                                               std::to_string(sums.amount.minor()) + but_for);
    }
    return Sums{count - sums.count, Yen(amount - sums.amount.minor())};
}

}  // namespace

/// Takes records in the order that a file has them.
struct StatementReader::Impl {
 public:
    Impl(StatementYears years, bool notices, StatementEvents events)
        : years_(years), notices_(notices), events_(std::move(events)) {}

    Status Take(std::string_view bytes) {
        return Guarded([&] { return stream_.Feed(bytes, take_); });
    }
    Status Finish() {
        return Guarded([&]() -> Status {
            KESSAI_RETURN_IF_ERROR(stream_.End(take_));
            closed_ = true;
            if (awaited_ == Awaited::kNothing) return OkStatus();
            return Refuse(reason::kFileIncomplete, "the file stops before its end record");
        });
    }

 private:
    enum class Awaited { kHeaderOrEnd, kDataOrTrailer, kNothing };

    template <class Step>
    Status Guarded(Step&& step) {
        if (closed_) {
            return Status(Code::kFailedPrecondition, reason::kReaderClosed,
                          "the file has ended or was refused");
        }
        Status status = step();
        closed_ = closed_ || !status.ok();
        return status;
    }

    Status TakeBytes(std::size_t number, std::string_view bytes, Status length) {
        ++records_;
        if (!length.ok()) return Break({.record = number, .why = std::move(length)});
        return Take(Record(number, bytes));
    }

    Status Take(const Record& record) {
        switch (record.kind()) {
            case '1': {
                KESSAI_RETURN_IF_ERROR(Expect(awaited_ == Awaited::kHeaderOrEnd, record));
                KESSAI_ASSIGN_OR_RETURN(statement_, ReadHeader(record, years_, notices_));
                ++accounts_;
                credits_ = {};
                debits_ = {};
                unread_ = 0;
                awaited_ = Awaited::kDataOrTrailer;
                return events_.header(statement_);
            }
            case '2':
                KESSAI_RETURN_IF_ERROR(Expect(awaited_ == Awaited::kDataOrTrailer, record));
                return TakeData(record);
            case '8':
                KESSAI_RETURN_IF_ERROR(Expect(awaited_ == Awaited::kDataOrTrailer, record));
                awaited_ = Awaited::kHeaderOrEnd;
                return TakeTrailer(record);
            case '9':
                KESSAI_RETURN_IF_ERROR(
                    Expect(awaited_ == Awaited::kHeaderOrEnd && accounts_ > 0, record));
                awaited_ = Awaited::kNothing;
                return TakeEnd(record);
            default:
                return Break(
                    {.record = record.number(), .why = internal::RecordKindUnknown(record)});
        }
    }

    static Status Expect(bool in_order, const Record& record) {
        if (in_order) return OkStatus();
        return Refuse(reason::kRecordOutOfOrder,
                      "record " + std::to_string(record.number()) + " of kind " + record.kind() +
                          " is not in its place: header, data and trailer of each account, an end");
    }

    bool IsNotice() const { return statement_.kind == StatementKind::kIncomingTransfers; }
    Sums& SideOf(bool is_credit) { return is_credit ? credits_ : debits_; }

    Status TakeData(const Record& record) {
        auto entry = IsNotice() ? ReadNoticeEntry(record, years_) : ReadEntry(record, years_);
        if (entry.ok()) {
            KESSAI_RETURN_IF_ERROR(SideOf(entry->is_credit).Add(entry->amount));
            return events_.entry(*std::move(entry));
        }
        BrokenRecord broken{.record = record.number(), .why = entry.status()};
        const auto movement = IsNotice() ? ReadTransfer(record) : ReadMovement(record);
        if (movement.ok()) {
            broken.amount = movement->is_credit ? movement->amount : Yen(-movement->amount.minor());
            KESSAI_RETURN_IF_ERROR(SideOf(movement->is_credit).Add(movement->amount));
        }
        return Break(std::move(broken));
    }

    /// Where a data record may be, it is taken for one: if it is not, the trailer tells.
    Status Break(BrokenRecord broken) {
        if (awaited_ != Awaited::kDataOrTrailer || !events_.broken) return broken.why;
        if (!broken.amount) ++unread_;
        return events_.broken(std::move(broken));
    }

    Status TakeTrailer(const Record& record) {
        UnreadSums unread{.credits = Yen(0), .debits = Yen(0)};
        KESSAI_RETURN_IF_ERROR(IsNotice() ? CheckNoticeSums(record, unread)
                                          : CheckStatementSums(record, unread));
        if (unread.credit_count + unread.debit_count != unread_) {
            return Refuse(reason::kCountWrong,
                          "record " + std::to_string(record.number()) + " has " +
                              std::to_string(unread.credit_count + unread.debit_count) +
                              " records more than could be read, there are " +
                              std::to_string(unread_));
        }
        return events_.trailer(statement_, unread);
    }

    Status CheckStatementSums(const Record& record, UnreadSums& unread) {
        KESSAI_ASSIGN_OR_RETURN(
            const Sums credits,
            CheckSums(record, trailer::kCreditCount, trailer::kCredits, credits_, unread_));
        KESSAI_ASSIGN_OR_RETURN(const Sums debits, CheckSums(record, trailer::kDebitCount,
                                                             trailer::kDebits, debits_, unread_));
        unread = {credits.count, credits.amount, debits.count, debits.amount};
        const std::int64_t records = credits_.count + debits_.count + unread_;
        KESSAI_ASSIGN_OR_RETURN(const std::int64_t count, record.Number(trailer::kCount));
        if (count != records) {
            return Refuse(reason::kCountWrong,
                          record.Where(trailer::kCount) + " is " + std::to_string(count) +
                              ", the data records are " + std::to_string(records));
        }
        KESSAI_ASSIGN_OR_RETURN(statement_.closing,
                                ReadBalance(record, trailer::kBelowZero, trailer::kBalance));
        Money closing = statement_.opening;
        for (const Money in : {credits_.amount, credits.amount}) {
            KESSAI_ASSIGN_OR_RETURN(closing, closing.Add(in));
        }
        for (const Money out : {debits_.amount, debits.amount}) {
            KESSAI_ASSIGN_OR_RETURN(closing, closing.Subtract(out));
        }
        if (closing == statement_.closing) return OkStatus();
        return Refuse(reason::kBalanceWrong,
                      record.Where(trailer::kBalance) + " is " +
                          std::to_string(statement_.closing.minor()) +
                          ", the opening balance and the data records make " +
                          std::to_string(closing.minor()));
    }

    /// Published descriptions leave open whether what was taken back counts among the transfers
    /// too, and its own sums may be blank: either is taken.
    Status CheckNoticeSums(const Record& record, UnreadSums& unread) {
        KESSAI_ASSIGN_OR_RETURN(const std::int64_t cancelled,
                                record.OptionalNumber(notice_trailer::kCancelledCount));
        KESSAI_ASSIGN_OR_RETURN(const std::int64_t cancelled_total,
                                record.OptionalNumber(notice_trailer::kCancelledTotal));
        Sums debits;
        if (cancelled != 0 || cancelled_total != 0) {
            KESSAI_ASSIGN_OR_RETURN(debits,
                                    CheckSums(record, notice_trailer::kCancelledCount,
                                              notice_trailer::kCancelledTotal, debits_, unread_));
        }
        const std::int64_t unread_transfers = unread_ - debits.count;
        auto credits = CheckSums(record, notice_trailer::kCount, notice_trailer::kTotal, credits_,
                                 unread_transfers);
        if (!credits.ok() || credits->count != unread_transfers) {
            Sums all = credits_;
            all.count += debits_.count + debits.count;
            KESSAI_ASSIGN_OR_RETURN(all.amount, all.amount.Add(debits_.amount));
            KESSAI_ASSIGN_OR_RETURN(all.amount, all.amount.Add(debits.amount));
            auto of_all = CheckSums(record, notice_trailer::kCount, notice_trailer::kTotal, all,
                                    unread_transfers);
            if (of_all.ok()) credits = std::move(of_all);
        }
        KESSAI_RETURN_IF_ERROR(credits);
        unread = {credits->count, credits->amount, debits.count, debits.amount};
        return OkStatus();
    }

    Status TakeEnd(const Record& record) const {
        // A notice's end has no counts.
        if (IsNotice()) return OkStatus();
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
        return check(end::kAccountCount, accounts, accounts_);
    }

    const StatementYears years_;
    const bool notices_;
    const StatementEvents events_;
    const RecordStream::TakeRecord take_ = [this](auto&&... record) {
        return TakeBytes(std::forward<decltype(record)>(record)...);
    };
    RecordStream stream_{internal::kStatementRecordSize};
    bool closed_ = false;
    Awaited awaited_ = Awaited::kHeaderOrEnd;
    AccountStatement statement_;
    /// Of the records whose amounts are known, broken ones too.
    Sums credits_;
    Sums debits_;
    /// Broken records whose amounts are not.
    std::int64_t unread_ = 0;
    std::size_t records_ = 0;
    std::size_t accounts_ = 0;
};

StatementReader::StatementReader(StatementYears years, StatementEvents events)
    : impl_(std::make_unique<Impl>(years, /*notices=*/true, std::move(events))) {}
StatementReader::~StatementReader() = default;
StatementReader::StatementReader(StatementReader&&) noexcept = default;
StatementReader& StatementReader::operator=(StatementReader&&) noexcept = default;

Status StatementReader::Take(std::string_view bytes) {
    return impl_->Take(bytes);
}

Status StatementReader::Finish() {
    return impl_->Finish();
}

bool AccountStatement::IsOf(const Account& account) const {
    constexpr std::size_t kNumberSize = 7;
    return bank_code == account.bank_code && branch_code == account.branch_code &&
           type == account.type && number.size() >= kNumberSize &&
           number.substr(number.size() - kNumberSize) == account.number &&
           number.find_first_not_of('0') >= number.size() - kNumberSize;
}

Result<std::vector<AccountStatement>> ReadAccountStatements(std::string_view bytes,
                                                            StatementYears years) {
    std::vector<AccountStatement> statements;
    StatementReader::Impl reader(years, /*notices=*/false,
                                 {.header =
                                      [&](const AccountStatement& header) {
                                          statements.push_back(header);
                                          return OkStatus();
                                      },
                                  .entry =
                                      [&](StatementEntry&& entry) {
                                          statements.back().entries.push_back(std::move(entry));
                                          return OkStatus();
                                      },
                                  .trailer =
                                      [&](const AccountStatement& complete, const UnreadSums&) {
                                          statements.back().closing = complete.closing;
                                          return OkStatus();
                                      }});
    KESSAI_RETURN_IF_ERROR(reader.Take(bytes));
    KESSAI_RETURN_IF_ERROR(reader.Finish());
    return statements;
}

}  // namespace kessai::zengin
