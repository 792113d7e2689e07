#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "domain/reason.h"
#include "domain/release.h"
#include "kessai/payment/v1/payment_event.pb.h"
#include "kessai/payout/v1/payout_service.pb.h"
#include "kessai/testing/matchers.h"
#include "transport/payout_service.h"

namespace kessai::payout::transport {
namespace {

// Goal: every method of the contract says who may call it.
TEST(PayoutContractTest, PolicyFitsTheContract) {
    const auto* service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
        std::string(kServiceName));
    ASSERT_NE(service, nullptr);
    EXPECT_OK(Policy().CheckAgainst(*service));
}

// Goal: every reason that the domain refuses with is in the contract.
TEST(PayoutContractTest, ReasonsAreInTheContract) {
    using namespace domain::reason;  // NOLINT
    for (const std::string_view reason :
         {kPlanInvalid,     kPlanInPast,     kPlanOverlaps,    kPlanMissing,
          kMerchantUnknown, kAccrualUnknown, kDayOpen,         kDayUnknown,
          kDayClosed,       kReleaseRunning, kFieldInvalid,    kRefundExceedsPayment,
          kAmountOverflow,  kPlanUnknown,    kMethodUnknown,   kStoreInvalid,
          kTiersEmpty,      kTiersNotRising, kCampaignInvalid, kRulesOverlap,
          kPreviewTooLarge}) {
        EXPECT_NE(v1::Reason_descriptor()->FindValueByName("REASON_" + std::string(reason)),
                  nullptr)
            << reason;
    }
    const std::string unknown(Currency::Parse("USD").status().reason());
    EXPECT_NE(v1::Reason_descriptor()->FindValueByName("REASON_" + unknown), nullptr);
}

// Goal: what is stored as a number means the same on the wire.
TEST(PayoutContractTest, StoredNumbersAreThoseOfTheWire) {
    using kessai::payment::v1::PaymentChanged;
    EXPECT_EQ(static_cast<int>(domain::ChangeKind::kCompleted), PaymentChanged::COMPLETED);
    EXPECT_EQ(static_cast<int>(domain::ChangeKind::kCanceled), PaymentChanged::CANCELED);
    EXPECT_EQ(static_cast<int>(domain::ChangeKind::kRefunded), PaymentChanged::REFUNDED);
    EXPECT_EQ(static_cast<int>(domain::ChangeKind::kAuthorized), PaymentChanged::AUTHORIZED);
    EXPECT_EQ(static_cast<int>(domain::ChangeKind::kCaptured), PaymentChanged::CAPTURED);
    EXPECT_EQ(static_cast<int>(domain::ChangeKind::kReverted), PaymentChanged::REVERTED);
    EXPECT_EQ(static_cast<int>(domain::ChangeKind::kExpired), PaymentChanged::EXPIRED);
    EXPECT_EQ(static_cast<int>(domain::ChangeKind::kMerchantCashback),
              PaymentChanged::MERCHANT_CASHBACK);
    EXPECT_EQ(static_cast<int>(domain::ChangeKind::kMerchantCashbackReturned),
              PaymentChanged::MERCHANT_CASHBACK_RETURNED);
    EXPECT_EQ(static_cast<int>(domain::ChangeKind::kMerchantCoupon),
              PaymentChanged::MERCHANT_COUPON);
    EXPECT_EQ(static_cast<int>(domain::ChangeKind::kMerchantCouponReturned),
              PaymentChanged::MERCHANT_COUPON_RETURNED);
    EXPECT_EQ(static_cast<int>(domain::ChangeKind::kOperatorCashback),
              PaymentChanged::OPERATOR_CASHBACK);
    EXPECT_EQ(static_cast<int>(domain::ChangeKind::kOperatorCashbackReturned),
              PaymentChanged::OPERATOR_CASHBACK_RETURNED);
    EXPECT_EQ(static_cast<int>(domain::ChangeKind::kOperatorCoupon),
              PaymentChanged::OPERATOR_COUPON);
    EXPECT_EQ(static_cast<int>(domain::ChangeKind::kOperatorCouponReturned),
              PaymentChanged::OPERATOR_COUPON_RETURNED);
    EXPECT_EQ(PaymentChanged::Kind_descriptor()->value_count(), 16);
    using kessai::payment::v1::MethodAmount;
    EXPECT_EQ(static_cast<int>(domain::Method::kWallet), MethodAmount::WALLET);
    EXPECT_EQ(static_cast<int>(domain::Method::kPoint), MethodAmount::POINT);
    EXPECT_EQ(static_cast<int>(domain::Method::kCreditCard), MethodAmount::CREDIT_CARD);
    EXPECT_EQ(static_cast<int>(domain::Method::kPayLater), MethodAmount::PAY_LATER);
    EXPECT_EQ(static_cast<int>(domain::Method::kGiftVoucher), MethodAmount::GIFT_VOUCHER);
    EXPECT_EQ(static_cast<int>(domain::Method::kCoupon), MethodAmount::COUPON);
    EXPECT_EQ(static_cast<int>(domain::Method::kCashback), MethodAmount::CASHBACK);
    EXPECT_EQ(MethodAmount::Method_descriptor()->value_count(), 8);
    EXPECT_EQ(static_cast<int>(domain::DayState::kOpen), v1::PayoutDay::OPEN);
    EXPECT_EQ(static_cast<int>(domain::DayState::kClosed), v1::PayoutDay::CLOSED);
    EXPECT_EQ(static_cast<int>(domain::DayState::kReleasing), v1::PayoutDay::RELEASING);
    EXPECT_EQ(static_cast<int>(domain::DayState::kReleased), v1::PayoutDay::RELEASED);
}

}  // namespace
}  // namespace kessai::payout::transport
