#include "domain/payment_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace kessai::payout::domain {
namespace {

BusinessDate Day(std::int32_t yyyymmdd) {
    return BusinessDate::FromNumber(yyyymmdd).value();
}

PaymentChange Completed() {
    PaymentChange change;
    change.event = EventId(1);
    change.key = {PaymentId(10), 1};
    change.business_date = Day(20261122);
    change.payment_date = Day(20261122);
    change.kind = ChangeKind::kCompleted;
    change.merchant = MerchantId(7);
    change.amount = 1'000;
    change.captured_total = 1'000;
    return change;
}

PaymentChange Refunded(std::int64_t before, std::int64_t amount) {
    PaymentChange change = Completed();
    change.kind = ChangeKind::kRefunded;
    change.key.version = 2;
    change.business_date = Day(20261130);
    change.refunded_before = before;
    change.amount = amount;
    return change;
}

TEST(PaymentChangeTest, SignFollowsTheKind) {
    EXPECT_EQ(GrossSign(ChangeKind::kCompleted), 1);
    EXPECT_EQ(GrossSign(ChangeKind::kCaptured), 1);
    EXPECT_EQ(GrossSign(ChangeKind::kRefunded), -1);
    EXPECT_EQ(GrossSign(ChangeKind::kCanceled), -1);
    EXPECT_EQ(GrossSign(ChangeKind::kAuthorized), 0);
    EXPECT_EQ(GrossSign(ChangeKind::kReverted), 0);
    EXPECT_EQ(GrossSign(ChangeKind::kExpired), 0);
    EXPECT_EQ(GrossSign(ChangeKind::kMerchantCashback), -1);
    EXPECT_EQ(GrossSign(ChangeKind::kMerchantCashbackReturned), 1);
    EXPECT_EQ(GrossSign(ChangeKind::kMerchantCoupon), -1);
    EXPECT_EQ(GrossSign(ChangeKind::kMerchantCouponReturned), 1);
    for (const ChangeKind kind :
         {ChangeKind::kOperatorCashback, ChangeKind::kOperatorCashbackReturned,
          ChangeKind::kOperatorCoupon, ChangeKind::kOperatorCouponReturned}) {
        EXPECT_EQ(GrossSign(kind), 0);
        EXPECT_FALSE(HasFee(kind));
    }
}

TEST(PaymentChangeTest, WhatFitsPasses) {
    EXPECT_TRUE(Validate(Completed()).ok());
    EXPECT_TRUE(Validate(Refunded(0, 1'000)).ok());
    EXPECT_TRUE(Validate(Refunded(999, 1)).ok());
    PaymentChange authorized = Completed();
    authorized.kind = ChangeKind::kAuthorized;
    authorized.captured_total = 0;
    EXPECT_TRUE(Validate(authorized).ok());
}

// Goal: numbers that don't fit each other never reach a fee.
// Method: a good change, damaged in one place at a time.
TEST(PaymentChangeTest, WhatDoesNotFitIsRefusedByName) {
    const auto reason = [](PaymentChange change, std::function<void(PaymentChange&)> damage) {
        damage(change);
        return std::string(Validate(change).reason());
    };
    using C = PaymentChange;
    EXPECT_EQ(reason(Completed(), [](C& c) { c.key.payment = PaymentId(0); }), "FIELD_INVALID");
    EXPECT_EQ(reason(Completed(), [](C& c) { c.key.payment = PaymentId(-1); }), "FIELD_INVALID");
    EXPECT_EQ(reason(Completed(), [](C& c) { c.key.version = 0; }), "FIELD_INVALID");
    EXPECT_EQ(reason(Completed(), [](C& c) { c.merchant = MerchantId(0); }), "FIELD_INVALID");
    EXPECT_EQ(reason(Completed(), [](C& c) { c.amount = 0; }), "FIELD_INVALID");
    EXPECT_EQ(reason(Completed(), [](C& c) { c.amount = -1; }), "FIELD_INVALID");
    EXPECT_EQ(reason(Completed(), [](C& c) { c.captured_total = 999; }), "FIELD_INVALID");
    EXPECT_EQ(reason(Completed(), [](C& c) { c.refunded_before = 1; }), "FIELD_INVALID");
    EXPECT_EQ(reason(Completed(), [](C& c) { c.payment_date = Day(20261121); }), "FIELD_INVALID");
    EXPECT_EQ(reason(Refunded(0, 1), [](C& c) { c.payment_date = Day(20261201); }),
              "FIELD_INVALID");
    EXPECT_EQ(reason(Completed(), [](C& c) { c.amount = c.captured_total = kMaxAmount + 1; }),
              "AMOUNT_OVERFLOW");
    EXPECT_EQ(reason(Completed(), [](C& c) { c.amount = INT64_MAX; }), "AMOUNT_OVERFLOW");
    EXPECT_EQ(reason(Refunded(1, 1'000), [](C&) {}), "REFUND_EXCEEDS_PAYMENT");
    EXPECT_EQ(reason(Refunded(1'001, 1), [](C&) {}), "REFUND_EXCEEDS_PAYMENT");
    EXPECT_EQ(reason(Refunded(0, 0), [](C&) {}), "FIELD_INVALID");
    EXPECT_EQ(reason(Refunded(0, 999), [](C& c) { c.kind = ChangeKind::kCanceled; }),
              "FIELD_INVALID");
    EXPECT_EQ(reason(Refunded(0, 1), [](C& c) { c.captured_total = 0; }), "FIELD_INVALID");
    const auto cashback = [](C& c) { c.kind = ChangeKind::kMerchantCashback; };
    EXPECT_EQ(reason(Refunded(0, 1'000), cashback), "");
    EXPECT_EQ(reason(Refunded(0, 1'001), cashback), "FIELD_INVALID");
    EXPECT_EQ(reason(Refunded(0, 0), cashback), "FIELD_INVALID");
    EXPECT_EQ(reason(Refunded(0, -1), cashback), "FIELD_INVALID");
    const MethodSplit points{{Method::kPoint, 1'000}};
    EXPECT_EQ(reason(Completed(), [&](C& c) { c.captured_methods = points; }), "");
    EXPECT_EQ(reason(Refunded(0, 1), [&](C& c) { c.captured_methods = points; }), "");
    EXPECT_EQ(reason(Refunded(0, 1), [&](C& c) { c.methods = points; }), "FIELD_INVALID");
    EXPECT_EQ(reason(Completed(),
                     [](C& c) {
                         c.captured_methods = {{Method::kPoint, 999}};
                     }),
              "FIELD_INVALID");
    EXPECT_EQ(reason(Completed(),
                     [](C& c) {
                         c.captured_methods = {{Method::kWallet, 1'000}};
                     }),
              "FIELD_INVALID");
}

}  // namespace
}  // namespace kessai::payout::domain
