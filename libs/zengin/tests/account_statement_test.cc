#include "kessai/zengin/account_statement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>

#include "kessai/testing/matchers.h"
#include "kessai/zengin/testing/statement_records.h"
#include "kessai/zengin/transfer_file.h"

namespace kessai::zengin {
namespace {

using ::testing::HasSubstr;
using testing::Refuses;

constexpr std::size_t kRecordSize = 200;

BusinessDate Day(std::string_view text) {
    return BusinessDate::Parse(text).value();
}

/// Two movements of one account: 1,000,000 − 25,300 + 300.
std::string Good(std::string_view line_end = "") {
    StatementRecords records;
    records.Header("0001", "004", "1", "0007654321", 1'000'000);
    records.Entry(/*credit=*/false, 25'300, "ｿｳｺﾞｳﾌﾘｺﾐ", "");
    records.Entry(/*credit=*/true, 300, "ﾌﾘｺﾐﾌﾉｳ", "00000000010000001043");
    records.Trailer();
    return records.End(line_end);
}

/// `bytes` with `text` from `position` (1 to 200) of record `number` (from 1) on.
std::string WithAt(std::string bytes, std::size_t number, std::size_t position,
                   std::string_view text) {
    return bytes.replace((number - 1) * kRecordSize + position - 1, text.size(), text);
}

TEST(AccountStatementTest, AFileIsRead) {
    for (const std::string_view line_end : {"", "\n", "\r\n"}) {
        ASSERT_OK_AND_ASSIGN(const auto statements,
                             ReadAccountStatements(Good(line_end), StatementYears::kReiwa));
        ASSERT_EQ(statements.size(), 1u);
        const AccountStatement& statement = statements[0];
        EXPECT_EQ(statement.bank_code, "0001");
        EXPECT_EQ(statement.branch_code, "004");
        EXPECT_EQ(statement.number, "0007654321");
        EXPECT_EQ(statement.holder, "ｶ)ｹﾂｻｲ");
        EXPECT_EQ(statement.made, Day("2026-11-30"));
        EXPECT_EQ(statement.opening, Yen(1'000'000));
        EXPECT_EQ(statement.closing, Yen(975'000));
        ASSERT_EQ(statement.entries.size(), 2u);
        EXPECT_FALSE(statement.entries[0].is_credit);
        EXPECT_EQ(statement.entries[0].amount, Yen(25'300));
        EXPECT_EQ(statement.entries[0].summary, "ｿｳｺﾞｳﾌﾘｺﾐ");
        const StatementEntry& returned = statement.entries[1];
        EXPECT_EQ(returned.record, 3u);
        EXPECT_TRUE(returned.is_credit);
        EXPECT_EQ(returned.booked, Day("2026-11-30"));
        EXPECT_EQ(returned.trade_kind, 11);
        EXPECT_EQ(returned.amount, Yen(300));
        EXPECT_EQ(returned.summary, "ﾌﾘｺﾐﾌﾉｳ");
        EXPECT_EQ(returned.edi_text, "00000000010000001043");
    }
}

TEST(AccountStatementTest, YearsAreOfReiwaOrWestern) {
    std::string western = Good();
    for (std::size_t record = 1; record <= 3; ++record) {
        for (const std::size_t at : {5u, 11u, 17u}) {
            if (record == 1) western = WithAt(western, record, at, "261130");
        }
        if (record > 1)
            western = WithAt(WithAt(western, record, 10, "261130"), record, 16, "261130");
    }
    ASSERT_OK_AND_ASSIGN(const auto read, ReadAccountStatements(western, StatementYears::kWestern));
    EXPECT_EQ(read[0].first, Day("2026-11-30"));
    EXPECT_EQ(read[0].entries[0].booked, Day("2026-11-30"));
    ASSERT_OK_AND_ASSIGN(const auto later, ReadAccountStatements(western, StatementYears::kReiwa));
    EXPECT_EQ(later[0].first, Day("2044-11-30"));
}

TEST(AccountStatementTest, SeveralAccountsAndDaysWithoutEntries) {
    StatementRecords records;
    records.Header("0001", "004", "1", "0007654321", -500);
    records.Trailer();
    records.Header("0005", "001", "2", "0000000123", 0);
    records.Entry(true, 9, "ﾘｿｸ", "");
    records.Trailer();
    ASSERT_OK_AND_ASSIGN(const auto statements,
                         ReadAccountStatements(records.End(), StatementYears::kReiwa));
    ASSERT_EQ(statements.size(), 2u);
    EXPECT_EQ(statements[0].closing, Yen(-500));
    EXPECT_TRUE(statements[0].entries.empty());
    EXPECT_EQ(statements[1].type, AccountType::kCurrent);
    EXPECT_EQ(statements[1].closing, Yen(9));
}

TEST(AccountStatementTest, AnAccountIsKnownByItsNumbers) {
    AccountStatement statement;
    statement.bank_code = "0001";
    statement.branch_code = "004";
    statement.number = "0007654321";
    const Account account{"0001", "004", AccountType::kOrdinary, "7654321", {}};
    EXPECT_TRUE(statement.IsOf(account));
    Account other = account;
    other.number = "7654322";
    EXPECT_FALSE(statement.IsOf(other));
    other = account;
    other.type = AccountType::kCurrent;
    EXPECT_FALSE(statement.IsOf(other));
    other = account;
    other.branch_code = "005";
    EXPECT_FALSE(statement.IsOf(other));
    statement.number = "1007654321";
    EXPECT_FALSE(statement.IsOf(account));
}

// Goal: what is not as described is refused as a whole, by name, with its place.
TEST(AccountStatementTest, AnythingElseIsRefused) {
    const std::string good = Good();
    const auto record = [&](std::size_t n) {
        return good.substr((n - 1) * kRecordSize, kRecordSize);
    };
    const struct {
        std::string bytes;
        std::string_view reason;
        std::string_view says;
    } bad[] = {
        {"", reason::kFileIncomplete, "before its end"},
        {good.substr(0, 4 * kRecordSize), reason::kFileIncomplete, "before its end"},
        {good.substr(0, good.size() - 1), reason::kRecordLengthWrong,
         "record 5 has 199 bytes, not 200"},
        {good + "\n\n", reason::kRecordLengthWrong, "record 6"},
        {record(1) + record(5), reason::kRecordOutOfOrder, "record 2 of kind 9"},
        {record(5), reason::kRecordOutOfOrder, "record 1 of kind 9"},
        {record(2) + good, reason::kRecordOutOfOrder, "record 1 of kind 2"},
        {good + record(5), reason::kRecordOutOfOrder, "record 6 of kind 9"},
        {record(1) + good, reason::kRecordOutOfOrder, "record 2 of kind 1"},
        {WithAt(good, 2, 1, "3"), reason::kRecordKindUnknown, "record 2"},
        {WithAt(good, 1, 2, "01"), reason::kFileKindWrong, "account statements"},
        {WithAt(good, 1, 4, "1"), reason::kCodeDivisionUnsupported, "EBCDIC"},
        {WithAt(good, 1, 4, "2"), reason::kFieldMalformed, "neither 0 nor 1"},
        {WithAt(good, 1, 5, "081131"), reason::kFieldMalformed, "作成日"},
        {WithAt(good, 1, 23, "000A"), reason::kFieldMalformed, "銀行コード"},
        {WithAt(good, 1, 63, "3"), reason::kAccountTypeUnknown, "預金種目"},
        {WithAt(good, 1, 114, "0"), reason::kFieldMalformed, "貸越区分"},
        {WithAt(good, 1, 74, "\x80"), reason::kFieldMalformed, "口座名"},
        {WithAt(good, 2, 10, "081301"), reason::kFieldMalformed, "勘定日"},
        {WithAt(good, 2, 22, "0"), reason::kFieldMalformed, "入払区分"},
        {WithAt(good, 2, 25, "00000002530 "), reason::kFieldMalformed, "取引金額"},
        {WithAt(good, 3, 160, "\xE0"), reason::kFieldMalformed, "摘要内容"},
        {WithAt(good, 4, 2, "000002"), reason::kCountWrong, "入金件数"},
        {WithAt(good, 4, 8, "0000000000301"), reason::kTotalWrong, "入金額合計"},
        {WithAt(good, 4, 21, "000000"), reason::kCountWrong, "出金件数"},
        {WithAt(good, 4, 27, "0000000025301"), reason::kTotalWrong, "出金額合計"},
        {WithAt(good, 4, 41, "00000000975001"), reason::kBalanceWrong, "975000"},
        {WithAt(good, 4, 40, "2"), reason::kBalanceWrong, "-975000"},
        {WithAt(good, 4, 55, "0000003"), reason::kCountWrong, "データ・レコード件数"},
        {WithAt(good, 5, 2, "0000000006"), reason::kCountWrong, "レコード総件数"},
        {WithAt(good, 5, 12, "00002"), reason::kCountWrong, "口座数"},
    };
    for (const auto& [bytes, reason, says] : bad) {
        const auto read = ReadAccountStatements(bytes, StatementYears::kReiwa);
        ASSERT_THAT(read, Refuses(Code::kInvalidArgument, reason)) << says;
        EXPECT_THAT(std::string(read.status().message()), HasSubstr(says));
    }
}

// Goal: whatever bytes come, reading ends with a result or a refusal by name; and one that is
// read has sums that fit its balances.
TEST(AccountStatementTest, DamagedFilesAreReadOrRefused) {
    const std::string good = Good("\n");
    std::mt19937_64 random(20261130);  // NOLINT: the same each time
    int read_count = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string bytes = good;
        for (std::uint64_t n = 1 + random() % 3; n > 0; --n) {
            bytes[random() % bytes.size()] = static_cast<char>(random() % 256);
        }
        if (random() % 8 == 0) bytes.resize(random() % bytes.size());
        const auto read = ReadAccountStatements(bytes, StatementYears::kReiwa);
        if (!read.ok()) {
            EXPECT_EQ(read.status().code(), Code::kInvalidArgument);
            EXPECT_FALSE(read.status().reason().empty());
            continue;
        }
        ++read_count;
        for (const AccountStatement& statement : *read) {
            std::int64_t balance = statement.opening.minor();
            for (const StatementEntry& entry : statement.entries) {
                balance += entry.is_credit ? entry.amount.minor() : -entry.amount.minor();
            }
            EXPECT_EQ(balance, statement.closing.minor());
        }
    }
    // Damage of fillers and texts is none.
    EXPECT_GT(read_count, 1'000);
}

}  // namespace
}  // namespace kessai::zengin
