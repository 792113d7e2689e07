#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "domain/funds_trace.h"
#include "domain/reason.h"
#include "domain/release.h"
#include "domain/statement_reason.h"
#include "domain/transfer_reason.h"
#include "kessai/payment/v1/payment_event.pb.h"
#include "kessai/payout/v1/payout_service.pb.h"
#include "kessai/payout/v1/statement_service.pb.h"
#include "kessai/payout/v1/transfer_service.pb.h"
#include "kessai/pdf/font.h"
#include "kessai/testing/matchers.h"
#include "transport/file_row_service.h"
#include "transport/payout_service.h"
#include "transport/statement_service.h"
#include "transport/transfer_service.h"

namespace kessai::payout::transport {
namespace {

// Goal: every method of the contract says who may call it.
TEST(PayoutContractTest, PolicyFitsTheContract) {
    const auto* service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
        std::string(kServiceName));
    ASSERT_NE(service, nullptr);
    EXPECT_OK(Policy().CheckAgainst(*service));
    const auto* transfers = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
        std::string(kTransferServiceName));
    ASSERT_NE(transfers, nullptr);
    EXPECT_OK(TransferPolicy().CheckAgainst(*transfers));
    const auto* statements = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
        std::string(kStatementServiceName));
    ASSERT_NE(statements, nullptr);
    EXPECT_OK(StatementPolicy().CheckAgainst(*statements));
    const auto* file_rows = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
        std::string(kFileRowServiceName));
    ASSERT_NE(file_rows, nullptr);
    EXPECT_OK(FileRowPolicy().CheckAgainst(*file_rows));
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

TEST(PayoutContractTest, ReasonsOfTransfersAreInTheContract) {
    using namespace domain::reason;  // NOLINT
    const std::string_view reasons[] = {
        kJournalInvalid,      kInTransitNegative,    kSameOperator,       kKeyReused,
        kTermsInvalid,        kBankAccountUnknown,   kBankAccountMissing, kBankAccountSuperseded,
        kPayoutHeld,          kPayoutUnknown,        kHoldUnknown,        kNothingToPay,
        kNotABusinessDay,     kDueDateTooEarly,      kTransferUnderWay,   kAttemptOutOfTurn,
        kDueDateTooOld,       kTransferDateTooEarly, kResultFileImported, kTransferFileTaken,
        kTransferUnknown,     kTransferNotSent,      kTransferNotSettled, kResultConflict,
        kResultAmountDiffers, kResultRepeated,       kResultLineInvalid,  kResultTotalsDiffer,
        kResultFileTooLarge,  kResultFormatUnknown,  kBatchUnknown,       kTransferFileDiffers,
        kAdjustmentInvalid,   kAdjustmentUnknown,    kAdjustmentDecided,  kTraceUnknown,
        kTraceDiffers,        kTransferInFile,       kPayoutCancelled,    kBankAccountUnverified,
        kVerifierMissing,     kEventUnknown};
    for (const std::string_view reason : reasons) {
        EXPECT_NE(v1::TransferReason_descriptor()->FindValueByName("TRANSFER_REASON_" +
                                                                   std::string(reason)),
                  nullptr)
            << reason;
    }
    EXPECT_EQ(v1::TransferReason_descriptor()->value_count(),
              static_cast<int>(std::size(reasons)) + 1);
}

TEST(PayoutContractTest, ReasonsOfStatementsAreInTheContract) {
    using namespace domain::reason;  // NOLINT
    const std::string_view reasons[] = {
        kProfileInvalid,         kProfileMissing,    kIssuerInvalid,     kIssuerMissing,
        kStatementNotFinal,      kStatementDiffers,  kStatementTooLarge, kStatementFileDamaged,
        kStatementFormatUnknown, kNotPrintable,      kStatementUnknown,  kStatementNotIssued,
        kStatementOutOfTurn,     kStatementUnchanged};
    for (const std::string_view reason : reasons) {
        EXPECT_NE(v1::StatementReason_descriptor()->FindValueByName("STATEMENT_REASON_" +
                                                                    std::string(reason)),
                  nullptr)
            << reason;
    }
    EXPECT_EQ(v1::StatementReason_descriptor()->value_count(),
              static_cast<int>(std::size(reasons)) + 1);
    EXPECT_EQ(kNotPrintable, pdf::reason::kNotPrintable);
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
    EXPECT_EQ(static_cast<int>(domain::PayoutCycle::kDaily), v1::PayoutTerms::DAILY);
    EXPECT_EQ(static_cast<int>(domain::PayoutCycle::kWeekly), v1::PayoutTerms::WEEKLY);
    EXPECT_EQ(static_cast<int>(domain::PayoutCycle::kTwiceAMonth), v1::PayoutTerms::TWICE_A_MONTH);
    EXPECT_EQ(static_cast<int>(domain::PayoutCycle::kMonthEnd), v1::PayoutTerms::MONTH_END);
    EXPECT_EQ(static_cast<int>(domain::PayoutCycle::kOnDemand), v1::PayoutTerms::ON_DEMAND);
    EXPECT_EQ(static_cast<int>(app::HoldCause::kOperator), v1::PayoutHold::OPERATOR);
    EXPECT_EQ(static_cast<int>(app::HoldCause::kNotArrived), v1::PayoutHold::NOT_ARRIVED);
    for (const auto state : {domain::TransferState::kInTransit, domain::TransferState::kSettled,
                             domain::TransferState::kFailed, domain::TransferState::kReturned,
                             domain::TransferState::kCancelled}) {
        EXPECT_EQ(v1::Transfer::State_Name(static_cast<int>(state)), TransferStateName(state));
    }
    for (const auto kind :
         {domain::JournalKind::kTransferCreated, domain::JournalKind::kTransferSettled,
          domain::JournalKind::kTransferFailed, domain::JournalKind::kTransferReturned,
          domain::JournalKind::kAdjustment, domain::JournalKind::kTransferCancelled}) {
        EXPECT_EQ(v1::JournalEntry::Kind_Name(static_cast<int>(kind)), JournalKindName(kind));
    }
    using enum domain::VerificationState;
    for (const auto state : {kUnverified, kVerified, kRefused, kUnavailable}) {
        EXPECT_EQ(v1::BankAccount::Verification_Name(static_cast<int>(state)),
                  VerificationStateName(state));
    }
    EXPECT_EQ(static_cast<int>(app::JournalLine::Kind::kReleased), v1::JournalEntry::RELEASED);
    EXPECT_EQ(static_cast<int>(domain::FundsKind::kRelease), v1::FundsPart::RELEASE);
    EXPECT_EQ(static_cast<int>(domain::FundsKind::kAdjustment), v1::FundsPart::ADJUSTMENT);
    EXPECT_EQ(static_cast<int>(domain::FundsKind::kPrice), v1::FundsPart::PRICE);
    EXPECT_EQ(static_cast<int>(domain::AdjustmentState::kRequested), v1::Adjustment::REQUESTED);
    EXPECT_EQ(static_cast<int>(domain::AdjustmentState::kApproved), v1::Adjustment::APPROVED);
    EXPECT_EQ(static_cast<int>(domain::AdjustmentState::kDeclined), v1::Adjustment::DECLINED);
}

}  // namespace
}  // namespace kessai::payout::transport
