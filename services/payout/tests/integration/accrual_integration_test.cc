#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "kessai/digest/accumulator.h"
#include "tests/payout_fixture.h"
#include "tests/reference.h"

namespace kessai::payout {
namespace {

const BusinessDate kDay = Day(20261122);

domain::PlanBook DefaultPlanBook() {
    domain::FeePlan plan;
    plan.id = domain::PlanId(1);
    plan.version = 1;
    plan.terms.rate_basis_points = 198;
    plan.effective_from = Day(20200101);
    plan.revision = 1;
    domain::PlanBook book;
    book.Add(plan);
    return book;
}

class AccrualTest : public PayoutTest {
 protected:
    /// By the server, since it started; it is this test's alone.
    std::int64_t FilesLoaded() {
        return payout_->Number(
            "SELECT CAST(variable_value AS SIGNED) FROM information_schema.global_status "
            "WHERE variable_name = 'Com_load'");
    }
    /// What the tables hold is what the rules say of `changes`, each counted once.
    void ExpectAccrued(const std::vector<domain::PaymentChange>& changes) {
        const auto accruals = ReferenceAccruals(changes, DefaultPlanBook());
        for (const auto& [key, expected] : accruals) {
            ASSERT_OK_AND_ASSIGN(const auto stored, payout_->reader.FindAccrual(key));
            domain::Accrual actual = stored.accrual;
            actual.content_hash = expected.content_hash;
            // Zero captured cannot be told from the gross of nothing, and is the same.
            ASSERT_EQ(actual, expected) << key.payment.ToString() << "/" << key.version;
        }
        EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM accrual"),
                  static_cast<std::int64_t>(accruals.size()));
        for (const auto& [where, sums] : ReferenceTotals(accruals)) {
            ASSERT_OK_AND_ASSIGN(const auto day,
                                 payout_->reader.FindMerchantDay(where.second, where.first));
            ASSERT_EQ(day.sums, sums) << where.second.ToString();
        }
        EXPECT_EQ(payout_->Number("SELECT SUM(item_count) FROM merchant_day_total"),
                  static_cast<std::int64_t>(accruals.size()));
        EXPECT_EQ(payout_->Number("SELECT SUM(row_count) FROM day_digest"),
                  static_cast<std::int64_t>(accruals.size()));
        EXPECT_EQ(payout_->Number("SELECT SUM(entry_count) FROM outbox"),
                  static_cast<std::int64_t>(accruals.size()));
    }
};

// Goal: every change of a payment is accrued once by the rules, with its totals, digest and result.
// Method: a random trade in random batches; every row against the reference. Then all of it again,
// and in other batches: nothing changes.
TEST_F(AccrualTest, EveryChangeIsAccruedOnceByTheRules) {
    Seeded random;
    auto changes = RandomTrade(random, 600, 12, 1'000'000, kDay, 3);
    EXPECT_TRUE(payout_->Deliver(changes, 40).empty());
    ExpectAccrued(changes);

    EXPECT_TRUE(payout_->Deliver(changes, 7).empty());
    std::shuffle(changes.begin(), changes.end(), random.engine());
    EXPECT_TRUE(payout_->Deliver(changes, 300).empty());
    ExpectAccrued(changes);
}

// Goal: a consumer that is behind stores by file what it else stores by statements, and the same.
// Method: batches of whole partitions, with changes of every kind; then all of it again in small
// ones, and once more in large ones.
TEST_F(AccrualTest, LargeBatchesAreStoredAsSmallOnesAre) {
    Seeded random;
    auto changes = RandomTrade(random, 5'000, 40, 3'000'000, kDay, 1);
    const std::int64_t files = FilesLoaded();
    EXPECT_TRUE(payout_->Deliver(changes, 5'000).empty());
    EXPECT_GE(FilesLoaded(), files + kPartitions);
    ExpectAccrued(changes);

    EXPECT_TRUE(payout_->Deliver(changes, 50).empty());
    std::shuffle(changes.begin(), changes.end(), random.engine());
    EXPECT_TRUE(payout_->Deliver(changes, 5'000).empty());
    ExpectAccrued(changes);
}

// Goal: what cannot be accrued is named, and the rest of its batch is accrued.
TEST_F(AccrualTest, WhatIsRefusedIsLeftOut) {
    domain::PaymentChange huge = Sale(11, 7, kDay, 1'000);
    huge.amount = huge.captured_total = domain::kMaxAmount + 1;
    domain::PaymentChange returns_more = Refund(Sale(12, 7, kDay, 1'000), 2, kDay, 900, 200);
    domain::PaymentChange early = Sale(13, 7, Day(20191231), 1'000);
    domain::PaymentChange negative = Sale(14, 7, kDay, 1'000);
    negative.amount = negative.captured_total = -5;
    const domain::PaymentChange good = Sale(15, 7, kDay, 1'000);
    auto refused = payout_->Deliver({huge, returns_more, early, negative, good});
    ASSERT_EQ(refused.size(), 4u);
    EXPECT_EQ(refused[huge.key].reason(), "AMOUNT_OVERFLOW");
    EXPECT_EQ(refused[returns_more.key].reason(), "REFUND_EXCEEDS_PAYMENT");
    EXPECT_EQ(refused[early.key].reason(), "PLAN_MISSING");
    EXPECT_EQ(refused[negative.key].reason(), "FIELD_INVALID");
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM accrual"), 1);
    EXPECT_EQ(payout_->Number("SELECT SUM(gross) FROM merchant_day_total"), 1'000);
}

// Goal: however often an effect is written, the table takes it once, whatever day it claims.
// Method: the same key with another day past the effects' look-up, alone and last in a batch that
// goes by file.
TEST_F(AccrualTest, EffectKeyIsUniqueOverDays) {
    ASSERT_TRUE(payout_->Deliver({Sale(21, 7, kDay, 1'000)}).empty());
    domain::PaymentChange other = Sale(21, 7, kDay.Next(), 1'000);
    const auto refused = [&](std::vector<domain::PaymentChange> changes) {
        std::vector<inbox::Delivery> batch;
        for (domain::PaymentChange& change : changes) {
            batch.push_back({.event = event::Open(SealPaymentEvent(change)).value(),
                             .traceparent = {},
                             .offset = 0});
        }
        inbox::Rejections rejections;
        return mysql::InTransaction(payout_->pool, {}, [&](mysql::Session& session) {
            return payout_->handler.Apply(session, {"payment.events.v1", PartitionOf(other), batch},
                                          rejections);
        });
    };
    std::vector<domain::PaymentChange> many;
    for (std::int64_t payment = 22; many.size() < 300; ++payment) {
        const domain::PaymentChange sale = Sale(payment, 7, kDay.Next(), 1'000);
        if (PartitionOf(sale) == PartitionOf(other)) many.push_back(sale);
    }
    many.push_back(other);
    const std::int64_t files = FilesLoaded();
    EXPECT_THAT(refused({other}), testing::Refuses(Code::kAlreadyExists, "DUPLICATE_KEY"));
    EXPECT_EQ(FilesLoaded(), files);
    EXPECT_THAT(refused(many), testing::Refuses(Code::kAlreadyExists, "DUPLICATE_KEY"));
    EXPECT_GT(FilesLoaded(), files);
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM accrual"), 1);
    EXPECT_EQ(payout_->Number("SELECT SUM(gross) FROM merchant_day_total"), 1'000);
    EXPECT_EQ(payout_->Number("SELECT SUM(entry_count) FROM outbox"), 1);
}

domain::FeePlan Plan(std::int64_t merchant, BusinessDate from, std::uint32_t rate) {
    domain::FeePlan plan;
    plan.merchant = domain::MerchantId(merchant);
    plan.effective_from = from;
    plan.terms.rate_basis_points = rate;
    return plan;
}

TEST_F(AccrualTest, PlanIsInForceFromItsDayOn) {
    const BusinessDate today = BusinessDate::OfJst(SystemClock().Now());
    ASSERT_TRUE(payout_->Deliver({Sale(31, 7, today, 1'000)}).empty());
    EXPECT_THAT(payout_->put_fee_plan.Run(Plan(7, today, 500), "tester"),
                testing::Refuses(Code::kFailedPrecondition, "PLAN_IN_PAST"));
    ASSERT_OK_AND_ASSIGN(const auto stored,
                         payout_->put_fee_plan.Run(Plan(7, today.Next(), 500), "tester"));
    EXPECT_EQ(stored.version, 1u);
    ASSERT_OK_AND_ASSIGN(const auto repeated,
                         payout_->put_fee_plan.Run(Plan(7, today.Next(), 500), "tester"));
    EXPECT_EQ(repeated.id, stored.id);
    EXPECT_EQ(repeated.version, 1u);
    ASSERT_TRUE(payout_
                    ->Deliver({Sale(32, 7, today, 1'000), Sale(33, 7, today.Next(), 1'000),
                               Refund(Sale(31, 7, today, 1'000), 2, today.Next(), 1'000, 0)})
                    .empty());
    const auto fee = [&](std::int64_t payment, std::uint32_t version) {
        return payout_->reader.FindAccrual({domain::PaymentId(payment), version})->accrual.fee;
    };
    EXPECT_EQ(fee(32, 1), 19);
    EXPECT_EQ(fee(33, 1), 50);
    EXPECT_EQ(fee(31, 2), -19);  // By the plan of the payment's own day.

    // Once there are accruals of the next day it cannot begin a plan either.
    EXPECT_THAT(payout_->put_fee_plan.Run(Plan(8, today.Next(), 400), "tester").status(),
                testing::IsOk());  // Merchant 8's first, before any accrual of its own.
    EXPECT_THAT(payout_->put_fee_plan.Run(Plan(0, today.PlusDays(9), 400), "tester"),
                testing::Refuses(Code::kFailedPrecondition, "PLAN_OVERLAPS"));
    domain::FeePlan next_default = Plan(0, today.Next(), 400);
    next_default.id = domain::PlanId(1);
    EXPECT_THAT(payout_->put_fee_plan.Run(next_default, "tester"),
                testing::Refuses(Code::kFailedPrecondition, "PLAN_IN_PAST"));
    next_default.effective_from = today.PlusDays(2);
    EXPECT_OK(payout_->put_fee_plan.Run(next_default, "tester").status());
    ASSERT_OK_AND_ASSIGN(const auto defaults,
                         payout_->reader.ListPlans(domain::MerchantId(), 0, 100));
    EXPECT_EQ(defaults.plans.size(), 2u);
}

// Goal: a plan put while events stream in is in force for all events after it or for none: never
// for some that came before.
// Method: merchants' first plans, in force at once, race with their first payments on two
// processes' worth of caches. Either the plan was refused because of an accrual, or every accrual
// has it.
TEST_F(AccrualTest, PlansPutWhileEventsComeAreSeenByAllOrNone) {
    const BusinessDate today = BusinessDate::OfJst(SystemClock().Now());
    Payout other(schema_->options());
    constexpr int kMerchants = 60;
    std::vector<domain::PaymentChange> mine;
    std::vector<domain::PaymentChange> others;
    for (std::int64_t i = 0; i < kMerchants * 8; ++i) {
        const auto change = Sale(5'000 + i, 100 + i / 8, today, 1'000);
        (PartitionOf(change) % 2 == 0 ? mine : others).push_back(change);
    }
    std::map<std::int64_t, bool> put;
    std::thread consumer([&] { EXPECT_TRUE(payout_->Deliver(mine, 5).empty()); });
    std::thread second([&] { EXPECT_TRUE(other.Deliver(others, 5).empty()); });
    for (std::int64_t merchant = 100; merchant < 100 + kMerchants; ++merchant) {
        const auto outcome = other.put_fee_plan.Run(Plan(merchant, today, 500), "tester");
        put[merchant] = outcome.ok();
        if (!outcome.ok()) {
            EXPECT_EQ(outcome.status().reason(), "PLAN_IN_PAST");
        }
    }
    consumer.join();
    second.join();
    for (const auto& [merchant, in_force] : put) {
        ASSERT_OK_AND_ASSIGN(const auto day,
                             payout_->reader.FindMerchantDay(domain::MerchantId(merchant), today));
        EXPECT_EQ(day.sums.fee, 8 * (in_force ? 50 : 19)) << merchant;
    }
}

// Goal: the digests kept batch by batch are those of the rows.
TEST_F(AccrualTest, KeptDigestsAreThoseOfTheRows) {
    Seeded random;
    const auto changes = RandomTrade(random, 300, 9, 2'000'000, kDay, 1);
    ASSERT_TRUE(payout_->Deliver(changes, 25).empty());
    EXPECT_THAT(payout_->reader.Digests(kDay, false, {}),
                testing::Refuses(Code::kFailedPrecondition, "DAY_OPEN"));
    payout_->Close(kDay);
    ASSERT_OK_AND_ASSIGN(const auto kept, payout_->reader.Digests(kDay, false, {}));
    ASSERT_OK_AND_ASSIGN(const auto deep, payout_->reader.Digests(kDay, true, {}));
    digest::Accumulator expected(payout_->hasher);
    for (const auto& [key, accrual] : ReferenceAccruals(changes, DefaultPlanBook())) {
        expected.Add({key.payment.value(), key.version, accrual.business_date,
                      accrual.merchant.value(), accrual.gross});
    }
    EXPECT_TRUE(digest::UnequalBuckets(kept, deep).empty());
    EXPECT_TRUE(digest::UnequalBuckets(kept, expected.Day(kDay)).empty());
    const digest::BucketRange some{.first = 100, .count = 300};
    for (const bool of_rows : {false, true}) {
        EXPECT_THAT(payout_->reader.Digests(kDay, of_rows, some),
                    testing::IsOkAnd(digest::OnlyOf(some, kept)));
    }

    std::int64_t listed = 0;
    for (int bucket = 0; bucket < digest::kBuckets; ++bucket) {
        domain::EffectKey last;
        ASSERT_OK(payout_->reader.StreamRows(kDay, bucket, [&](const app::DayRow& row) {
            EXPECT_EQ(digest::BucketOf(row.key.payment.value()), bucket);
            EXPECT_LT(last, row.key);
            last = row.key;
            ++listed;
            return true;
        }));
    }
    EXPECT_EQ(listed, static_cast<std::int64_t>(changes.size()));

    // One altered row: its bucket alone differs from the deep digest.
    payout_->Run("UPDATE accrual SET gross = gross + 1 ORDER BY payment_id LIMIT 1");
    ASSERT_OK_AND_ASSIGN(const auto damaged, payout_->reader.Digests(kDay, true, {}));
    EXPECT_EQ(digest::UnequalBuckets(kept, damaged).size(), 1u);
    payout_->Run("UPDATE accrual SET gross = gross - 1 ORDER BY payment_id LIMIT 1");

    // A row that stands in another bucket than its own counts where it stands, in whatever range.
    payout_->Run("UPDATE accrual SET bucket = bucket ^ 512 ORDER BY payment_id LIMIT 1");
    ASSERT_OK_AND_ASSIGN(const auto moved, payout_->reader.Digests(kDay, true, {}));
    EXPECT_EQ(digest::UnequalBuckets(kept, moved).size(), 2u);
    for (const int bucket : digest::UnequalBuckets(kept, moved)) {
        const digest::BucketRange alone{.first = bucket, .count = 1};
        EXPECT_THAT(payout_->reader.Digests(kDay, true, alone),
                    testing::IsOkAnd(digest::OnlyOf(alone, moved)));
    }
}

}  // namespace
}  // namespace kessai::payout
