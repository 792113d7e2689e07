#include "transport/proto_event_encoder.h"

#include "domain/day_total.h"
#include "kessai/event/envelope.h"
#include "kessai/event/mark.h"
#include "kessai/payment/v1/payment_event.pb.h"
#include "kessai/payout/v1/payout_event.pb.h"

namespace kessai::payout::transport {
namespace {

constexpr std::string_view kAccrualRecorded = "kessai.payout.v1.AccrualRecorded";
constexpr std::string_view kDayReleased = "kessai.payout.v1.DayReleased";
constexpr std::string_view kPaymentChanged = "kessai.payment.v1.PaymentChanged";

}  // namespace

Result<std::string> ProtoEventEncoder::AccrualRecorded(const domain::Accrual& accrual,
                                                       Instant recorded_at) const {
    v1::AccrualRecorded message;
    message.set_merchant_id(accrual.merchant.value());
    message.set_currency(std::string(accrual.currency.code()));
    message.set_gross(accrual.gross);
    message.set_fee(accrual.fee);
    message.set_tax_class(std::string(taxes_.RateOf(accrual.tax_class).name));
    message.set_plan_id(accrual.plan.value());
    message.set_plan_version(accrual.plan_version);
    message.set_payment_event_id(accrual.event.value());
    message.set_payment_content_hash(accrual.content_hash.data(), accrual.content_hash.size());
    const std::string payload = message.SerializeAsString();
    return event::Seal({.type = kAccrualRecorded,
                        .object_id = accrual.key.payment.value(),
                        .version = accrual.key.version,
                        .event_id = accrual.event.value(),
                        .business_date = accrual.business_date,
                        .occurred_at = recorded_at,
                        .payload = payload});
}

Result<std::string> ProtoEventEncoder::DayReleased(const app::DayReleasedEvent& released) const {
    v1::DayReleased message;
    message.set_business_date(released.released.ToNumber());
    message.set_currency(std::string(domain::kBookCurrency.code()));
    message.set_merchant_count(released.sums.merchant_count);
    message.set_held_back_count(released.sums.held_back_count);
    message.set_gross(released.sums.gross);
    message.set_fee(released.sums.fee);
    message.set_tax(released.sums.tax);
    message.set_net(released.sums.net);
    message.set_round(static_cast<std::uint32_t>(released.round));
    const std::string payload = message.SerializeAsString();
    const auto version = static_cast<std::uint32_t>(released.round) + 1;
    return event::Seal({.type = kDayReleased,
                        .object_id = released.released.ToNumber(),
                        .version = version,
                        .event_id = version,
                        .business_date = released.business_date,
                        .occurred_at = released.at,
                        .payload = payload});
}

Result<std::string> ProtoEventEncoder::DayClosed(BusinessDate day, Instant closed_at) const {
    return event::SealMark({day, partition_count_, "payout"}, day.ToNumber(), closed_at);
}

std::optional<domain::MerchantId> ProtoEventEncoder::MerchantOf(
    std::string_view sealed_event) const {
    const Result<event::Envelope> event = event::Open(sealed_event);
    if (!event.ok()) return std::nullopt;
    if (event->type != kPaymentChanged) return domain::MerchantId();
    payment::v1::PaymentChanged message;
    if (!message.ParseFromString(event->payload) || message.merchant_id() <= 0) {
        return std::nullopt;
    }
    return domain::MerchantId(message.merchant_id());
}

}  // namespace kessai::payout::transport
