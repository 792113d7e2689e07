#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/money/money.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "kessai/zengin/account.h"

/// The statement of an account (入出金取引明細, 種別コード 03), and the notice of what was
/// transferred to it (振込入金通知, 01), in the Japanese Bankers Association's standard record
/// format: records of 200 bytes; for each account one header (1), data records (2) and one trailer
/// (8), behind all of them one end (9). README.md has every field's position, and the sources.
namespace kessai::zengin {

namespace reason {
// Of this reader, INVALID_ARGUMENT, beside those of ReadTransferFile.
/// Opening balance and entries do not make the closing balance.
inline constexpr std::string_view kBalanceWrong = "STATEMENT_BALANCE_WRONG";
/// FAILED_PRECONDITION: more bytes behind Finish() or a refusal.
inline constexpr std::string_view kReaderClosed = "STATEMENT_READER_CLOSED";
}  // namespace reason

/// What the two digits of a year count. The format says 和暦, and banks give either.
enum class StatementYears : std::uint8_t {
    /// Years of Reiwa: 08 is 2026.
    kReiwa,
    /// The year's last two digits: 26 is 2026.
    kWestern,
};

enum class StatementKind : std::uint8_t {
    /// 入出金取引明細: what came in and went out, with balances.
    kMovements,
    /// 振込入金通知: transfers that came in, without balances. Its account numbers have seven
    /// digits, of its texts there is no summary.
    kIncomingTransfers,
};

/// One movement. Texts are UTF-8, with half-width kana as the bank has them, without the spaces
/// that fill a field up.
struct StatementEntry {
    /// Of the data record in the file, from 1.
    std::size_t record = 0;
    /// 照会番号, digits; in a notice it may be empty.
    std::string inquiry_number = {};
    /// 勘定日.
    BusinessDate booked = {};
    /// 預入・払出日; in a notice 起算日.
    BusinessDate moved = {};
    /// Into the account (入金).
    bool is_credit = false;
    /// Of a notice: the bank takes a transfer back (取消区分 1), so it is no credit.
    bool is_cancellation = false;
    /// 取引区分: 10 cash, 11 transfer, 14 account transfer, 18 other, 19 correction and others.
    int trade_kind = 0;
    /// Above zero; zero of a correction that only tells.
    Money amount = {};
    std::string originator_code = {};
    std::string originator_name = {};
    std::string sending_bank = {};
    std::string sending_branch = {};
    /// 摘要内容.
    std::string summary = {};
    /// EDI情報.
    std::string edi_text = {};

    bool operator==(const StatementEntry&) const = default;
};

/// Of one account over some days.
struct AccountStatement {
    StatementKind kind = StatementKind::kMovements;
    std::string bank_code = {};    // four digits
    std::string branch_code = {};  // three digits
    AccountType type = AccountType::kOrdinary;
    std::string number = {};  // ten digits, zeros before those of a shorter number
    std::string holder = {};
    BusinessDate made = {};
    BusinessDate first = {};
    BusinessDate last = {};
    Money opening = {};
    Money closing = {};
    std::vector<StatementEntry> entries = {};

    /// Whether it is of `account`, by its numbers.
    bool IsOf(const Account& account) const;
};

/// A data record that could not be read.
struct BrokenRecord {
    std::size_t record = 0;
    /// INVALID_ARGUMENT: RECORD_LENGTH_WRONG, RECORD_KIND_UNKNOWN or FIELD_MALFORMED.
    Status why = {};
    /// Into the account, or below zero out of it; none if either can't be read.
    std::optional<Money> amount = {};
};

/// What a statement's trailer has beyond the records that could be read: of the broken records
/// whose amounts could not be. All zero if there are none. Money is never below zero.
struct UnreadSums {
    std::int64_t credit_count = 0;
    Money credits = {};
    std::int64_t debit_count = 0;
    Money debits = {};

    bool operator==(const UnreadSums&) const = default;
};

/// Told in the order of the file. What one of them refuses with, the reader refuses with.
struct StatementEvents {
    /// Without entries, and closing balance.
    std::function<Status(const AccountStatement&)> header = {};
    std::function<Status(StatementEntry&&)> entry = {};
    std::function<Status(BrokenRecord&&)> broken = {};
    /// The statement is complete and its sums are checked.
    std::function<Status(const AccountStatement&, const UnreadSums&)> trailer = {};
};

/// Reads statements and notices from pieces of any size, in constant memory, and goes on behind
/// data records that are broken. Everything else refuses the file, INVALID_ARGUMENT with the
/// reasons of ReadAccountStatements. The trailer's counts, sums and balances must be those of the
/// records; a broken record counts with its amount if that can be read, otherwise as one of either
/// side with any amount. What was told of a file is worth something only when Finish() says so.
class StatementReader {
 public:
    StatementReader(StatementYears years, StatementEvents events);
    ~StatementReader();
    StatementReader(StatementReader&&) noexcept;
    StatementReader& operator=(StatementReader&&) noexcept;

    Status Take(std::string_view bytes);
    Status Finish();

    struct Impl;

 private:
    std::unique_ptr<Impl> impl_;
};

/// Reads a whole file, or refuses all of it, INVALID_ARGUMENT with the record and the bytes: the
/// reasons of ReadTransferFile, and STATEMENT_BALANCE_WRONG. Counts, sums and balances are checked.
/// What the format leaves open is not looked at: fillers, cheques, the kind of passbook. A notice
/// (01) is refused: it has no balances.
Result<std::vector<AccountStatement>> ReadAccountStatements(std::string_view bytes,
                                                            StatementYears years);

}  // namespace kessai::zengin
