#include "domain/running_balance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "kessai/testing/eventually.h"
#include "storage/running_balances.h"
#include "tests/payout_fixture.h"
#include "tests/reference.h"

namespace kessai::payout {
namespace {

using domain::CycleSums;
using domain::MerchantId;
using domain::RunningBalance;
using testing::Refuses;

/// That RandomTrade's ids begin behind.
constexpr std::int64_t kFirstMerchant = 1'000;
constexpr domain::MerchantRange kEverybody{domain::kLowestMerchant, domain::kHighestMerchant};

class RunningBalanceTest : public PayoutTest {
 protected:
    mysql::Lease Session() { return *payout_->pool.Acquire(std::chrono::seconds(5)); }

    /// From the release rows, by a statement of its own.
    std::vector<RunningBalance> FromRows() {
        auto session = Session();
        auto rows = session->Select(mysql::Query{
            "test.sums",
            "SELECT merchant_id, tax_class, CAST(DATE_FORMAT(business_date, '%Y-%m-01') AS DATE) "
            "AS cycle, SUM(fee), SUM(net) FROM merchant_release "
            "GROUP BY merchant_id, tax_class, cycle ORDER BY merchant_id, tax_class, cycle"});
        EXPECT_OK(rows.status());
        std::vector<CycleSums> cycles;
        while (rows->Next()) {
            cycles.push_back({MerchantId(rows->Int(0)), static_cast<domain::TaxClass>(rows->Int(1)),
                              rows->Date(2), rows->Int(3), rows->Int(4)});
        }
        return domain::Fold(cycles).value();
    }
    std::vector<RunningBalance> Newest(std::vector<MerchantId> merchants) {
        std::sort(merchants.begin(), merchants.end());
        auto session = Session();
        auto balances = storage::LoadNewestBalances(*session, merchants);
        EXPECT_OK(balances.status());
        return *std::move(balances);
    }
    std::int64_t ChunksDone(BusinessDate day) {
        return payout_->Number(
            "SELECT COALESCE(SUM(done), 0) FROM release_chunk WHERE business_date = '" +
            day.ToString() + "'");
    }
    void Damage(BusinessDate day, std::int64_t merchant, int yen) {
        payout_->Run("UPDATE accrual SET gross = gross + " + std::to_string(yen) +
                     " WHERE business_date = '" + day.ToString() +
                     "' AND merchant_id = " + std::to_string(merchant) + " LIMIT 1");
    }
};

// Goal: what is kept is what the release rows sum to, after every step and while a round is under
// way; and taxes of a cycle sum to its invoice. Whatever days are released in whatever order, with
// merchants held back and released later, rounds that were broken off, and pieces thrown away.
// Method: random trade over a month's end by merchants of which some rest on some days; random
// steps; after each of them all merchants' balances against a sum over the rows.
TEST_F(RunningBalanceTest, AlwaysTheSumOfTheRows) {
    Seeded random;
    constexpr int kDays = 8;
    constexpr std::int64_t kMerchants = 90;
    const BusinessDate first = Day(20261127);
    std::vector<MerchantId> merchants;
    for (std::int64_t i = 0; i <= kMerchants; ++i) merchants.emplace_back(kFirstMerchant + i);
    std::vector<domain::PaymentChange> changes =
        RandomTrade(random, 900, static_cast<int>(kMerchants), 10'000, first, kDays);
    ASSERT_TRUE(payout_->Deliver(changes, 50).empty());
    std::vector<BusinessDate> days;
    for (int i = 0; i < kDays; ++i) {
        days.push_back(first.PlusDays(i));
        payout_->Close(days.back());
        payout_->DrainOutbox();
    }
    std::shuffle(days.begin(), days.end(), random.engine());

    const auto check = [&](bool under_way) {
        const auto expected = FromRows();
        EXPECT_TRUE(Newest(merchants) == expected);
        std::vector<MerchantId> some;
        std::sample(merchants.begin(), merchants.end(), std::back_inserter(some), 5,
                    random.engine());
        std::vector<RunningBalance> of_some;
        std::copy_if(expected.begin(), expected.end(), std::back_inserter(of_some),
                     [&](const RunningBalance& balance) {
                         return std::count(some.begin(), some.end(), balance.merchant) > 0;
                     });
        EXPECT_TRUE(Newest(some) == of_some);
        if (under_way) return;
        auto session = Session();
        const auto all = storage::LoadBalances(*session, kEverybody);
        ASSERT_OK(all.status());
        EXPECT_TRUE(*all == expected);
    };

    int later_rounds = 0;
    int broken_off = 0;
    std::vector<std::pair<BusinessDate, std::int64_t>> damaged;
    for (const BusinessDate day : days) {
        for (std::int64_t damages = random.Between(0, 6); damages > 0; --damages) {
            const std::int64_t merchant = kFirstMerchant + random.Between(1, kMerchants);
            if (std::count(damaged.begin(), damaged.end(), std::pair(day, merchant)) > 0) continue;
            Damage(day, merchant, 1);
            damaged.emplace_back(day, merchant);
        }
        // Broken off somewhere, or not: then gone on with.
        std::stop_source stop;
        const std::int64_t chunks_done_max = random.Between(0, 40);
        std::atomic<bool> over{false};
        std::thread breaker([&] {
            EXPECT_EVENTUALLY(over || ChunksDone(day) >= chunks_done_max);
            stop.request_stop();
        });
        const auto first_try = payout_->release_day.Run(day, false, stop.get_token());
        over = true;
        breaker.join();
        if (!first_try.ok()) {
            ++broken_off;
            check(/*under_way=*/true);
            ASSERT_OK(payout_->release_day.Run(day, false).status());
        }
        check(/*under_way=*/false);
        if (random.OneIn(2) && !damaged.empty()) {
            const auto [of_day, merchant] = damaged[static_cast<std::size_t>(
                random.Between(0, static_cast<std::int64_t>(damaged.size()) - 1))];
            Damage(of_day, merchant, -1);
            std::erase(damaged, std::pair(of_day, merchant));
            // Its day may not be released yet; then it is good when it is.
            if (payout_->reader.FindDay(of_day)->state == domain::DayState::kReleased) {
                ASSERT_OK(payout_->release_day.Run(of_day, false).status());
                ++later_rounds;
                check(/*under_way=*/false);
            }
        }
        // As if the version before had released all that.
        if (random.OneIn(4)) {
            payout_->Run("UPDATE payout_gate SET balances_date = NULL");
            payout_->Run("DELETE FROM running_balance");
            check(/*under_way=*/false);
        }
    }
    for (const auto& [day, merchant] : damaged) Damage(day, merchant, -1);
    for (const BusinessDate day : days) {
        ASSERT_OK_AND_ASSIGN(const auto sums, payout_->release_day.Run(day, false));
        EXPECT_EQ(sums.held_back_count, 0);
        check(/*under_way=*/false);
    }
    std::cout << later_rounds << " later rounds between, " << broken_off << " broken off\n";

    EXPECT_EQ(payout_->Number("SELECT SUM(gross) FROM merchant_release"),
              payout_->Number("SELECT SUM(gross) FROM accrual"));
    auto session = Session();
    auto cycles = session->Select(
        mysql::Query{"test.taxes",
                     "SELECT tax_class, SUM(fee), SUM(tax) FROM merchant_release "
                     "GROUP BY merchant_id, tax_class, DATE_FORMAT(business_date, '%Y-%m')"});
    ASSERT_OK(cycles.status());
    while (cycles->Next()) {
        const auto tax_class = static_cast<domain::TaxClass>(cycles->Int(0));
        EXPECT_EQ(cycles->Int(2),
                  domain::InvoiceTax(domain::TaxTable::Japan().RateOf(tax_class), cycles->Int(1)));
    }
}

// Goal: what is asked of few merchants reads rows of few merchants, however many there are: a
// release asks once a chunk, and a run of transfers once some hundred merchants. Method: two months
// of releases of two thousand merchants; the server's own count of rows read.
TEST_F(RunningBalanceTest, FewMerchantsAreFewRows) {
    payout_->Run(
        "INSERT INTO payout_day (business_date, state) "
        "SELECT '2026-10-01' + INTERVAL seq DAY, 4 FROM seq_0_to_59");
    payout_->Run(
        "INSERT INTO merchant_release (business_date, merchant_id, tax_class, round, currency, "
        "gross, fee, tax, net, item_count) SELECT '2026-10-01' + INTERVAL d.seq DAY, m.seq, 2, 0, "
        "'JPY', 1000, 20, 2, 978, 1 FROM seq_0_to_59 d JOIN seq_1_to_2000 m");
    payout_->Run("ANALYZE TABLE payout_day, merchant_release");
    std::vector<MerchantId> some;
    for (std::int64_t merchant = 500; merchant < 550; ++merchant) some.emplace_back(merchant);
    const domain::MerchantRange range{some.front(), some.back()};
    auto session = Session();
    const auto rows_so_far = [&] {
        auto count = session->Select(mysql::Query{
            "test.rows_read",
            "SELECT CAST(SUM(variable_value) AS SIGNED) FROM information_schema.session_status "
            "WHERE variable_name LIKE 'Handler_read%'"});
        EXPECT_OK(count.status());
        EXPECT_TRUE(count->Next());
        return count->Int(0);
    };
    const auto rows_read = [&](const auto& ask, std::size_t expected) {
        // Counting reads rows too.
        const std::int64_t earlier = rows_so_far();
        const std::int64_t before = rows_so_far();
        const std::int64_t of_counting = before - earlier;
        const auto answer = ask();
        EXPECT_OK(answer.status());
        EXPECT_EQ(answer->size(), expected);
        return rows_so_far() - before - of_counting;
    };
    // A day's row, a look-up and its end, and some for sorting.
    constexpr std::int64_t kEach = 6;
    EXPECT_LT(rows_read([&] { return storage::LoadBalances(*session, range); }, 50),
              kEach * 60 * 50);
    EXPECT_LT(rows_read([&] { return storage::LoadNewestBalances(*session, some); }, 50),
              kEach * 60 * 50);
    EXPECT_LT(rows_read([&] { return storage::LoadCycleSums(*session, Day(20261101), some); }, 50),
              kEach * 30 * 50);
    EXPECT_LT(rows_read([&] { return storage::LoadCycleSums(*session, some.front()); }, 2),
              kEach * 60);

    ASSERT_OK_AND_ASSIGN(const auto all, storage::LoadBalances(*session, kEverybody));
    EXPECT_EQ(all.size(), 2'000u);
    ASSERT_OK(storage::InsertBalances(*session, Day(20261129), kEverybody, all));
    ASSERT_OK(storage::TurnToBalancesOf(*session, Day(20261129)));
    EXPECT_LT(rows_read([&] { return storage::LoadBalances(*session, range); }, 50), 60);
    EXPECT_LT(rows_read([&] { return storage::LoadNewestBalances(*session, some); }, 50), 60);
}

// Goal: a release that can't read the balances releases nobody, and says why; put right, it goes
// on.
TEST_F(RunningBalanceTest, BrokenBalancesStopTheRelease) {
    const std::string damages[] = {
        "DELETE FROM running_balance WHERE business_date = '2026-11-22' AND merchant_first = 4",
        "DELETE FROM running_balance WHERE business_date = '2026-11-23' AND merchant_first < 0",
        "UPDATE running_balance SET balances = CONCAT(balances, CHAR(255)) "
        "WHERE business_date = '2026-11-24' AND merchant_first = 10"};
    BusinessDate day = Day(20261122);
    for (int i = 0; i < 4; ++i) {
        std::vector<domain::PaymentChange> sales;
        for (std::int64_t merchant = 1; merchant <= 20; ++merchant) {
            sales.push_back(Sale(100 * i + merchant, merchant, day.PlusDays(i), 10'000));
        }
        ASSERT_TRUE(payout_->Deliver(sales).empty());
        payout_->Close(day.PlusDays(i));
        payout_->DrainOutbox();
    }
    ASSERT_OK(payout_->release_day.Run(day, false).status());
    payout_->Run("CREATE TABLE kept LIKE running_balance");
    for (const std::string& damage : damages) {
        payout_->Run("DELETE FROM kept");
        payout_->Run("INSERT INTO kept SELECT * FROM running_balance");
        payout_->Run(damage);
        day = day.Next();
        EXPECT_THAT(payout_->release_day.Run(day, false),
                    Refuses(Code::kDataLoss, "BALANCES_BROKEN"));
        EXPECT_EQ(payout_->reader.FindDay(day)->state, domain::DayState::kReleasing);
        payout_->Run("REPLACE INTO running_balance SELECT * FROM kept");
        ASSERT_OK_AND_ASSIGN(const auto sums, payout_->release_day.Run(day, false));
        EXPECT_EQ(sums.merchant_count, 20);
    }
    std::vector<MerchantId> merchants;
    for (std::int64_t merchant = 1; merchant <= 20; ++merchant) merchants.emplace_back(merchant);
    EXPECT_EQ(Newest(merchants), FromRows());
}

}  // namespace
}  // namespace kessai::payout
