#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "kessai/event/envelope.h"
#include "kessai/testing/eventually.h"
#include "kessai/testing/process.h"
#include "kessai/testing/temp_dir.h"
#include "tests/payout_fixture.h"
#include "tests/reference.h"

namespace kessai::payout {
namespace {

using domain::MerchantId;
using testing::Refuses;

const BusinessDate kDay = Day(20261122);

domain::PlanBook DefaultPlanBook() {
    domain::FeePlan plan;
    plan.id = domain::PlanId(1);
    plan.version = 1;
    plan.terms.rate_basis_points = 198;
    plan.effective_from = Day(20200101);
    domain::PlanBook book;
    book.Add(plan);
    return book;
}

const std::string kLedger =
    "SELECT CONCAT_WS(',', business_date, merchant_id, tax_class, gross, fee, tax, net, "
    "item_count) FROM merchant_release ORDER BY business_date, merchant_id, tax_class";
const std::string kBalances =
    "SELECT CONCAT_WS(',', business_date, merchant_first, merchant_last, HEX(balances)) "
    "FROM running_balance ORDER BY business_date, merchant_first";

class ReleaseTest : public PayoutTest {
 protected:
    std::vector<std::string> Rows(const std::string& sql) {
        std::vector<std::string> texts;
        auto session = payout_->pool.Acquire(std::chrono::seconds(5));
        EXPECT_OK(session.status());
        auto rows = (*session)->Select(mysql::Query{"test.rows", sql});
        EXPECT_OK(rows.status());
        while (rows.ok() && rows->Next()) texts.push_back(rows->Text(0));
        return texts;
    }
    std::int64_t Events() {
        return payout_->Number("SELECT COALESCE(SUM(entry_count), 0) FROM outbox");
    }
    std::map<std::int64_t, domain::HoldReason> HeldOf(BusinessDate day) {
        std::map<std::int64_t, domain::HoldReason> held;
        auto list = payout_->reader.ListHeldBack(day);
        EXPECT_OK(list.status());
        for (const auto& merchant : *list) held[merchant.merchant.value()] = merchant.reason;
        return held;
    }
};

// Goal: each released merchant gets gross − fee − tax, the taxes of a cycle sum to its invoice, and
// the balance is what was released; whatever the trade.
// Method: a random week of trade over a month's end, released day by day, against the reference.
TEST_F(ReleaseTest, DaysAreReleasedToTheYen) {
    Seeded random;
    const BusinessDate first = Day(20261128);
    constexpr int kDays = 6;
    const auto changes = RandomTrade(random, 500, 10, 10'000, first, kDays);
    ASSERT_TRUE(payout_->Deliver(changes, 50).empty());
    const auto totals = ReferenceTotals(ReferenceAccruals(changes, DefaultPlanBook()));
    for (int i = 0; i < kDays; ++i) {
        const BusinessDate day = first.PlusDays(i);
        payout_->Close(day);
        payout_->DrainOutbox();
        ASSERT_OK_AND_ASSIGN(const auto sums, payout_->release_day.Run(day, i % 2 == 0));
        EXPECT_EQ(sums.held_back_count, 0);
        EXPECT_EQ(sums.net, sums.gross - sums.fee - sums.tax);
        EXPECT_EQ(Events(), 1);
    }

    std::map<std::pair<BusinessDate, MerchantId>, std::int64_t> invoice_fees;
    std::map<MerchantId, std::int64_t> net;
    for (const auto& [where, sums] : totals) {
        invoice_fees[{domain::CycleStart(where.first), where.second}] += sums.fee;
        net[where.second] += sums.gross - sums.fee;
        ASSERT_OK_AND_ASSIGN(const auto day,
                             payout_->reader.FindMerchantDay(where.second, where.first));
        EXPECT_TRUE(day.released);
        EXPECT_EQ(day.sums, sums);
        EXPECT_EQ(day.net, sums.gross - sums.fee - day.tax);
    }
    for (const auto& [cycle, fees] : invoice_fees) {
        const std::int64_t tax = domain::InvoiceTax(
            domain::TaxTable::Japan().RateOf(domain::TaxClass::kStandard10), fees);
        EXPECT_EQ(
            payout_->Number("SELECT SUM(tax) FROM merchant_release WHERE business_date "
                            "BETWEEN '" +
                            cycle.first.ToString() + "' AND LAST_DAY('" + cycle.first.ToString() +
                            "') AND merchant_id = " + cycle.second.ToString()),
            tax);
        net[cycle.second] -= tax;
    }
    for (const auto& [merchant, expected] : net) {
        ASSERT_OK_AND_ASSIGN(const auto balance, payout_->reader.FindBalance(merchant));
        EXPECT_EQ(balance.available, expected) << merchant.ToString();
        EXPECT_EQ(balance.pending, 0);
    }
}

TEST_F(ReleaseTest, PendingBecomesAvailable) {
    ASSERT_TRUE(
        payout_->Deliver({Sale(1, 7, kDay, 10'000), Sale(2, 7, kDay.Next(), 5'000)}).empty());
    ASSERT_OK_AND_ASSIGN(auto balance, payout_->reader.FindBalance(MerchantId(7)));
    // 10,000 − 198 − 19, and 5,000 − 99 − 10: the cycle's 297 of fees have 29 of tax.
    EXPECT_EQ(balance.pending, 9'783 + 4'891);
    EXPECT_EQ(balance.available, 0);
    payout_->Close(kDay);
    ASSERT_OK(payout_->release_day.Run(kDay, false).status());
    ASSERT_OK_AND_ASSIGN(balance, payout_->reader.FindBalance(MerchantId(7)));
    EXPECT_EQ(balance.available, 9'783);
    EXPECT_EQ(balance.pending, 4'891);
    EXPECT_THAT(payout_->reader.FindBalance(MerchantId(8)),
                Refuses(Code::kNotFound, "MERCHANT_UNKNOWN"));
}

// Goal: a second run changes nothing.
TEST_F(ReleaseTest, SecondRunChangesNothing) {
    Seeded random;
    ASSERT_TRUE(payout_->Deliver(RandomTrade(random, 100, 10, 10'000, kDay, 1)).empty());
    payout_->Close(kDay);
    payout_->DrainOutbox();
    ASSERT_OK_AND_ASSIGN(const auto first, payout_->release_day.Run(kDay, false));
    const auto ledger = Rows(kLedger);
    const auto balances = Rows(kBalances);
    ASSERT_OK_AND_ASSIGN(const auto second, payout_->release_day.Run(kDay, true));
    EXPECT_EQ(first, second);
    EXPECT_EQ(Rows(kLedger), ledger);
    EXPECT_EQ(Rows(kBalances), balances);
    EXPECT_EQ(Events(), 1);
}

// Goal: a day without trade is released too.
TEST_F(ReleaseTest, EmptyDayIsReleased) {
    payout_->Close(kDay);
    payout_->DrainOutbox();
    ASSERT_OK_AND_ASSIGN(const auto sums, payout_->release_day.Run(kDay, false));
    EXPECT_EQ(sums, domain::ReleaseSums());
    EXPECT_EQ(payout_->reader.FindDay(kDay)->state, domain::DayState::kReleased);
    EXPECT_EQ(Events(), 1);
}

// Goal: exactly the merchants whose rows differ are held back; repaired, they alone are released in
// a further round, with an event of its own.
// Method: every kind of damage to rows, each on its own merchant, made by SQL after the close.
TEST_F(ReleaseTest, DifferingMerchantsAreHeldBackAndReleasedWhenRepaired) {
    std::vector<domain::PaymentChange> changes;
    for (std::int64_t i = 0; i < 200; ++i)
        changes.push_back(Sale(1'000 + i, 1 + i % 20, kDay, 5'000 + i));
    ASSERT_TRUE(payout_->Deliver(changes).empty());
    payout_->Close(kDay);
    payout_->DrainOutbox();
    payout_->Run("CREATE TABLE accrual_before AS SELECT * FROM accrual");
    payout_->Run("UPDATE accrual SET gross = gross + 1 WHERE merchant_id = 2 LIMIT 1");
    payout_->Run("UPDATE accrual SET fee = fee - 1 WHERE merchant_id = 5 LIMIT 1");
    payout_->Run("DELETE FROM accrual WHERE merchant_id = 9 LIMIT 1");
    payout_->Run("UPDATE accrual SET merchant_id = 99 WHERE merchant_id = 13");
    payout_->Run("UPDATE accrual SET tax_class = 1 WHERE merchant_id = 17 LIMIT 1");

    // Looking changes nothing.
    app::ReleaseFindings findings;
    ASSERT_OK_AND_ASSIGN(const auto foreseen,
                         payout_->release_day.Preview(kDay, false, {}, &findings));
    EXPECT_EQ(Events(), 0);
    EXPECT_EQ(payout_->reader.FindDay(kDay)->state, domain::DayState::kClosed);

    ASSERT_OK_AND_ASSIGN(const auto sums, payout_->release_day.Run(kDay, false));
    EXPECT_EQ(foreseen, sums);
    const auto differs = domain::HoldReason::kRecountDiffers;
    EXPECT_THAT(HeldOf(kDay),
                ::testing::UnorderedElementsAre(std::pair(2, differs), std::pair(5, differs),
                                                std::pair(9, differs), std::pair(13, differs),
                                                std::pair(17, differs), std::pair(99, differs)));
    std::map<std::int64_t, domain::HoldReason> named;
    for (const auto& held : findings.held_back) named[held.merchant.value()] = held.reason;
    EXPECT_EQ(named, HeldOf(kDay));
    EXPECT_EQ(sums.merchant_count, 15);
    EXPECT_EQ(sums.held_back_count, 6);
    EXPECT_EQ(Events(), 1 + 6);  // Each of them is told.
    ASSERT_OK_AND_ASSIGN(const auto held, payout_->reader.FindMerchantDay(MerchantId(5), kDay));
    EXPECT_FALSE(held.released);
    EXPECT_EQ(held.held_back, differs);

    // Nothing repaired, nothing changes.
    const auto ledger = Rows(kLedger);
    ASSERT_OK_AND_ASSIGN(const auto again, payout_->release_day.Run(kDay, false));
    EXPECT_EQ(again, sums);
    EXPECT_EQ(Rows(kLedger), ledger);
    EXPECT_EQ(Events(), 1 + 6);

    payout_->Run("DELETE FROM accrual");
    payout_->Run("INSERT INTO accrual SELECT * FROM accrual_before");
    ASSERT_OK_AND_ASSIGN(const auto freed, payout_->release_day.Preview(kDay, false));
    EXPECT_EQ(freed.merchant_count, 5);
    EXPECT_EQ(freed.held_back_count, 0);
    EXPECT_EQ(Rows(kLedger), ledger);
    ASSERT_OK_AND_ASSIGN(const auto repaired, payout_->release_day.Run(kDay, false));
    EXPECT_EQ(repaired.merchant_count, 20);
    EXPECT_EQ(repaired.held_back_count, 0);
    EXPECT_EQ(Events(), 2 + 12);
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM merchant_release WHERE round = 1"), 5);
    EXPECT_EQ(payout_->Number("SELECT SUM(gross) FROM merchant_release"),
              payout_->Number("SELECT SUM(gross) FROM accrual"));
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM release_round"), 2);
}

// Goal: a wrong fee that the sums hide is found by the deep recount, and only by it; so is a
// currency.
// Method: a yen moved from one fee of a merchant to another; totals and sums stay equal.
TEST_F(ReleaseTest, DeepRecountFindsAFeeThatTheSumsHide) {
    std::vector<domain::PaymentChange> changes;
    for (std::int64_t i = 0; i < 60; ++i)
        changes.push_back(Sale(1'000 + i, 1 + i % 6, kDay, 9'999));
    ASSERT_TRUE(payout_->Deliver(changes).empty());
    payout_->Close(kDay);
    payout_->Run("UPDATE accrual SET fee = fee + 1 WHERE payment_id = 1003");
    payout_->Run("UPDATE accrual SET fee = fee - 1 WHERE payment_id = 1009");
    payout_->Run("UPDATE accrual SET currency = 'USD' WHERE payment_id = 1005");
    ASSERT_OK_AND_ASSIGN(const auto sums, payout_->release_day.Run(kDay, true));
    EXPECT_EQ(sums.merchant_count, 4);
    EXPECT_THAT(HeldOf(kDay),
                ::testing::ElementsAre(std::pair(4, domain::HoldReason::kFeeDiffers),
                                       std::pair(6, domain::HoldReason::kFeeDiffers)));
    ASSERT_OK_AND_ASSIGN(const auto held, payout_->reader.ListHeldBack(kDay));
    EXPECT_THAT(held.at(0).note, ::testing::HasSubstr("the fee is 197"));
    EXPECT_THAT(held.at(1).note, ::testing::HasSubstr("the currency is XXX"));
}

// Goal: a deep run of a day that was released already names the merchants with a wrong fee that it
// comes too late for, and only those; it changes nothing.
// Method: a fee that the sums hide, and one that they show and that is held back for it.
TEST_F(ReleaseTest, DeepRunOfAReleasedDayTellsOfWrongFees) {
    std::vector<domain::PaymentChange> changes;
    for (std::int64_t i = 0; i < 60; ++i)
        changes.push_back(Sale(1'000 + i, 1 + i % 6, kDay, 9'999));
    ASSERT_TRUE(payout_->Deliver(changes).empty());
    payout_->Close(kDay);
    payout_->Run("UPDATE accrual SET fee = fee + 1 WHERE payment_id IN (1001, 1003)");
    payout_->Run("UPDATE accrual SET fee = fee - 1 WHERE payment_id = 1009");
    ASSERT_OK_AND_ASSIGN(const auto sums, payout_->release_day.Run(kDay, false));
    EXPECT_EQ(sums.held_back_count, 1);

    std::map<MerchantId, std::string> told;
    app::ReleaseDay release_day(
        TestReleaseOptions(), payout_->release_store, payout_->plans, domain::TaxTable::Japan(),
        payout_->encoder, SystemClock(),
        {.on_recount = {},
         .on_held_back = {},
         .on_finished = {},
         .on_released_fault = [&](const app::ReleaseRound&, MerchantId merchant,
                                  const std::string& fault) { told[merchant] = fault; }});
    const auto wrong = ::testing::ElementsAre(
        ::testing::Pair(MerchantId(4), ::testing::HasSubstr("version 1: the fee is 197")));
    app::ReleaseFindings foreseen;
    ASSERT_OK(release_day.Preview(kDay, true, {}, &foreseen).status());
    EXPECT_THAT(told, ::testing::IsEmpty());
    EXPECT_THAT(foreseen.released_faults, wrong);
    ASSERT_EQ(foreseen.held_back.size(), 1);
    EXPECT_EQ(foreseen.held_back.at(0).merchant, MerchantId(2));
    app::ReleaseFindings findings;
    ASSERT_OK_AND_ASSIGN(const auto deep, release_day.Run(kDay, true, {}, &findings));
    EXPECT_EQ(deep, sums);
    EXPECT_THAT(told, wrong);
    EXPECT_EQ(findings.released_fault_count, 1);
    EXPECT_THAT(findings.released_faults, wrong);
    EXPECT_THAT(HeldOf(kDay),
                ::testing::ElementsAre(std::pair(2, domain::HoldReason::kRecountDiffers)));
}

/// A closed day of nine merchants in chunks of three, of which 5 has a thousand more in its totals
/// and in its rows than when the day closed.
class TamperedDayTest : public ReleaseTest {
 protected:
    TamperedDayTest() {
        std::vector<domain::PaymentChange> changes;
        for (std::int64_t i = 0; i < 60; ++i)
            changes.push_back(Sale(1'000 + i, 1 + i % 9, kDay, 5'000));
        EXPECT_TRUE(payout_->Deliver(changes).empty());
        payout_->Close(kDay);
        payout_->Run("UPDATE accrual SET gross = gross + 1000 WHERE payment_id = 1004");
        payout_->Run(
            "UPDATE merchant_day_total SET gross = gross + 1000 WHERE merchant_id = 5 LIMIT 1");
    }
    /// Everybody of the chunk that 5 is in.
    static auto ChunkIsHeldBack() {
        const auto broken = domain::HoldReason::kSealBroken;
        return ::testing::ElementsAre(std::pair(4, broken), std::pair(5, broken),
                                      std::pair(6, broken));
    }
};

// Goal: totals and rows changed alike after the close do not become money.
// Method: a release by the totals that were sealed, in which nobody else is held up.
TEST_F(TamperedDayTest, ChangeAfterTheCloseIsNotReleased) {
    ASSERT_OK(payout_->release_day.Run(kDay, false).status());
    EXPECT_THAT(HeldOf(kDay),
                ::testing::ElementsAre(std::pair(5, domain::HoldReason::kRecountDiffers)));
}

// Goal: the same where nothing but the seal knows.
// Method: a deep release, and one of a day that kept no sealed totals: both read the rows.
TEST_F(TamperedDayTest, ChangeAfterTheCloseBreaksTheSealOfADeepRelease) {
    ASSERT_OK(payout_->release_day.Run(kDay, true).status());
    EXPECT_THAT(HeldOf(kDay), ChunkIsHeldBack());
}

TEST_F(TamperedDayTest, ChangeAfterTheCloseBreaksTheSealWithoutSealedTotals) {
    payout_->Run("UPDATE day_chunk SET totals = NULL");
    ASSERT_OK(payout_->release_day.Run(kDay, false).status());
    EXPECT_THAT(HeldOf(kDay), ChunkIsHeldBack());
}

// Goal: sealed totals that were changed or cannot be read release nobody.
// Method: other numbers, with the rows to fit, in one chunk; and no pack at all in another.
TEST_F(TamperedDayTest, ChangedSealedTotalsBreakTheSeal) {
    ASSERT_OK_AND_ASSIGN(auto session, payout_->pool.Acquire(std::chrono::seconds(5)));
    ASSERT_OK_AND_ASSIGN(auto rows,
                         session->Select(mysql::Query{"test.totals",
                                                      "SELECT merchant_id, slot, tax_class, "
                                                      "gross, fee, item_count FROM "
                                                      "merchant_day_total WHERE merchant_id "
                                                      "BETWEEN 4 AND 6 ORDER BY 1, 2, 3"}));
    domain::TotalsPacker packer;
    while (rows.Next()) {
        packer.Add({static_cast<std::uint32_t>(rows.Int(1)),
                    {MerchantId(rows.Int(0)),
                     static_cast<domain::TaxClass>(rows.Int(2)),
                     {rows.Int(3), rows.Int(4), rows.Int(5)}}});
    }
    const std::string packed = packer.Take().value();
    ASSERT_OK(session->Execute(
        mysql::Query{"test.tamper", "UPDATE day_chunk SET totals = ? WHERE chunk = 1"},
        mysql::Bytes{packed}));
    payout_->Run("UPDATE day_chunk SET totals = x'ffffffff' WHERE chunk = 2");
    ASSERT_OK(payout_->release_day.Run(kDay, false).status());
    const auto broken = domain::HoldReason::kSealBroken;
    EXPECT_THAT(HeldOf(kDay), ::testing::ElementsAre(std::pair(4, broken), std::pair(5, broken),
                                                     std::pair(6, broken), std::pair(7, broken),
                                                     std::pair(8, broken), std::pair(9, broken)));
}

// Goal: one release at a time; who is refused learns until when, and a process that died holds up
// the next one no longer than that.
// Method: a turn is held by nobody who would renew it, as after kill -9; the end that the answer
// names is that of the row.
TEST_F(ReleaseTest, SecondReleaseAtOnceIsRefusedUntilTheTurnEnds) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kDay, 10'000)}).empty());
    payout_->Close(kDay);
    {
        ASSERT_OK_AND_ASSIGN(const auto turn, payout_->release_store.TakeTurn());
        ASSERT_NE(turn, nullptr);
        EXPECT_THAT(payout_->release_day.Run(kDay, false),
                    Refuses(Code::kAborted, "RELEASE_RUNNING"));
    }
    const auto hold_for = [&](const std::string& micros) {
        payout_->Run(
            "UPDATE lease SET owner = 'host:1:dead', expires_at_us = "
            "CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED) + " +
            micros + " WHERE name = 'payout.release'");
    };
    hold_for("3600000000");
    const Instant ends_at = FromMicros(
        payout_->Number("SELECT expires_at_us FROM lease WHERE name = 'payout.release'"));
    const auto refused = payout_->release_day.Run(kDay, false);
    ASSERT_THAT(refused, Refuses(Code::kAborted, "RELEASE_RUNNING"));
    EXPECT_THAT(std::string(refused.status().message()),
                ::testing::HasSubstr("until " + FormatUtc(ends_at)));
    hold_for("1000");
    ASSERT_EVENTUALLY(payout_->release_day.Run(kDay, false).ok());
}

// Goal: many at once release once.
TEST_F(ReleaseTest, ReleasesThatRaceReleaseOnce) {
    Seeded random;
    const auto changes = RandomTrade(random, 200, 30, 10'000, kDay, 1);
    ASSERT_TRUE(payout_->Deliver(changes).empty());
    payout_->Close(kDay);
    payout_->DrainOutbox();
    std::vector<std::thread> threads;
    std::atomic<int> ran{0};
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            Payout other(schema_->options());
            const auto sums = other.release_day.Run(kDay, false);
            if (sums.ok()) {
                ++ran;
            } else {
                EXPECT_EQ(sums.status().reason(), "RELEASE_RUNNING");
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_GE(ran, 1);
    EXPECT_EQ(Events(), 1);
    EXPECT_EQ(payout_->Number("SELECT SUM(gross) FROM merchant_release"),
              payout_->Number("SELECT SUM(gross) FROM accrual"));
}

// Goal: a release killed anywhere goes on where it was, and ends as if nothing had happened.
// Method: another process releases and kills itself by SIGKILL at a random step (a statement's
// beginning), again and again until it gets through; the books against those of a run untouched.
TEST_F(ReleaseTest, KilledAtAnyPointItEndsTheSame) {
    Seeded random;
    const auto changes = RandomTrade(random, 800, 120, 10'000, kDay, 1);
    const auto untouched_schema = testing::MysqlServer::Shared().CreateSchema();
    {
        auto session = mysql::Session::Connect(untouched_schema->options());
        ASSERT_OK(session.status());
        ASSERT_OK(mysql::Migrate(**session, AllMigrations()));
    }
    Payout untouched(untouched_schema->options());
    for (Payout* one : {payout_.get(), &untouched}) {
        ASSERT_TRUE(one->Deliver(changes).empty());
        one->Close(kDay);
        one->DrainOutbox();
    }
    ASSERT_OK_AND_ASSIGN(const auto expected, untouched.release_day.Run(kDay, false));

    testing::TempDir directory("release");
    const mysql::ConnectOptions& connect = schema_->options();
    int kills = 0;
    for (bool done = false; !done;) {
        testing::ProcessOptions worker;
        worker.command = {KESSAI_PAYOUT_RELEASE_WORKER,
                          connect.host,
                          std::to_string(connect.port),
                          connect.user,
                          connect.password,
                          connect.schema,
                          std::to_string(kDay.ToNumber()),
                          std::to_string(kills < 20 ? random.Between(1, 60) : 0)};
        worker.output_file = directory.Path("worker.log");
        ASSERT_OK_AND_ASSIGN(const auto process, testing::Process::Start(worker));
        const auto status = process->Wait(std::chrono::seconds(60));
        ASSERT_TRUE(status.has_value());
        if (WIFSIGNALED(*status)) {
            ASSERT_EQ(WTERMSIG(*status), SIGKILL);
            ++kills;
            // As if its lease had run out.
            payout_->Run("UPDATE lease SET expires_at_us = 0");
        } else {
            ASSERT_EQ(WEXITSTATUS(*status), 0) << testing::ReadFile(directory.Path("worker.log"));
            done = kills >= 20 || payout_->Number("SELECT state FROM payout_day") == 4;
        }
    }
    EXPECT_GE(kills, 1);
    std::cout << kills << " kills" << std::endl;
    ASSERT_OK_AND_ASSIGN(const auto actual, payout_->release_day.Run(kDay, false));
    EXPECT_EQ(actual, expected);
    EXPECT_EQ(Events(), 1);
    const auto ledger = Rows(kLedger);
    const auto balances = Rows(kBalances);
    payout_ = std::make_unique<Payout>(untouched_schema->options());
    EXPECT_EQ(ledger, Rows(kLedger));
    EXPECT_EQ(balances, Rows(kBalances));
}

}  // namespace
}  // namespace kessai::payout
