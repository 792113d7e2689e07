// Goal: what accounting is told of a day is what its rows say, to the yen, and its parts fit each
// other. Method: random trade under plans of every owner, released and paid, over a real MariaDB;
// reports against sums made one row at a time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <set>
#include <tuple>

#include "app/balance_books.h"
#include "app/report_fees.h"
#include "domain/day_part.h"
#include "domain/ledger.h"
#include "tests/payout_fixture.h"
#include "tests/random_plans.h"
#include "tests/reference.h"
#include "tests/transfer_fixture.h"

namespace kessai::payout {
namespace {

using domain::Account;
using domain::MerchantId;
using domain::PlanId;
using domain::PlanOwner;
using domain::TaxClass;
using testing::Refuses;

const BusinessDate kFirst = Day(20261120);
constexpr int kDays = 4;
const BusinessDate kOld = Day(20190930);
const BusinessDate kDue = Day(20261130);

class BooksTest : public PayoutTest {
 protected:
    BooksTest()
        : clock_(kDue.At(std::chrono::hours(10))),
          transfers_(payout_->pool, clock_),
          reports_({.threads = 3}, transfers_.book_reader, transfers_.store, payout_->release_store,
                   payout_->plans, clock_) {}

    domain::FeePlan Put(domain::FeePlan plan) {
        auto stored = payout_->put_fee_plan.Run(plan, "aiko");
        EXPECT_OK(stored.status());
        return stored.ok() ? *stored : plan;
    }

    /// Plans of every owner, before anybody has accruals.
    void PutPlans(Seeded& random) {
        ASSERT_OK_AND_ASSIGN(const auto defaults, payout_->reader.ListPlans(MerchantId(), 0, 100));
        for (const auto& [plan, put] : defaults.plans) book_.Add(plan);
        for (const std::int64_t merchant : {1'001, 1'002}) {
            domain::FeePlan plan = RandomPlan(random, kOld.PlusDays(-20));
            plan.id = PlanId();
            plan.version = 0;
            plan.merchant = MerchantId(merchant);
            book_.Add(Put(plan));
        }
        domain::FeePlan shared;
        shared.merchant = domain::kSharedPlan;
        shared.effective_from = kOld.PlusDays(-20);
        shared.terms = RandomFeeTerms(random);
        const domain::FeePlan stored = Put(shared);
        book_.Add(stored);
        auto assigned =
            payout_->assign_fee_plan.Run(std::vector{MerchantId(1'003), MerchantId(1'004)},
                                         {stored.id, stored.effective_from, std::nullopt}, "aiko");
        ASSERT_OK(assigned.status());
        for (const auto& assignment : *assigned) book_.Add(assignment);
    }

    /// A trade of some days, with returns of payments from the days of another tax rate, and
    /// cashback.
    void Trade(Seeded& random) {
        changes_ = RandomTrade(random, 300, 8, 1'000'000, kFirst, kDays);
        for (std::int64_t i = 0; i < 20; ++i) {
            // The default plan was not there yet.
            const std::int64_t merchant = random.Between(1'001, 1'004);
            const auto sale = Sale(2'000'000 + i, merchant, kOld, random.Between(1'000, 90'000));
            changes_.push_back(sale);
            changes_.push_back(Refund(sale, 2, kFirst.PlusDays(static_cast<int>(i % kDays)),
                                      random.Between(1, sale.amount), 0));
            auto cashback = Sale(3'000'000 + i, merchant, kFirst, random.Between(1, 500));
            cashback.kind = domain::ChangeKind::kMerchantCashback;
            changes_.push_back(cashback);
        }
        std::stable_sort(changes_.begin(), changes_.end(), [](const auto& a, const auto& b) {
            return a.business_date < b.business_date;
        });
        ASSERT_TRUE(payout_->Deliver(changes_, 50).empty());
        accruals_ = ReferenceAccruals(changes_, book_);
    }

    void CloseAndRelease(BusinessDate day) {
        payout_->Close(day);
        ASSERT_OK(payout_->release_day.Run(day, false).status());
    }
    void ReleaseAll() {
        CloseAndRelease(kOld);
        for (int i = 0; i < kDays; ++i) CloseAndRelease(kFirst.PlusDays(i));
    }

    /// Pays everybody with a price, and gives something to a merchant.
    void Pay() {
        domain::PayoutTerms terms;
        terms.cycle = domain::PayoutCycle::kMonthEnd;
        terms.transfer_fee = 110;
        ASSERT_OK(transfers_.terms.Put(terms, "aiko").status());
        for (std::int64_t merchant = 1'001; merchant <= 1'008; ++merchant) {
            ASSERT_OK_AND_ASSIGN(const auto account,
                                 transfers_.bank_accounts.Put({.merchant = MerchantId(merchant),
                                                               .bank_code = "0001",
                                                               .branch_code = "004",
                                                               .type = 1,
                                                               .number = "1234567",
                                                               .holder = "カ）ミセ"},
                                                              "aiko"));
            ASSERT_OK(transfers_.bank_accounts.Confirm(MerchantId(merchant), account.version, "ken")
                          .status());
        }
        ASSERT_OK(transfers_.create.Run(kDue, "aiko").status());
    }

    std::int64_t Number(const std::string& sql) { return payout_->Number(sql); }

    /// What the postings of all rows of a day sum to, one row at a time.
    domain::TrialBalance ReferenceMoved(BusinessDate day) {
        domain::TrialBalance moved;
        auto session = payout_->pool.Acquire(std::chrono::seconds(5));
        const auto rows_of = [&](const std::string& sql) {
            auto rows = (*session)->Select(mysql::Query{"test.rows", sql}, day);
            EXPECT_OK(rows.status());
            return std::move(rows).value();
        };
        auto accruals = rows_of("SELECT gross, fee FROM accrual WHERE business_date = ?");
        while (accruals.Next()) {
            domain::Accrual accrual;
            accrual.gross = accruals.Int(0);
            accrual.fee = accruals.Int(1);
            EXPECT_OK(moved.Add(domain::PostingsOf(accrual)));
        }
        auto releases =
            rows_of("SELECT gross, fee, tax, net FROM merchant_release WHERE business_date = ?");
        while (releases.Next()) {
            domain::ReleaseLine line;
            line.sums = {releases.Int(0), releases.Int(1), 0};
            line.tax = releases.Int(2);
            line.net = releases.Int(3);
            EXPECT_OK(moved.Add(domain::PostingsOf(line)));
        }
        auto journals =
            rows_of("SELECT kind, amount, fee, tax FROM merchant_journal WHERE business_date = ?");
        while (journals.Next()) {
            EXPECT_OK(moved.Add(domain::PostingsOf(
                domain::MerchantJournal{.kind = static_cast<domain::JournalKind>(journals.Int(0)),
                                        .amount = journals.Int(1),
                                        .fee = journals.Int(2),
                                        .tax = journals.Int(3)})));
        }
        return moved;
    }

    /// That each day opens with what all before moved, and its report's sums are in its balance.
    void CheckDays() {
        domain::TrialBalance sum;
        std::vector<BusinessDate> days{kOld};
        for (BusinessDate day = kFirst; day <= kDue; day = day.Next()) days.push_back(day);
        for (const BusinessDate day : days) {
            SCOPED_TRACE(day.ToString());
            ASSERT_OK_AND_ASSIGN(const auto balance, transfers_.books.Run(day));
            const domain::TrialBalance moved = ReferenceMoved(day);
            EXPECT_EQ(balance.opening, sum);
            EXPECT_EQ(balance.moved, moved);
            ASSERT_OK(sum.Add(moved));
            EXPECT_EQ(balance.closing, sum);
            EXPECT_EQ(balance.closing.Total().value(), 0);
            ASSERT_OK_AND_ASSIGN(const auto report, reports_.Run(day));
            EXPECT_EQ(report.fee_revenue, moved.Of(Account::kFeeRevenue));
            EXPECT_EQ(report.consumption_tax, moved.Of(Account::kConsumptionTax));
            EXPECT_EQ(report.is_final, balance.is_final());
        }
    }

    ManualClock clock_;
    Transfers transfers_;
    app::ReportFees reports_;
    domain::PlanBook book_;
    std::vector<domain::PaymentChange> changes_;
    std::map<domain::EffectKey, domain::Accrual> accruals_;
};

using LineKey = std::tuple<PlanOwner, MerchantId, PlanId, std::uint32_t, TaxClass>;

TEST_F(BooksTest, FeesByPlanAndRateAreWhatEachAccrualSays) {
    Seeded random;
    PutPlans(random);
    Trade(random);
    for (int i = 0; i < kDays; ++i) {
        const BusinessDate day = kFirst.PlusDays(i);
        SCOPED_TRACE(day.ToString());
        std::map<LineKey, domain::FeeSums> expected;
        std::map<TaxClass, std::int64_t> fees;
        for (const auto& [key, accrual] : accruals_) {
            if (accrual.business_date != day) continue;
            PlanOwner owner = PlanOwner::kNobody;
            MerchantId of;
            if (const auto* plan = book_.Version(accrual.plan, accrual.plan_version)) {
                owner = plan->merchant.is_none()                ? PlanOwner::kDefault
                        : plan->merchant == domain::kSharedPlan ? PlanOwner::kShared
                                                                : PlanOwner::kMerchant;
                if (owner == PlanOwner::kMerchant) of = plan->merchant;
            }
            domain::FeeSums& sums =
                expected[LineKey(owner, of, accrual.plan, accrual.plan_version, accrual.tax_class)];
            ++sums.accrual_count;
            sums.gross += accrual.gross;
            fees[accrual.tax_class] += accrual.fee;
            if (domain::PartOf(accrual) == domain::DayPartKind::kReturns) {
                ++sums.return_count;
                sums.given_back += accrual.fee;
            } else {
                sums.charged += accrual.fee;
            }
        }
        ASSERT_OK_AND_ASSIGN(const auto report, reports_.Run(day));
        std::map<LineKey, domain::FeeSums> found;
        std::set<PlanOwner> owners;
        for (const domain::FeeLine& line : report.lines) {
            found[LineKey(line.owner, line.merchant, line.plan, line.plan_version,
                          line.tax_class)] = line.sums;
            owners.insert(line.owner);
        }
        EXPECT_EQ(found, expected);
        if (day == kFirst) {
            EXPECT_EQ(owners.size(), 4u);
        }
        std::map<TaxClass, std::int64_t> by_rate;
        for (const app::FeeReport::Rate& rate : report.rates) {
            by_rate[rate.tax_class] = rate.sums.charged + rate.sums.given_back;
            EXPECT_EQ(rate.booked_fee, by_rate[rate.tax_class]);
            EXPECT_EQ(rate.tax, 0);  // Of what is released.
        }
        EXPECT_EQ(by_rate, fees);
        EXPECT_TRUE(by_rate.contains(TaxClass::kStandard8));
        EXPECT_FALSE(report.is_final);
        EXPECT_EQ(report.state, domain::DayState::kOpen);
    }
    ASSERT_OK_AND_ASSIGN(const auto nothing, reports_.Run(Day(20261201)));
    EXPECT_TRUE(nothing.lines.empty() && nothing.rates.empty());
    EXPECT_EQ(nothing.fee_revenue, 0);
}

// Goal: the days' tax by rate is the tax of the cycle's invoices: of every merchant and rate
// rounded once.
TEST_F(BooksTest, TheDaysOfACycleHaveTheTaxOfItsInvoices) {
    Seeded random;
    PutPlans(random);
    Trade(random);
    ReleaseAll();
    std::map<std::pair<MerchantId, TaxClass>, std::int64_t> fees;
    for (const auto& [key, accrual] : accruals_) {
        if (accrual.business_date >= kFirst) {
            fees[{accrual.merchant, accrual.tax_class}] += accrual.fee;
        }
    }
    std::map<TaxClass, std::int64_t> invoiced;
    for (const auto& [key, fee] : fees) {
        invoiced[key.second] +=
            domain::InvoiceTax(domain::TaxTable::Japan().RateOf(key.second), fee);
    }
    std::map<TaxClass, std::int64_t> reported;
    for (int i = 0; i < kDays; ++i) {
        ASSERT_OK_AND_ASSIGN(const auto report, reports_.Run(kFirst.PlusDays(i)));
        EXPECT_TRUE(report.is_final);
        for (const app::FeeReport::Rate& rate : report.rates) {
            reported[rate.tax_class] += rate.tax;
            EXPECT_EQ(rate.released_fee, rate.booked_fee);
        }
    }
    EXPECT_EQ(reported, invoiced);
    CheckDays();
    Pay();
    CheckDays();
    ASSERT_OK_AND_ASSIGN(const auto paid, reports_.Run(kDue));
    const std::int64_t transfers = Number("SELECT COUNT(*) FROM transfer");
    EXPECT_GT(transfers, 0);
    EXPECT_EQ(paid.prices.count, transfers);
    EXPECT_EQ(paid.fee_revenue, 100 * transfers);
    EXPECT_EQ(paid.consumption_tax, 10 * transfers);
    EXPECT_FALSE(paid.is_final);
}

TEST_F(BooksTest, AReportEndsWhenItIsNotToGoOn) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kFirst, 100)}).empty());
    std::atomic<int> asked = 0;
    const auto third_time = [&] {
        return ++asked < 3 ? OkStatus() : Status(Code::kCancelled, "GONE", "");
    };
    EXPECT_THAT(reports_.Run(kFirst, third_time), Refuses(Code::kCancelled, "GONE"));
    EXPECT_LE(asked, 5);  // Each of three threads once more.
    asked = 2;
    EXPECT_THAT(transfers_.books.Run(kFirst, third_time), Refuses(Code::kCancelled, "GONE"));
}

// Goal: a row that was damaged shows in the report, which does not follow it into the books.
TEST_F(BooksTest, ADamagedFeeShowsBesideWhatIsBooked) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kFirst, 10'000)}).empty());
    payout_->Run("UPDATE accrual SET fee = fee + 5, plan_id = 77");
    ASSERT_OK_AND_ASSIGN(const auto report, reports_.Run(kFirst));
    ASSERT_EQ(report.rates.size(), 1u);
    EXPECT_EQ(report.rates[0].sums.charged, 203);
    EXPECT_EQ(report.rates[0].booked_fee, 198);
    EXPECT_EQ(report.fee_revenue, 198);
    ASSERT_EQ(report.lines.size(), 1u);
    EXPECT_EQ(report.lines[0].owner, PlanOwner::kUnknown);
}

// Goal: a day is kept once nothing of it can change, and not before: not open, closed, with
// somebody held back, nor on its own date.
TEST_F(BooksTest, ADayIsKeptWhenItCanChangeNoMore) {
    const auto is_kept = [&] {
        EXPECT_OK(transfers_.books.Run(kFirst.Next()).status());
        const std::int64_t rows = Number("SELECT COUNT(*) FROM ledger_day");
        EXPECT_TRUE(rows == 0 || rows == domain::kAccounts);
        return rows != 0;
    };
    clock_.Set(kFirst.At(std::chrono::hours(23)));
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kFirst, 10'000), Sale(2, 8, kFirst, 500)}).empty());
    EXPECT_FALSE(is_kept());
    EXPECT_FALSE(transfers_.books.Run(kFirst.Next())->openings_closed);
    payout_->Close(kFirst);
    EXPECT_FALSE(is_kept());
    EXPECT_TRUE(transfers_.books.Run(kFirst.Next())->openings_closed);
    payout_->Run("UPDATE accrual SET fee = fee + 1 WHERE payment_id = 1");
    ASSERT_OK(payout_->release_day.Run(kFirst, false).status());
    EXPECT_EQ(Number("SELECT COUNT(*) FROM merchant_hold WHERE released_round IS NULL"), 1);
    EXPECT_FALSE(is_kept());
    ASSERT_OK_AND_ASSIGN(const auto held, transfers_.books.Run(kFirst));
    EXPECT_TRUE(held.standing.has_holds);
    EXPECT_EQ(held.standing.released_count, 1);
    EXPECT_EQ(held.standing.released_gross, 500);
    clock_.Set(kDue.At(std::chrono::hours(1)));
    EXPECT_FALSE(is_kept());
    payout_->Run("UPDATE accrual SET fee = fee - 1 WHERE payment_id = 1");
    ASSERT_OK(payout_->release_day.Run(kFirst, false).status());
    ASSERT_OK_AND_ASSIGN(const auto before, transfers_.books.Run(kFirst));
    EXPECT_TRUE(before.is_final() && before.journals_final());
    EXPECT_EQ(before.standing.released_count, 2);
    EXPECT_EQ(before.standing.released_gross, 10'500);
    EXPECT_TRUE(is_kept());
    ASSERT_OK_AND_ASSIGN(const auto after, transfers_.books.Run(kFirst));
    EXPECT_EQ(after.moved, before.moved);
    EXPECT_EQ(after.moved, ReferenceMoved(kFirst));
    EXPECT_EQ(after.moved.Of(Account::kClearing), -10'500);

    // What is kept is what is told, without the rows.
    payout_->Run("UPDATE ledger_day SET amount = amount + 1 WHERE account = 0");
    ASSERT_OK_AND_ASSIGN(const auto kept, transfers_.books.Run(kFirst.Next()));
    EXPECT_EQ(kept.opening.Of(Account::kClearing), -10'499);
    EXPECT_TRUE(kept.openings_closed);
}

// Goal: no report waits for whoever moves money, nor the other way round.
// Method: the ledger's gate is held by a session meanwhile.
TEST_F(BooksTest, ReportsDoNotTakeTheLedgersGate) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kFirst, 10'000)}).empty());
    CloseAndRelease(kFirst);
    // After midnight the first report moves the gate's day on.
    ASSERT_OK_AND_ASSIGN(const auto first, transfers_.books.Run(kFirst));
    EXPECT_TRUE(first.journals_final());
    EXPECT_EQ(Number("SELECT business_date = '2026-11-30' FROM ledger_gate"), 1);
    auto session = payout_->pool.Acquire(std::chrono::seconds(5));
    ASSERT_OK(session.status());
    auto gate = mysql::Transaction::Begin(**session);
    ASSERT_OK(gate.status());
    ASSERT_OK((*session)
                  ->Select(mysql::Query{"test.lock", "SELECT id FROM ledger_gate FOR UPDATE"})
                  .status());
    const auto start = std::chrono::steady_clock::now();
    ASSERT_OK_AND_ASSIGN(const auto of_day, transfers_.books.Run(kFirst));
    EXPECT_TRUE(of_day.journals_final());
    ASSERT_OK_AND_ASSIGN(const auto of_today, transfers_.books.Run(kDue));
    EXPECT_FALSE(of_today.journals_final());
    EXPECT_EQ(of_today.opening, of_day.closing);
    EXPECT_OK(reports_.Run(kFirst).status());
    ASSERT_OK_AND_ASSIGN(const auto terms, transfers_.reader.TermsInForce(MerchantId(7)));
    EXPECT_EQ(terms.cycle, domain::PayoutCycle::kMonthEnd);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

}  // namespace
}  // namespace kessai::payout
