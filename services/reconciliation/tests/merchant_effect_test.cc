#include "domain/merchant_effect.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace kessai::reconciliation::domain {
namespace {

// Goal: what reconciliation expects a merchant to gain is what payment's ledger gives it.
// Method: every kind of change, and the amounts at the edges.
TEST(MerchantEffectTest, WhatIsPaidComesAndWhatIsReturnedGoes) {
    using enum PaymentKind;
    EXPECT_EQ(MerchantEffect(kCompleted, Yen(500)).value(), Yen(500));
    EXPECT_EQ(MerchantEffect(kCaptured, Yen(500)).value(), Yen(500));
    EXPECT_EQ(MerchantEffect(kCanceled, Yen(500)).value(), Yen(-500));
    EXPECT_EQ(MerchantEffect(kRefunded, Yen(1)).value(), Yen(-1));
    EXPECT_EQ(MerchantEffect(kRefunded, Yen(0)).value(), Yen(0));
    const auto most = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(MerchantEffect(kRefunded, Yen(most)).value(), Yen(-most));
}

TEST(MerchantEffectTest, HoldsOfACustomerAreChangesOfNothing) {
    using enum PaymentKind;
    for (const auto kind : {kAuthorized, kReverted, kExpired}) {
        EXPECT_EQ(MerchantEffect(kind, Yen(500)).value(), Yen(0));
    }
}

TEST(MerchantEffectTest, BenefitsAreOfWhoBearsThem) {
    using enum PaymentKind;
    EXPECT_EQ(MerchantEffect(kMerchantCashback, Yen(500)).value(), Yen(-500));
    EXPECT_EQ(MerchantEffect(kMerchantCashbackReturned, Yen(500)).value(), Yen(500));
    EXPECT_EQ(MerchantEffect(kMerchantCoupon, Yen(500)).value(), Yen(-500));
    EXPECT_EQ(MerchantEffect(kMerchantCouponReturned, Yen(500)).value(), Yen(500));
    for (const PaymentKind kind :
         {kOperatorCashback, kOperatorCashbackReturned, kOperatorCoupon, kOperatorCouponReturned}) {
        EXPECT_EQ(MerchantEffect(kind, Yen(500)).value(), Yen(0));
    }
}

TEST(MerchantEffectTest, RefusesWhatCannotBe) {
    EXPECT_EQ(MerchantEffect(PaymentKind::kRefunded, Yen(-1)).status().reason(), "AMOUNT_NEGATIVE");
    EXPECT_EQ(MerchantEffect(PaymentKind{0}, Yen(1)).status().reason(), "KIND_UNKNOWN");
    EXPECT_EQ(MerchantEffect(PaymentKind{99}, Yen(1)).status().reason(), "KIND_UNKNOWN");
}

}  // namespace
}  // namespace kessai::reconciliation::domain
