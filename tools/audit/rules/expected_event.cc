#include "rules/expected_event.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/util/message_differencer.h>

#include <memory>

#include "kessai/payment/v1/payment_event.pb.h"
#include "kessai/payout/v1/payout_event.pb.h"

namespace kessai::audit {
namespace {

constexpr std::string_view kPaymentChanged = "kessai.payment.v1.PaymentChanged";
constexpr std::string_view kWalletChanged = "kessai.payment.v1.WalletChanged";
constexpr std::string_view kReleaseClearedType = "kessai.payment.v1.ReleaseCleared";

payment::v1::PaymentChanged::Kind WireKind(int kind) {
    return kind == kCompleted  ? payment::v1::PaymentChanged::COMPLETED
           : kind == kCanceled ? payment::v1::PaymentChanged::CANCELED
                               : payment::v1::PaymentChanged::REFUNDED;
}

void FillPayment(const Change& change, std::string& payload) {
    thread_local payment::v1::PaymentChanged event;
    event.Clear();
    event.set_kind(WireKind(change.kind));
    event.set_payment_id(change.key.object);
    event.set_merchant_id(change.merchant_id);
    event.set_user_id(change.user_id);
    event.set_merchant_payment_id(change.merchant_payment_id);
    event.set_store_id(change.store_id);
    event.set_terminal_id(change.terminal_id);
    event.set_order_receipt_number(change.order_receipt_number);
    event.set_currency(change.currency.ToString());
    event.set_amount(change.amount);
    payment::v1::MethodAmount* method = event.add_methods();
    method->set_method(payment::v1::MethodAmount::WALLET);
    method->set_amount(change.amount);
    event.set_captured_total(change.captured_total);
    event.set_refunded_before(change.refunded_before);
    event.set_payment_business_date(change.payment_date);
    event.set_payment_accepted_at_us(change.payment_accepted_at_us);
    event.set_refund_id(change.refund_id);
    event.set_merchant_refund_id(change.merchant_refund_id);
    event.set_order_amount(change.order_amount);
    event.SerializeToString(&payload);
}

void FillTopUp(const Change& change, std::string& payload) {
    payment::v1::WalletChanged event;
    event.set_kind(payment::v1::WalletChanged::TOPPED_UP);
    event.set_user_id(change.user_id);
    event.set_currency(change.currency.ToString());
    event.set_amount(change.amount);
    event.set_source(change.source);
    event.SerializeToString(&payload);
}

void FillRelease(const Change& change, std::string& payload) {
    payment::v1::ReleaseCleared event;
    event.set_released_date(static_cast<std::int32_t>(change.key.object));
    event.set_currency(change.currency.ToString());
    event.set_gross(change.amount);
    event.SerializeToString(&payload);
}

void AddDifference(std::string& text, std::string_view field, std::string_view expected,
                   std::string_view found) {
    if (expected == found) return;
    if (!text.empty()) text += "; ";
    text.append(field).append(": expected ").append(expected).append(", found ").append(found);
}

std::string DescribePayloads(const event::Fields& expected, const event::Fields& found) {
    const auto* descriptor =
        google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
            std::string(expected.type));
    const auto* prototype =
        descriptor == nullptr
            ? nullptr
            : google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor);
    if (prototype == nullptr) return "the payload";
    const std::unique_ptr<google::protobuf::Message> ours(prototype->New());
    const std::unique_ptr<google::protobuf::Message> theirs(prototype->New());
    if (!ours->ParseFromString(std::string(expected.payload)) ||
        !theirs->ParseFromString(std::string(found.payload))) {
        return "the payload is no " + std::string(expected.type);
    }
    std::string report;
    google::protobuf::util::MessageDifferencer differencer;
    differencer.ReportDifferencesToString(&report);
    differencer.Compare(*ours, *theirs);
    std::string text;
    for (const char c : report) text += c == '\n' ? "; " : std::string(1, c);
    return text.empty() ? "the payload's bytes" : text;
}

}  // namespace

std::optional<ExpectedEvent> ExpectedEventOf(const Change& change) {
    const auto date = BusinessDate::FromNumber(change.business_date);
    if (!date.ok()) return std::nullopt;
    ExpectedEvent expected;
    switch (change.kind) {
        case kCompleted:
        case kCanceled:
        case kRefunded:
            expected.type = kPaymentChanged;
            FillPayment(change, expected.payload);
            break;
        case kToppedUp:
            expected.type = kWalletChanged;
            FillTopUp(change, expected.payload);
            break;
        case kReleaseCleared:
            expected.type = kReleaseClearedType;
            FillRelease(change, expected.payload);
            break;
        default:
            return std::nullopt;
    }
    expected.content_hash =
        event::HashOf({expected.type, change.key.object, change.key.version, change.event_id, *date,
                       FromMicros(change.occurred_at_us), expected.payload});
    return expected;
}

std::string DescribeDifference(const event::Fields& expected, const event::Fields& found) {
    std::string text;
    AddDifference(text, "type", expected.type, found.type);
    AddDifference(text, "event id", std::to_string(expected.event_id),
                  std::to_string(found.event_id));
    AddDifference(text, "business date", expected.business_date.ToString(),
                  found.business_date.ToString());
    AddDifference(text, "occurred at", std::to_string(ToMicros(expected.occurred_at)),
                  std::to_string(ToMicros(found.occurred_at)));
    if (expected.type == found.type && expected.payload != found.payload) {
        if (!text.empty()) text += "; ";
        text += DescribePayloads(expected, found);
    }
    return text;
}

}  // namespace kessai::audit
