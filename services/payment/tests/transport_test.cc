#include <gtest/gtest.h>

#include <set>
#include <string>

#include "domain/refusal.h"
#include "kessai/event/envelope.h"
#include "kessai/payment/v1/payment_event.pb.h"
#include "kessai/payment/v1/payment_service.pb.h"
#include "kessai/testing/matchers.h"
#include "transport/event_encoder.h"
#include "transport/method_policy.h"
#include "transport/proto_mapping.h"
#include "transport/transaction_service.h"

namespace kessai::payment::transport {
namespace {

using domain::Refusal;

// Goal: every reason that the domain refuses with is in the contract, under the same name.
TEST(ReasonTest, TheContractListsEveryRefusal) {
    std::set<std::string> contract;
    for (int i = 0; i < v1::Reason_descriptor()->value_count(); ++i) {
        const std::string name = v1::Reason_descriptor()->value(i)->name();
        ASSERT_TRUE(name.starts_with("REASON_")) << name;
        contract.insert(name.substr(7));
    }
    std::set<std::string> domain;
    for (int i = 0; i <= static_cast<int>(Refusal::kQueueFull); ++i) {
        const auto refusal = static_cast<Refusal>(i);
        EXPECT_NE(domain::CodeOf(refusal), Code::kInternal) << i;
        EXPECT_TRUE(contract.contains(std::string(domain::ReasonName(refusal))))
            << domain::ReasonName(refusal);
        EXPECT_TRUE(domain.insert(std::string(domain::ReasonName(refusal))).second) << "twice";
    }
    // Those that other layers refuse with.
    for (const char* other : {"UNSPECIFIED", "TOKEN_INVALID", "ROLE_NOT_ALLOWED"}) {
        domain.insert(other);
    }
    EXPECT_EQ(contract, domain);
}

TEST(MethodPolicyTest, EveryMethodHasARule) {
    const auto* service = v1::Payment::descriptor()->file()->FindServiceByName("PaymentService");
    ASSERT_NE(service, nullptr);
    EXPECT_OK(Policy().CheckAgainst(*service));
    const auto* transactions =
        v1::TransactionBatch::descriptor()->file()->FindServiceByName("TransactionService");
    ASSERT_NE(transactions, nullptr);
    EXPECT_OK(TransactionPolicy().CheckAgainst(*transactions));
}

domain::Change RefundChange() {
    domain::Change change;
    change.object = 1'234'567'890'123;
    change.version = 3;
    change.event = domain::EventId(99);
    change.kind = domain::ChangeKind::kRefunded;
    change.business_date = BusinessDate::Parse("2026-11-23").value();
    change.occurred_at = FromMicros(1'700'000'000'000'000);
    change.merchant = domain::MerchantId(7);
    change.user = domain::UserId(42);
    change.amount = Yen(120);
    change.merchant_payment_id = "order-1";
    change.store_id = "新宿";
    change.order_amount = 500;
    change.captured_total = 500;
    change.refunded_before = 30;
    change.payment_date = change.business_date.Previous();
    change.payment_accepted_at = FromMicros(1'690'000'000'000'000);
    change.refund = domain::RefundId(5);
    change.merchant_refund_id = "r-1";
    return change;
}

// Goal: an event is a pure function of its change and carries all that a fee or a webhook needs.
TEST(EventEncoderTest, TheSameChangeGivesTheSameBytes) {
    const ProtoEventEncoder encoder;
    const std::string bytes = encoder.Encode(RefundChange());
    EXPECT_EQ(encoder.Encode(RefundChange()), bytes);

    ASSERT_OK_AND_ASSIGN(const event::Envelope envelope, event::Open(bytes));
    EXPECT_EQ(envelope.type, "kessai.payment.v1.PaymentChanged");
    EXPECT_EQ(envelope.object_id, 1'234'567'890'123);
    EXPECT_EQ(envelope.version, 3u);
    EXPECT_EQ(envelope.event_id, 99);
    EXPECT_EQ(envelope.business_date.ToNumber(), 20261123);
    v1::PaymentChanged event;
    ASSERT_TRUE(event.ParseFromString(envelope.payload));
    EXPECT_EQ(event.kind(), v1::PaymentChanged::REFUNDED);
    EXPECT_EQ(event.amount(), 120);
    EXPECT_EQ(event.captured_total(), 500);
    EXPECT_EQ(event.refunded_before(), 30);
    EXPECT_EQ(event.payment_business_date(), 20261122);
    EXPECT_EQ(event.store_id(), "新宿");
    EXPECT_EQ(event.merchant_refund_id(), "r-1");
    EXPECT_EQ(event.methods_size(), 1);
    EXPECT_EQ(event.methods(0).amount(), 120);

    domain::Change other = RefundChange();
    other.store_id += "1";
    EXPECT_NE(encoder.Encode(other), bytes);
}

TEST(ProtoMappingTest, WhoActsComesFromTheTokenOnly) {
    auth::Principal merchant{auth::Role::kMerchant, "key", 7, 0, {}};
    v1::CreateCodeRequest request;
    request.set_merchant_payment_id("order-1");
    EXPECT_THAT(ToCommand(request, merchant),
                testing::Refuses(Code::kInvalidArgument, "AMOUNT_OUT_OF_RANGE"));
    request.mutable_amount()->set_minor(10);
    request.mutable_amount()->set_currency("USD");
    EXPECT_THAT(ToCommand(request, merchant),
                testing::Refuses(Code::kInvalidArgument, "CURRENCY_UNKNOWN"));
    request.mutable_amount()->set_currency("JPY");
    const auto first = std::get<domain::CreateCode>(ToCommand(request, merchant).value());
    const auto second = std::get<domain::CreateCode>(ToCommand(request, merchant).value());
    EXPECT_EQ(first.merchant, domain::MerchantId(7));
    EXPECT_NE(first.salt, second.salt) << "each create without a salt is a create of its own";
    request.set_salt(77);
    EXPECT_EQ(std::get<domain::CreateCode>(ToCommand(request, merchant).value()).salt, 77u);

    v1::PayCodeRequest pay;
    pay.set_code_id("04-nonsense");
    EXPECT_THAT(ToCommand(pay, auth::Principal{auth::Role::kUser, "u", 0, 42, {}}),
                testing::Refuses(Code::kNotFound, "CODE_UNKNOWN"));
}

}  // namespace
}  // namespace kessai::payment::transport
