#include "transport/payment_event_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <google/protobuf/stubs/logging.h>

#include <functional>
#include <string>
#include <string_view>

#include "kessai/payment/v1/payment_event.pb.h"
#include "kessai/testing/matchers.h"
#include "tests/seeded.h"
#include "transport/proto_event_encoder.h"

namespace kessai::payout::transport {
namespace {

using kessai::payment::v1::PaymentChanged;
using testing::Refuses;

PaymentChanged GoodMessage() {
    PaymentChanged message;
    message.set_kind(PaymentChanged::REFUNDED);
    message.set_payment_id(12);
    message.set_merchant_id(7);
    message.set_user_id(3);
    message.set_merchant_payment_id("order-1");
    message.set_currency("JPY");
    message.set_amount(400);
    auto* wallet = message.add_methods();
    wallet->set_method(kessai::payment::v1::MethodAmount::WALLET);
    wallet->set_amount(300);
    auto* points = message.add_methods();
    points->set_method(kessai::payment::v1::MethodAmount::POINT);
    points->set_amount(100);
    message.set_captured_total(1'000);
    auto* captured_money = message.add_captured_methods();
    captured_money->set_method(kessai::payment::v1::MethodAmount::WALLET);
    captured_money->set_amount(800);
    auto* captured_points = message.add_captured_methods();
    captured_points->set_method(kessai::payment::v1::MethodAmount::POINT);
    captured_points->set_amount(200);
    message.set_store_id("store-1");
    message.set_refunded_before(100);
    message.set_payment_business_date(20261101);
    return message;
}

std::string Times(int count, std::string_view text) {
    std::string all;
    for (int i = 0; i < count; ++i) all += text;
    return all;
}

event::Envelope EventOf(const std::string& payload) {
    event::Envelope event;
    event.type = "kessai.payment.v1.PaymentChanged";
    event.object_id = 12;
    event.version = 3;
    event.event_id = 99;
    event.business_date = BusinessDate::FromNumber(20261122).value();
    event.payload = payload;
    event.content_hash = event::HashOf(event.fields());
    return event;
}

TEST(PaymentEventDecoderTest, ReadsWhatAFeeNeeds) {
    const event::Envelope event = EventOf(GoodMessage().SerializeAsString());
    ASSERT_OK_AND_ASSIGN(const auto decoded, DecodePaymentEvent(event));
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(decoded->event, domain::EventId(99));
    EXPECT_EQ(decoded->key, (domain::EffectKey{domain::PaymentId(12), 3}));
    EXPECT_EQ(decoded->business_date.ToNumber(), 20261122);
    EXPECT_EQ(decoded->kind, domain::ChangeKind::kRefunded);
    EXPECT_EQ(decoded->merchant, domain::MerchantId(7));
    EXPECT_EQ(decoded->amount, 400);
    EXPECT_EQ(decoded->captured_total, 1'000);
    EXPECT_EQ(decoded->refunded_before, 100);
    EXPECT_EQ(decoded->payment_date.ToNumber(), 20261101);
    using domain::Method;
    EXPECT_EQ(decoded->captured_methods,
              (domain::MethodSplit{{Method::kWallet, 800}, {Method::kPoint, 200}}));
    EXPECT_EQ(decoded->methods,
              (domain::MethodSplit{{Method::kWallet, 300}, {Method::kPoint, 100}}));
    EXPECT_EQ(decoded->store, "store-1");
    EXPECT_EQ(decoded->content_hash, event.content_hash);
}

// Goal: what payment publishes today, with money alone and without captured_methods, means what it
// always did; and a sale paid with more needs to say its split once only.
TEST(PaymentEventDecoderTest, CapturedSplitFollowsWhereItIsClear) {
    PaymentChanged message = GoodMessage();
    message.clear_captured_methods();
    message.clear_methods();
    auto* wallet = message.add_methods();
    wallet->set_method(kessai::payment::v1::MethodAmount::WALLET);
    wallet->set_amount(400);
    const auto split = [&] {
        return DecodePaymentEvent(EventOf(message.SerializeAsString())).value()->captured_methods;
    };
    EXPECT_EQ(split(), domain::MethodSplit());
    message.clear_methods();
    EXPECT_EQ(split(), domain::MethodSplit());
    message.set_kind(PaymentChanged::COMPLETED);
    message.set_refunded_before(0);
    message.set_captured_total(400);
    message.set_payment_business_date(20261122);
    auto* coupon = message.add_methods();
    coupon->set_method(kessai::payment::v1::MethodAmount::COUPON);
    coupon->set_amount(400);
    EXPECT_EQ(split(), (domain::MethodSplit{{domain::Method::kCoupon, 400}}));
}

// Goal: a store's id that payment takes is never what keeps a payment from being accrued.
// Method: the longest, in characters of one to four bytes.
TEST(PaymentEventDecoderTest, StoreIdsAreAsLongAsPaymentTakesThem) {
    for (const char* character : {"x", "é", "店", "𠮷"}) {
        PaymentChanged message = GoodMessage();
        message.set_store_id(Times(255, character));
        ASSERT_OK_AND_ASSIGN(const auto decoded,
                             DecodePaymentEvent(EventOf(message.SerializeAsString())));
        EXPECT_EQ(decoded->store, message.store_id());
    }
}

TEST(PaymentEventDecoderTest, OtherTypesAreNobodysBusiness) {
    for (const char* type : {"kessai.payment.v1.WalletChanged", "kessai.payment.v1.ReleaseCleared",
                             "kessai.payment.v1.SomethingNewer"}) {
        event::Envelope event = EventOf("not even protobuf \xff");
        event.type = type;
        ASSERT_OK_AND_ASSIGN(const auto decoded, DecodePaymentEvent(event));
        EXPECT_FALSE(decoded.has_value());
    }
}

// Goal: whatever a publisher sends wrongly is refused by name.
// Method: a good message, damaged in one place at a time.
TEST(PaymentEventDecoderTest, WrongFieldsAreRefusedByName) {
    const auto reason = [](const std::function<void(PaymentChanged&)>& damage) {
        PaymentChanged message = GoodMessage();
        damage(message);
        const auto decoded = DecodePaymentEvent(EventOf(message.SerializeAsString()));
        return std::string(decoded.status().reason());
    };
    using M = PaymentChanged;
    EXPECT_EQ(reason([](M&) {}), "");
    EXPECT_EQ(reason([](M& m) { m.set_payment_id(13); }), "FIELD_INVALID");
    EXPECT_EQ(reason([](M& m) { m.set_kind(PaymentChanged::KIND_UNSPECIFIED); }), "FIELD_INVALID");
    EXPECT_EQ(reason([](M& m) { m.set_kind(static_cast<M::Kind>(77)); }), "FIELD_INVALID");
    EXPECT_EQ(reason([](M& m) { m.set_merchant_id(0); }), "FIELD_INVALID");
    EXPECT_EQ(reason([](M& m) { m.set_merchant_id(-7); }), "FIELD_INVALID");
    EXPECT_EQ(reason([](M& m) { m.set_currency("USD"); }), "CURRENCY_UNKNOWN");
    EXPECT_EQ(reason([](M& m) { m.set_currency(""); }), "CURRENCY_UNKNOWN");
    EXPECT_EQ(reason([](M& m) { m.set_currency("JPY'; DROP TABLE accrual; --"); }),
              "CURRENCY_UNKNOWN");
    EXPECT_EQ(reason([](M& m) { m.set_amount(401); }), "FIELD_INVALID");
    EXPECT_EQ(reason([](M& m) { m.mutable_methods(0)->set_amount(-300); }), "FIELD_INVALID");
    EXPECT_EQ(reason([](M& m) {
                  m.mutable_methods(0)->set_amount(INT64_MAX);
                  m.mutable_methods(1)->set_amount(INT64_MAX);
              }),
              "AMOUNT_OVERFLOW");
    EXPECT_EQ(reason([](M& m) {
                  m.clear_methods();
                  m.set_amount(-1);
              }),
              "FIELD_INVALID");
    EXPECT_EQ(reason([](M& m) {
                  m.clear_methods();
                  m.set_amount(901);
              }),
              "REFUND_EXCEEDS_PAYMENT");
    EXPECT_EQ(reason([](M& m) {
                  m.clear_methods();
                  m.clear_captured_methods();
                  m.set_captured_total(INT64_MAX);
              }),
              "AMOUNT_OVERFLOW");
    EXPECT_EQ(reason([](M& m) { m.set_captured_total(1'001); }), "FIELD_INVALID");
    EXPECT_EQ(reason([](M& m) { m.clear_captured_methods(); }), "FIELD_INVALID");
    EXPECT_EQ(reason([](M& m) {
                  m.mutable_methods(1)->set_method(
                      static_cast<kessai::payment::v1::MethodAmount::Method>(8));
              }),
              "FIELD_INVALID");
    EXPECT_EQ(reason([](M& m) {
                  m.mutable_captured_methods(1)->set_method(
                      kessai::payment::v1::MethodAmount::METHOD_UNSPECIFIED);
              }),
              "FIELD_INVALID");
    EXPECT_EQ(reason([](M& m) { m.set_store_id(std::string(256, 'x')); }), "FIELD_INVALID");
    EXPECT_EQ(reason([](M& m) { m.set_store_id(Times(256, "店")); }), "FIELD_INVALID");
    EXPECT_EQ(reason([](M& m) {
                  m.set_kind(PaymentChanged::CAPTURED);  // 100 points of 50 that were captured
                  m.set_refunded_before(0);
                  m.mutable_captured_methods(0)->set_amount(950);
                  m.mutable_captured_methods(1)->set_amount(50);
              }),
              "FIELD_INVALID");
    EXPECT_EQ(reason([](M& m) { m.set_refunded_before(INT64_MIN); }), "FIELD_INVALID");
    EXPECT_EQ(reason([](M& m) { m.set_payment_business_date(20261131); }), "FIELD_INVALID");
    EXPECT_EQ(reason([](M& m) { m.set_payment_business_date(20261123); }), "FIELD_INVALID");
    EXPECT_EQ(reason([](M& m) { m.set_payment_business_date(0); }), "FIELD_INVALID");
}

TEST(PaymentEventDecoderTest, PayloadOfAnotherShapeIsRefused) {
    EXPECT_THAT(DecodePaymentEvent(EventOf("\xff\xff\xff\xff")),
                Refuses(Code::kInvalidArgument, "EVENT_MALFORMED"));
    // A text that is not UTF-8.
    PaymentChanged message = GoodMessage();
    std::string payload = message.SerializeAsString();
    payload.replace(payload.find("order-1"), 7, "order-\xff");
    EXPECT_THAT(DecodePaymentEvent(EventOf(payload)),
                Refuses(Code::kInvalidArgument, "EVENT_MALFORMED"));
    EXPECT_THAT(DecodePaymentEvent(EventOf("")), Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
}

// Goal: no bytes stop the process, and what passes is valid.
// Method: good payloads with random bytes changed, inserted and cut off.
TEST(PaymentEventDecoderProperty, RandomDamageIsRefusedOrValid) {
    google::protobuf::SetLogHandler(nullptr);  // It would tell of every text that is not UTF-8.
    Seeded random;
    const std::string good = GoodMessage().SerializeAsString();
    int refused = 0;
    for (int i = 0; i < 200'000; ++i) {
        std::string payload = good;
        for (std::int64_t damages = random.Between(1, 4); damages > 0 && !payload.empty();
             --damages) {
            const auto at = static_cast<std::size_t>(
                random.Between(0, static_cast<std::int64_t>(payload.size()) - 1));
            const char byte = static_cast<char>(random.Between(0, 255));
            switch (random.Between(1, 4)) {
                case 1:
                    payload.resize(at);
                    break;
                case 2:
                    payload.insert(at, 1, byte);
                    break;
                default:
                    payload[at] = byte;
            }
        }
        const auto decoded = DecodePaymentEvent(EventOf(payload));
        if (!decoded.ok()) {
            ++refused;
            continue;
        }
        ASSERT_TRUE(decoded->has_value());
        ASSERT_OK(domain::Validate(**decoded));
    }
    EXPECT_GT(refused, 100'000);
}

TEST(ProtoEventEncoderTest, EventsAreAFunctionOfWhatWasStored) {
    const ProtoEventEncoder encoder(domain::TaxTable::Japan(), 12);
    domain::Accrual accrual;
    accrual.key = {domain::PaymentId(12), 3};
    accrual.event = domain::EventId(99);
    accrual.business_date = BusinessDate::FromNumber(20261122).value();
    accrual.tax_class = domain::TaxClass::kStandard10;
    accrual.gross = -400;
    ASSERT_OK_AND_ASSIGN(const std::string first, encoder.AccrualRecorded(accrual, FromMicros(5)));
    ASSERT_OK_AND_ASSIGN(const std::string second, encoder.AccrualRecorded(accrual, FromMicros(5)));
    EXPECT_EQ(first, second);
    ASSERT_OK_AND_ASSIGN(const event::Envelope event, event::Open(first));
    EXPECT_EQ(event.type, "kessai.payout.v1.AccrualRecorded");
    EXPECT_EQ(event.object_id, 12);
    EXPECT_EQ(event.version, 3u);
    EXPECT_EQ(event.business_date, accrual.business_date);
    EXPECT_EQ(event.event_id, 99);
}

TEST(ProtoEventEncoderTest, MerchantOfAnEventIsTold) {
    const ProtoEventEncoder encoder(domain::TaxTable::Japan(), 12);
    const std::string payload = GoodMessage().SerializeAsString();
    event::Envelope event = EventOf(payload);
    EXPECT_EQ(encoder.MerchantOf(event::Seal(event.fields()).value()), domain::MerchantId(7));
    event.payload = "\xff";
    EXPECT_EQ(encoder.MerchantOf(event::Seal(event.fields()).value()), std::nullopt);
    event.type = "kessai.payment.v1.WalletChanged";
    EXPECT_EQ(encoder.MerchantOf(event::Seal(event.fields()).value()), domain::MerchantId());
    EXPECT_EQ(encoder.MerchantOf("no envelope"), std::nullopt);
}

}  // namespace
}  // namespace kessai::payout::transport
