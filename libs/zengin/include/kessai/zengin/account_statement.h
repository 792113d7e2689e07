#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/money/money.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "kessai/zengin/account.h"

/// The statement of an account (入出金取引明細, 種別コード 03) in the Japanese Bankers
/// Association's standard record format: records of 200 bytes; for each account one header (1),
/// data records (2) and one trailer (8), behind all of them one end (9). README.md has every
/// field's position, and the sources.
namespace kessai::zengin {

namespace reason {
// Of this reader, INVALID_ARGUMENT, beside those of ReadTransferFile.
/// Opening balance and entries do not make the closing balance.
inline constexpr std::string_view kBalanceWrong = "STATEMENT_BALANCE_WRONG";
}  // namespace reason

/// What the two digits of a year count. The format says 和暦, and banks give either.
enum class StatementYears : std::uint8_t {
    /// Years of Reiwa: 08 is 2026.
    kReiwa,
    /// The year's last two digits: 26 is 2026.
    kWestern,
};

/// One movement. Texts are UTF-8, with half-width kana as the bank has them, without the spaces
/// that fill a field up.
struct StatementEntry {
    /// Of the data record in the file, from 1.
    std::size_t record = 0;
    /// 照会番号, digits.
    std::string inquiry_number = {};
    /// 勘定日.
    BusinessDate booked = {};
    /// 預入・払出日.
    BusinessDate moved = {};
    /// Into the account (入金).
    bool is_credit = false;
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

/// Reads a whole file, or refuses all of it, INVALID_ARGUMENT with the record and the bytes: the
/// reasons of ReadTransferFile, and STATEMENT_BALANCE_WRONG. Counts, sums and balances are checked.
/// What the format leaves open is not looked at: fillers, cheques, the kind of passbook.
Result<std::vector<AccountStatement>> ReadAccountStatements(std::string_view bytes,
                                                            StatementYears years);

}  // namespace kessai::zengin
