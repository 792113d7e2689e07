// Goal: what is no sale is told apart from what is, for every kind of change.
// Method: each kind by name; random trades against a sum over the accruals one by one.

#include "domain/day_part.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reference.h"

namespace kessai::payout::domain {
namespace {

Accrual Of(ChangeKind kind, std::int64_t gross) {
    Accrual accrual;
    accrual.merchant = MerchantId(1'001);
    accrual.kind = kind;
    accrual.gross = gross;
    return accrual;
}

TEST(DayPartTest, EveryKindHasItsPart) {
    EXPECT_EQ(PartOf(Of(ChangeKind::kCompleted, 100)), std::nullopt);
    EXPECT_EQ(PartOf(Of(ChangeKind::kCaptured, 100)), std::nullopt);
    EXPECT_EQ(PartOf(Of(ChangeKind::kCanceled, -100)), DayPartKind::kReturns);
    EXPECT_EQ(PartOf(Of(ChangeKind::kCanceled, 0)), DayPartKind::kNeutral);
    EXPECT_EQ(PartOf(Of(ChangeKind::kRefunded, -1)), DayPartKind::kReturns);
    for (const ChangeKind kind :
         {ChangeKind::kMerchantCashback, ChangeKind::kMerchantCashbackReturned,
          ChangeKind::kMerchantCoupon, ChangeKind::kMerchantCouponReturned}) {
        EXPECT_EQ(PartOf(Of(kind, GrossSign(kind) * 10)), DayPartKind::kBenefits);
    }
    for (const ChangeKind kind :
         {ChangeKind::kAuthorized, ChangeKind::kReverted, ChangeKind::kExpired,
          ChangeKind::kOperatorCashback, ChangeKind::kOperatorCashbackReturned,
          ChangeKind::kOperatorCoupon, ChangeKind::kOperatorCouponReturned}) {
        EXPECT_EQ(PartOf(Of(kind, 0)), DayPartKind::kNeutral);
    }
}

TEST(DayPartTest, PartsSumToWhatIsNoSale) {
    Seeded random;
    for (int round = 0; round < 200; ++round) {
        std::vector<Accrual> accruals;
        Sums expected;
        const BusinessDate first = BusinessDate::FromNumber(20191001).value();
        for (const PaymentChange& change :
             RandomTrade(random, random.Between(0, 50), 3, 1, first, 5)) {
            Accrual accrual = Of(change.kind, GrossSign(change.kind) * change.amount);
            accrual.merchant = change.merchant;
            accrual.business_date = change.business_date;
            accrual.payment_date = change.payment_date;
            accruals.push_back(accrual);
            if (PartOf(accrual)) expected = expected + Sums{accrual.gross, accrual.fee, 1};
        }
        Sums found;
        for (const DayPart& part : SumParts(accruals)) {
            found = found + part.part.sums;
            EXPECT_LE(part.payment_first, part.payment_last);
            EXPECT_LE(part.payment_last, part.business_date);
        }
        EXPECT_EQ(found, expected);
    }
}

TEST(DayPartTest, APartKnowsTheDaysOfItsPayments) {
    std::vector<Accrual> accruals(3, Of(ChangeKind::kRefunded, -10));
    for (Accrual& accrual : accruals) {
        accrual.business_date = BusinessDate::FromNumber(20191005).value();
    }
    accruals[0].payment_date = BusinessDate::FromNumber(20191003).value();
    accruals[1].payment_date = BusinessDate::FromNumber(20190901).value();
    accruals[2].payment_date = BusinessDate::FromNumber(20191005).value();
    const auto parts = SumParts(accruals);
    ASSERT_EQ(parts.size(), 1u);
    EXPECT_EQ(parts[0].payment_first, accruals[1].payment_date);
    EXPECT_EQ(parts[0].payment_last, accruals[2].payment_date);
    EXPECT_EQ(parts[0].part.sums, (Sums{-30, 0, 3}));
}

}  // namespace
}  // namespace kessai::payout::domain
