#include "app/restore_accrual.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "kessai/digest/accumulator.h"
#include "kessai/event/envelope.h"
#include "kessai/testing/matchers.h"
#include "storage/mysql_restoring_store.h"
#include "tests/payout_fixture.h"
#include "tests/reference.h"

namespace kessai::payout {
namespace {

using testing::IsOk;
using testing::IsOkAnd;
using testing::Refuses;

const BusinessDate kDay = Day(20261122);

/// An accrual whose row is gone, and what puts it back.
class RestoreTest : public PayoutTest {
 protected:
    RestoreTest()
        : store_(payout_->pool, kPartitions, payout_->hasher, payout_->encoder, SystemClock(), {}),
          restore_(store_, payout_->plans, domain::TaxTable::Japan(), payout_->encoder,
                   payout_->hasher, SystemClock()) {}

    domain::ContentHash ContentOf(domain::EffectKey key) {
        const auto stored = payout_->reader.FindAccrual(key);
        KESSAI_CHECK(stored.ok(), stored.status().ToString());
        const auto sealed = payout_->encoder.AccrualRecorded(stored->accrual, stored->recorded_at);
        KESSAI_CHECK(sealed.ok(), sealed.status().ToString());
        return event::Open(*sealed)->content_hash;
    }
    /// The change with the content of the event that it was delivered as.
    domain::PaymentChange AsDelivered(domain::PaymentChange change) {
        const auto stored = payout_->reader.FindAccrual(change.key);
        KESSAI_CHECK(stored.ok(), stored.status().ToString());
        change.content_hash = stored->accrual.content_hash;
        return change;
    }
    void Lose(domain::EffectKey key) {
        payout_->Run("DELETE FROM accrual WHERE payment_id = " + key.payment.ToString());
    }
    /// Everything of the day but the accruals themselves.
    std::string Kept() {
        std::string kept;
        for (const char* sql :
             {"SELECT COALESCE(SUM(gross * 31 + fee * 7 + item_count), 0) FROM merchant_day_total",
              "SELECT COALESCE(SUM(row_count * 31 + signed_gross + hash0), 0) FROM day_digest",
              "SELECT COALESCE(SUM(CRC32(seal)), 0) FROM day_chunk",
              "SELECT COALESCE(SUM(gross + fee * 3 + net * 7), 0) FROM merchant_release",
              "SELECT COUNT(*) FROM outbox"}) {
            kept += std::to_string(payout_->Number(sql)) + " ";
        }
        return kept;
    }

    storage::MysqlRestoringStore store_;
    app::RestoreAccrual restore_;
};

// Goal: what was lost behind payout's back is there again, to the last byte, and nothing that was
// kept, sealed or released of the day moves.
// Method: a row is lost while the day is open, when it is sealed, and when it is released; the
// event that the restored row makes is the one that was told.
TEST_F(RestoreTest, WhatTheDayCountsIsPutBackAsItWas) {
    auto sale = Sale(1, 7, kDay, 1'000);
    const Instant before = SystemClock().Now();
    ASSERT_TRUE(payout_->Deliver({sale, Sale(2, 7, kDay, 500), Sale(3, 8, kDay, 700)}).empty());
    sale = AsDelivered(sale);
    const auto told = ContentOf(sale.key);
    const auto lose_and_restore = [&] {
        const std::string kept = Kept();
        const auto stored = payout_->reader.FindAccrual(sale.key);
        ASSERT_THAT(stored, IsOk());
        Lose(sale.key);
        const auto dry = restore_.Run(sale, before, told, {}, /*dry_run=*/true);
        ASSERT_THAT(dry, IsOk());
        EXPECT_EQ(dry->accrual.gross, 1'000);
        EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM accrual"), 2);
        const auto restored = restore_.Run(sale, before, told, {}, /*dry_run=*/false);
        ASSERT_THAT(restored, IsOk());
        EXPECT_TRUE(restored->restored);
        EXPECT_EQ(restored->accrual.fee, stored->accrual.fee);
        EXPECT_EQ(ContentOf(sale.key), told);
        EXPECT_EQ(Kept(), kept);
        const auto again = restore_.Run(sale, before, told, {}, /*dry_run=*/false);
        ASSERT_THAT(again, IsOk());
        EXPECT_FALSE(again->restored) << "again changes nothing";
        EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM accrual"), 3);
    };
    lose_and_restore();
    payout_->DrainOutbox();
    payout_->Close(kDay);
    lose_and_restore();
    ASSERT_THAT(payout_->release_day.Run(kDay, true), IsOk());
    lose_and_restore();
    const auto deep = payout_->release_day.Run(kDay, true);
    ASSERT_THAT(deep, IsOk());
}

// Goal: a row that was changed behind payout's back is as it was, if the day's digest or what was
// told has it so.
TEST_F(RestoreTest, WhatWasChangedIsPutBackAsItWas) {
    auto sale = Sale(1, 7, kDay, 1'000);
    const Instant before = SystemClock().Now();
    ASSERT_TRUE(payout_->Deliver({sale, Sale(2, 7, kDay, 500)}).empty());
    sale = AsDelivered(sale);
    const auto told = ContentOf(sale.key);
    payout_->DrainOutbox();
    payout_->Close(kDay);
    const std::string kept = Kept();
    for (const char* damage : {"gross = 900, captured_total = 900", "merchant_id = 8", "fee = 1",
                               "gross = 900, merchant_id = 8, recorded_at_us = 5"}) {
        payout_->Run(std::string("UPDATE accrual SET ") + damage + " WHERE payment_id = 1");
        const auto dry = restore_.Run(sale, before, told, {}, /*dry_run=*/true);
        ASSERT_THAT(dry, IsOk()) << damage;
        EXPECT_TRUE(dry->restored);
        EXPECT_THAT(restore_.Run(sale, before, told, {}, /*dry_run=*/false), IsOk()) << damage;
        EXPECT_EQ(ContentOf(sale.key), told) << damage;
        EXPECT_EQ(Kept(), kept) << damage;
    }
    // The digest is another's fault too: what was told shows how it was accrued.
    payout_->Run("UPDATE accrual SET gross = 900 WHERE payment_id = 1");
    payout_->Run("UPDATE day_digest SET signed_gross = signed_gross - 100");
    EXPECT_THAT(restore_.Run(sale, before, std::nullopt, {}, false).status(),
                Refuses(Code::kAlreadyExists, "EFFECT_CONFLICT"));
    EXPECT_THAT(restore_.Run(sale, before, told, {}, false), IsOk());
    EXPECT_EQ(ContentOf(sale.key), told);
}

// Goal: what was never accrued is accrued while the day is open, and refused once it is sealed.
TEST_F(RestoreTest, WhatTheDayDoesNotCountIsAccruedOnlyWhileItIsOpen) {
    const auto sale = Sale(1, 7, kDay, 1'000);
    ASSERT_TRUE(payout_->Deliver({Sale(2, 7, kDay, 500)}).empty());
    const auto accrued = restore_.Run(sale, SystemClock().Now(), std::nullopt, {}, false);
    ASSERT_THAT(accrued, IsOk());
    EXPECT_TRUE(accrued->restored);
    EXPECT_EQ(payout_->Number("SELECT SUM(gross) FROM merchant_day_total"), 1'500);
    EXPECT_EQ(payout_->Number("SELECT SUM(row_count) FROM day_digest"), 2);
    EXPECT_EQ(payout_->Number("SELECT SUM(entry_count) FROM outbox"), 2);

    payout_->DrainOutbox();
    payout_->Close(kDay);
    const std::string kept = Kept();
    EXPECT_THAT(
        restore_.Run(Sale(9, 7, kDay, 40), SystemClock().Now(), std::nullopt, {}, false).status(),
        Refuses(Code::kFailedPrecondition, "DAY_CLOSED"));
    EXPECT_EQ(Kept(), kept);
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM accrual"), 2);
}

// Goal: an accrual that was told is put back though neither a row nor the digest of the closed day
// has it; what was not told so is not.
TEST_F(RestoreTest, WhatWasToldIsPutBackThoughTheDigestLostItToo) {
    auto sale = Sale(1, 7, kDay, 1'000);
    const Instant before = SystemClock().Now();
    ASSERT_TRUE(payout_->Deliver({sale, Sale(2, 7, kDay, 500)}).empty());
    sale = AsDelivered(sale);
    const auto told = ContentOf(sale.key);
    payout_->DrainOutbox();
    payout_->Close(kDay);
    const std::int64_t totals = payout_->Number("SELECT SUM(gross) FROM merchant_day_total");
    Lose(sale.key);
    payout_->Run("UPDATE day_digest SET row_count = row_count - 1 WHERE bucket = " +
                 std::to_string(digest::BucketOf(1)));

    EXPECT_THAT(restore_.Run(sale, before, std::nullopt, {}, false).status(),
                Refuses(Code::kFailedPrecondition, "DAY_CLOSED"));
    auto another = told;
    another[0] ^= 1;
    EXPECT_THAT(restore_.Run(sale, before, another, {}, false).status(),
                Refuses(Code::kAlreadyExists, "EFFECT_CONFLICT"));
    const auto restored = restore_.Run(sale, before, told, {}, false);
    ASSERT_THAT(restored, IsOk());
    EXPECT_TRUE(restored->restored);
    EXPECT_EQ(ContentOf(sale.key), told);
    EXPECT_EQ(payout_->Number("SELECT SUM(gross) FROM merchant_day_total"), totals);
}

// Goal: what was told is put back however long after the change it was accrued.
// Method: an hour after it. Then its time is known by another row of its batch and bucket, or by
// when it was heard.
TEST_F(RestoreTest, WhatWasToldIsPutBackHoweverLateItWasAccrued) {
    auto sale = Sale(1, 7, kDay, 1'000);
    std::int64_t neighbour = 2;
    while (digest::BucketOf(neighbour) != digest::BucketOf(1)) ++neighbour;
    const Instant long_before = SystemClock().Now() - std::chrono::hours(1);
    ASSERT_TRUE(payout_->Deliver({sale, Sale(neighbour, 7, kDay, 500)}).empty());
    const Instant heard_at = SystemClock().Now();
    sale = AsDelivered(sale);
    const auto told = ContentOf(sale.key);
    payout_->DrainOutbox();
    payout_->Close(kDay);
    payout_->Run("DELETE FROM day_digest");

    Lose(sale.key);
    EXPECT_THAT(restore_.Run(sale, long_before, told, {}, false), IsOk());
    EXPECT_EQ(ContentOf(sale.key), told);

    Lose(sale.key);
    Lose(Sale(neighbour, 7, kDay, 500).key);
    EXPECT_THAT(restore_.Run(sale, long_before, told, {}, false).status(),
                Refuses(Code::kAlreadyExists, "EFFECT_CONFLICT"));
    EXPECT_THAT(restore_.Run(sale, long_before, told, heard_at, false), IsOk());
    EXPECT_EQ(ContentOf(sale.key), told);
}

// Goal: only what the day misses is put back, not something else in its place.
TEST_F(RestoreTest, AnotherContentIsRefused) {
    auto sale = Sale(1, 7, kDay, 1'000);
    ASSERT_TRUE(payout_->Deliver({sale}).empty());
    sale = AsDelivered(sale);
    auto other = Sale(1, 7, kDay, 1'001);
    other.content_hash = sale.content_hash;
    other.content_hash[0] ^= 1;
    const auto run = [&](const domain::PaymentChange& change) {
        return restore_.Run(change, SystemClock().Now(), std::nullopt, {}, false).status();
    };
    EXPECT_THAT(run(other), Refuses(Code::kAlreadyExists, "EFFECT_CONFLICT"));
    Lose(sale.key);
    EXPECT_THAT(run(other), Refuses(Code::kAlreadyExists, "EFFECT_CONFLICT"));
    EXPECT_THAT(run(sale), IsOk());
}

// Goal: an accrual's event is told again as it was, behind what was told before.
TEST_F(RestoreTest, AccrualsAreToldAgain) {
    const auto sale = Sale(1, 7, kDay, 1'000);
    const auto refund = Refund(sale, 2, kDay, 300, 0);
    ASSERT_TRUE(payout_->Deliver({sale, refund}).empty());
    payout_->DrainOutbox();
    EXPECT_THAT(store_.Republish(std::array{sale.key, domain::EffectKey{domain::PaymentId(1), 9}}),
                Refuses(Code::kNotFound, "EVENT_UNKNOWN"));
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM outbox"), 0) << "all of them or none";
    ASSERT_THAT(store_.Republish(std::array{sale.key, refund.key}), IsOk());
    EXPECT_EQ(payout_->Number("SELECT SUM(entry_count) FROM outbox"), 2);
}

// Goal: an accrual is found whatever day its row says, and by its key alone.
TEST_F(RestoreTest, RowsAreFoundByTheirKeys) {
    const auto sale = Sale(1, 7, kDay, 1'000);
    const auto refund = Refund(sale, 2, kDay, 300, 0);
    ASSERT_TRUE(payout_->Deliver({sale, refund, Sale(2, 7, kDay, 500)}).empty());
    payout_->Run("UPDATE accrual SET business_date = '2026-01-02' WHERE payment_id = 2");
    auto found = store_.FindRows(std::array{refund.key, domain::EffectKey{domain::PaymentId(2), 1},
                                            domain::EffectKey{domain::PaymentId(2), 2},
                                            domain::EffectKey{domain::PaymentId(3), 1}});
    ASSERT_THAT(found, IsOk());
    std::ranges::sort(*found, {}, &app::DatedRow::key);
    ASSERT_EQ(found->size(), 2u);
    EXPECT_EQ((*found)[0].key, refund.key);
    EXPECT_EQ((*found)[0].gross, -300);
    EXPECT_EQ((*found)[0].business_date, kDay);
    EXPECT_EQ((*found)[1].business_date, Day(20260102));
    EXPECT_EQ((*found)[1].merchant, domain::MerchantId(7));
}

// Goal: a closed day's kept digest is that of its accruals again, once by its key.
TEST_F(RestoreTest, ADigestIsComputedAgain) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kDay, 1'000)}).empty());
    const int bucket = digest::BucketOf(1);
    EXPECT_THAT(store_.RecomputeDigest(kDay, bucket, "").status(),
                Refuses(Code::kFailedPrecondition, "DAY_OPEN"));
    payout_->DrainOutbox();
    payout_->Close(kDay);
    payout_->Run("UPDATE day_digest SET signed_gross = 7, hash2 = hash2 + 5");
    const auto done = store_.RecomputeDigest(kDay, bucket, "recon-5-1");
    ASSERT_THAT(done, IsOk());
    EXPECT_EQ(done->before.signed_gross, 7);
    EXPECT_EQ(done->after.signed_gross, 1'000);
    EXPECT_THAT(store_.RecomputeDigest(kDay, bucket, "recon-5-1"), IsOkAnd(*done));
    const auto kept = payout_->reader.Digests(kDay, false, digest::BucketRange{});
    const auto of_rows = payout_->reader.Digests(kDay, true, digest::BucketRange{});
    ASSERT_THAT(kept, IsOk());
    ASSERT_THAT(of_rows, IsOk());
    EXPECT_EQ(*kept, *of_rows);
}

}  // namespace
}  // namespace kessai::payout
