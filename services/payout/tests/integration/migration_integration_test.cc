// Goal: what older versions stored is what the newest one goes on from: balances, the tax of a
// cycle that was begun, transfers and issued statements.
// Method: a schema as a version left it, with its rows, written by SQL from its migrations; the
// rest of the migrations; then a day's release and a transfer by today's code.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "app/issue_statements.h"
#include "storage/migrations.h"
#include "storage/mysql_statement_store.h"
#include "storage/running_balances.h"
#include "tests/payout_fixture.h"
#include "tests/transfer_fixture.h"

namespace kessai::payout {
namespace {

using domain::MerchantId;
using testing::IsOkAnd;

const BusinessDate kOctober = Day(20261030);
const BusinessDate kNovember = Day(20261102);
const BusinessDate kToday = Day(20261103);

/// Up to a version of the service's own.
std::vector<mysql::MigrationSet> MigrationsTo(int version) {
    std::vector<mysql::MigrationSet> sets = AllMigrations();
    for (mysql::MigrationSet& set : sets) {
        if (set.name != storage::Migrations().name) continue;
        std::erase_if(set.migrations,
                      [&](const mysql::Migration& one) { return one.version > version; });
    }
    return sets;
}

// Merchant 7 was released two days of two cycles, of the first with a refund, and was paid; 8 one;
// 9 owes. In columns that all versions since the seventh have.
const char* const kRows[] = {
    R"sql(INSERT INTO payout_day (business_date, state, merchant_count, rounds, closed_at_us,
                                  marked_at_us)
          VALUES ('2026-10-30', 4, 3, 1, 1, 1), ('2026-11-02', 4, 1, 1, 1, 1))sql",
    R"sql(INSERT INTO release_round (business_date, round, deep, started_at_us, finished_at_us,
                                     merchant_count, held_back_count, gross, fee, tax, net)
          VALUES ('2026-10-30', 0, 0, 1, 1, 3, 0, 10000, 198, 19, 9783),
                 ('2026-11-02', 0, 0, 1, 1, 1, 0, 2000, 39, 3, 1958))sql",
    R"sql(INSERT INTO merchant_day_total (business_date, merchant_id, slot, tax_class, currency,
                                          gross, fee, item_count)
          VALUES ('2026-10-30', 7, 1, 2, 'JPY', 10000, 198, 2),
                 ('2026-10-30', 8, 1, 2, 'JPY', 500, 9, 1),
                 ('2026-10-30', 9, 2, 2, 'JPY', -500, -9, 1),
                 ('2026-11-02', 7, 1, 2, 'JPY', 2000, 39, 1))sql",
    R"sql(INSERT INTO merchant_day_part (business_date, merchant_id, slot, tax_class, part, gross,
                                         fee, item_count, payment_first, payment_last)
          VALUES ('2026-10-30', 7, -1, 2, 1, -1000, -20, 1, '2026-10-29', '2026-10-29'),
                 ('2026-10-30', 9, -1, 2, 1, -500, -9, 1, '2026-10-29', '2026-10-29'))sql",
    R"sql(INSERT INTO merchant_release (business_date, merchant_id, tax_class, round, currency,
                                        gross, fee, tax, net, item_count)
          VALUES ('2026-10-30', 7, 2, 0, 'JPY', 10000, 198, 19, 9783, 2),
                 ('2026-10-30', 8, 2, 0, 'JPY', 500, 9, 0, 491, 1),
                 ('2026-10-30', 9, 2, 0, 'JPY', -500, -9, 0, -491, 1),
                 ('2026-11-02', 7, 2, 0, 'JPY', 2000, 39, 3, 1958, 1))sql",
    R"sql(INSERT INTO merchant_account (merchant_id, moved_available, in_transit, bank_account)
          VALUES (7, -9000, 0, 1))sql",
    R"sql(INSERT INTO bank_account (merchant_id, version, bank_code, branch_code, account_type,
                                    account_number, holder_kana, bank_kana, branch_kana, put_by,
                                    put_at_us, confirmed_by, confirmed_at_us)
          VALUES (7, 1, '0001', '004', 1, '1234567', 'ﾐｾ', 'ﾐｽﾞﾎ', 'ﾏﾙﾉｳﾁﾁﾕｳｵｳ', 'aiko', 1, 'ken',
                  1))sql",
    R"sql(INSERT INTO payout (payout_id, merchant_id, request_key, on_demand, currency, amount, fee,
                              tax, requested_by, created_at_us)
          VALUES (1, 7, 'due:2026-10-30', 0, 'JPY', 9000, 0, 0, 'aiko', 1))sql",
    R"sql(INSERT INTO transfer (transfer_id, payout_id, attempt, merchant_id, bank_account,
                                transfer_date, amount, state, batch_id, requested_by,
                                created_at_us, changed_at_us)
          VALUES (2, 1, 1, 7, 1, '2026-10-30', 9000, 2, 3, 'aiko', 1, 1))sql",
    R"sql(INSERT INTO transfer_batch (batch_id, transfer_date, transfer_count, amount, created_by,
                                      created_at_us)
          VALUES (3, '2026-10-30', 1, 9000, 'aiko', 1))sql",
    R"sql(INSERT INTO merchant_journal (journal_id, business_date, merchant_id, kind, object_id,
                                        currency, amount, fee, tax, released, recorded_at_us)
          VALUES (1, '2026-10-31', 7, 1, 2, 'JPY', 9000, 0, 0, 9783, 1),
                 (2, '2026-10-31', 7, 2, 2, 'JPY', 9000, 0, 0, 9783, 1))sql",
    R"sql(UPDATE ledger_gate SET business_date = '2026-10-31', last_journal = 2,
                                 last_object = 3)sql",
    R"sql(INSERT INTO merchant_profile (merchant_id, version, invoice_name, put_by, put_at_us)
          VALUES (7, 1, '甲商店', 'aiko', 1))sql",
    R"sql(INSERT INTO merchant_statement (cycle_start, merchant_id, profile, issued_on, opening,
                                          closing, issued_by, issued_at_us)
          VALUES ('2026-10-01', 7, 1, '2026-11-01', 0, 783, 'aiko', 1))sql",
    R"sql(INSERT INTO merchant_statement_file (cycle_start, merchant_id, format, file_hash, content)
          VALUES ('2026-10-01', 7, 'csv', UNHEX(SHA2('as it was', 256)), 'as it was'))sql"};

// What the seventh kept beside the release rows, and dropped with the eighth.
constexpr char kCycles[] = R"sql(
    INSERT INTO merchant_cycle (cycle_start, merchant_id, tax_class, currency, gross, fee, tax, net)
    VALUES ('2026-10-01', 7, 2, 'JPY', 10000, 198, 19, 9783),
           ('2026-10-01', 8, 2, 'JPY', 500, 9, 0, 491),
           ('2026-10-01', 9, 2, 'JPY', -500, -9, 0, -491),
           ('2026-11-01', 7, 2, 'JPY', 2000, 39, 3, 1958))sql";

class MigrationTest : public ::testing::TestWithParam<int> {
 protected:
    MigrationTest()
        : schema_(testing::MysqlServer::Shared().CreateSchema()),
          session_(mysql::Session::Connect(schema_->options()).value()) {}

    void Run(const std::string& sql) {
        ASSERT_OK(session_->Execute(mysql::Query{"test.run", sql}).status()) << sql;
    }
    void LeaveRows(int version) {
        ASSERT_OK(mysql::Migrate(*session_, MigrationsTo(version)));
        for (const char* const rows : kRows) ASSERT_NO_FATAL_FAILURE(Run(rows));
        if (version == 7) return Run(kCycles);
        using domain::RunningBalance;
        const auto tax_class = static_cast<domain::TaxClass>(2);
        const std::vector<RunningBalance> balances{
            {MerchantId(7), tax_class, Day(20261101), 39, 9'783 + 1'958},
            {MerchantId(8), tax_class, Day(20261001), 9, 491},
            {MerchantId(9), tax_class, Day(20261001), -9, -491}};
        ASSERT_OK(storage::InsertBalances(
            *session_, kNovember, {domain::kLowestMerchant, domain::kHighestMerchant}, balances));
        ASSERT_OK(storage::TurnToBalancesOf(*session_, kNovember));
    }

    std::unique_ptr<testing::MysqlSchema> schema_;
    std::unique_ptr<mysql::Session> session_;
};

TEST_P(MigrationTest, BalancesAndCyclesGoOn) {
    ASSERT_NO_FATAL_FAILURE(LeaveRows(GetParam()));
    ASSERT_OK(mysql::Migrate(*session_, AllMigrations()));
    // What its last step did it does not do again.
    mysql::MigrationReport report;
    ASSERT_OK(mysql::Migrate(*session_, AllMigrations(), &report));
    EXPECT_THAT(report.applied, ::testing::IsEmpty());

    Payout payout(schema_->options());
    const auto available = [&](std::int64_t merchant) {
        const auto balance = payout.reader.FindBalance(MerchantId(merchant));
        EXPECT_OK(balance.status());
        return balance.ok() ? balance->available : -1;
    };
    EXPECT_EQ(available(7), 9'783 + 1'958 - 9'000);
    EXPECT_EQ(available(8), 491);
    EXPECT_EQ(available(9), -491);

    // A day of the cycle that was begun: of fees of 39 and 19 together the tax is 5, of which 3 was
    // taken already.
    ASSERT_TRUE(payout
                    .Deliver({Sale(1, 7, kToday, 1'000), Sale(2, 8, kToday, 700),
                              Sale(3, 9, kToday, 10'000)})
                    .empty());
    payout.Close(kToday);
    ASSERT_OK(payout.release_day.Run(kToday, /*deep=*/true).status());
    EXPECT_EQ(payout.Number("SELECT COUNT(*) FROM merchant_hold"), 0);
    EXPECT_EQ(payout.Number("SELECT tax FROM merchant_release WHERE business_date = '2026-11-03' "
                            "AND merchant_id = 7"),
              2);
    EXPECT_EQ(available(7), 9'783 + 1'958 - 9'000 + 1'000 - 19 - 2);
    EXPECT_EQ(available(8), 491 + 700 - 13 - 1);
    EXPECT_EQ(available(9), -491 + 10'000 - 198 - 19);

    // All of it is paid, behind what was paid before.
    const ManualClock clock(kToday.At(std::chrono::hours(10)));
    Transfers transfers(payout.pool, clock);
    ASSERT_OK_AND_ASSIGN(const auto paid, transfers.request.OnDemand(MerchantId(7), "all", "aiko"));
    EXPECT_EQ(paid.payout.amounts.amount, 9'783 + 1'958 - 9'000 + 1'000 - 19 - 2);
    EXPECT_EQ(available(7), 0);
    EXPECT_EQ(payout.Number("SELECT released FROM merchant_journal WHERE journal_id = 3"),
              9'783 + 1'958 + 1'000 - 19 - 2);
    EXPECT_GT(paid.payout.id.value(), 3);
    ASSERT_OK_AND_ASSIGN(const auto before, transfers.reader.FindPayout(domain::PayoutId(1)));
    ASSERT_EQ(before.transfers.size(), 1u);
    EXPECT_EQ(before.transfers[0].state, domain::TransferState::kSettled);
    // What was told of it is told again as it was then.
    EXPECT_THAT(transfers.republish.Run(
                    std::vector<app::EventName>{{domain::EventObjectOf(domain::TransferId(2)), 1},
                                                {domain::EventObjectOf(domain::TransferId(2)), 2},
                                                {domain::EventObjectOf(domain::TransferId(2)), 3}}),
                IsOkAnd(3));
}

// Goal: a statement that was issued is the first version of it, byte for byte, and says what the
// rows still say.
TEST_P(MigrationTest, IssuedStatementsStay) {
    ASSERT_NO_FATAL_FAILURE(LeaveRows(GetParam()));
    ASSERT_OK(mysql::Migrate(*session_, AllMigrations()));
    Payout payout(schema_->options());
    const ManualClock clock(kToday.At(std::chrono::hours(10)));
    Transfers transfers(payout.pool, clock);
    storage::MysqlStatementStore store(payout.pool, clock);
    app::IssueStatements statements({}, transfers.store, store, {}, domain::TaxTable::Japan());
    ASSERT_OK_AND_ASSIGN(const auto view, statements.Show(MerchantId(7), Day(20261001)));
    ASSERT_TRUE(view.issued.has_value());
    EXPECT_EQ(view.issued->version, 1);
    EXPECT_EQ(view.paper.number, "202610-7");
    EXPECT_EQ(view.paper.statement.closing, 783);
    EXPECT_EQ(view.paper.statement.sums.days.returns, -1'000);
    EXPECT_FALSE(view.paper.corrects.has_value());
    ASSERT_OK_AND_ASSIGN(const auto file, store.FindFile(MerchantId(7), Day(20261001), 1, "csv"));
    ASSERT_TRUE(file.has_value());
    EXPECT_EQ(file->content, "as it was");
    EXPECT_EQ(domain::HashOf(file->content), file->hash);
}

INSTANTIATE_TEST_SUITE_P(Since, MigrationTest, ::testing::Values(7, 8, 9, 10),
                         [](const ::testing::TestParamInfo<int>& version) {
                             return "V" + std::to_string(version.param);
                         });

}  // namespace
}  // namespace kessai::payout
