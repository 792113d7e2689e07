#include "transport/event_encoder.h"

#include "kessai/event/envelope.h"
#include "kessai/payment/v1/payment_event.pb.h"

namespace kessai::payment::transport {
namespace {

v1::PaymentChanged::Kind KindOf(domain::ChangeKind kind) {
    switch (kind) {
        case domain::ChangeKind::kCompleted:
            return v1::PaymentChanged::COMPLETED;
        case domain::ChangeKind::kCanceled:
            return v1::PaymentChanged::CANCELED;
        case domain::ChangeKind::kRefunded:
            return v1::PaymentChanged::REFUNDED;
        case domain::ChangeKind::kToppedUp:
        case domain::ChangeKind::kReleaseCleared:
            break;
    }
    return v1::PaymentChanged::KIND_UNSPECIFIED;
}

std::string PaymentPayload(const domain::Change& change) {
    v1::PaymentChanged event;
    event.set_kind(KindOf(change.kind));
    event.set_payment_id(change.object);
    event.set_merchant_id(change.merchant.value());
    event.set_user_id(change.user.value());
    event.set_merchant_payment_id(change.merchant_payment_id);
    event.set_store_id(change.store_id);
    event.set_terminal_id(change.terminal_id);
    event.set_order_receipt_number(change.order_receipt_number);
    event.set_currency(std::string(change.amount.currency().code()));
    event.set_amount(change.amount.minor());
    v1::MethodAmount* method = event.add_methods();
    method->set_method(v1::MethodAmount::WALLET);
    method->set_amount(change.amount.minor());
    event.set_captured_total(change.captured_total);
    event.set_refunded_before(change.refunded_before);
    event.set_payment_business_date(change.payment_date.ToNumber());
    event.set_payment_accepted_at_us(ToMicros(change.payment_accepted_at));
    event.set_refund_id(change.refund.value());
    event.set_merchant_refund_id(change.merchant_refund_id);
    event.set_order_amount(change.order_amount);
    return event.SerializeAsString();
}

std::string TopUpPayload(const domain::Change& change) {
    v1::WalletChanged event;
    event.set_kind(v1::WalletChanged::TOPPED_UP);
    event.set_user_id(change.user.value());
    event.set_currency(std::string(change.amount.currency().code()));
    event.set_amount(change.amount.minor());
    event.set_source(change.source);
    return event.SerializeAsString();
}

std::string ReleasePayload(const domain::Change& change) {
    v1::ReleaseCleared event;
    event.set_released_date(static_cast<std::int32_t>(change.object));
    event.set_currency(std::string(change.amount.currency().code()));
    event.set_gross(change.amount.minor());
    return event.SerializeAsString();
}

struct Payload {
    std::string_view type;
    std::string bytes;
};

Payload PayloadOf(const domain::Change& change) {
    switch (change.kind) {
        case domain::ChangeKind::kCompleted:
        case domain::ChangeKind::kCanceled:
        case domain::ChangeKind::kRefunded:
            return {"kessai.payment.v1.PaymentChanged", PaymentPayload(change)};
        case domain::ChangeKind::kToppedUp:
            return {"kessai.payment.v1.WalletChanged", TopUpPayload(change)};
        case domain::ChangeKind::kReleaseCleared:
            return {"kessai.payment.v1.ReleaseCleared", ReleasePayload(change)};
    }
    return {};
}

}  // namespace

std::string ProtoEventEncoder::Encode(const domain::Change& change) const {
    const Payload payload = PayloadOf(change);
    // Validated commands keep every event far below the envelope's bound, so it always seals.
    return event::Seal({payload.type, change.object, change.version, change.event.value(),
                        change.business_date, change.occurred_at, payload.bytes})
        .value();
}

}  // namespace kessai::payment::transport
