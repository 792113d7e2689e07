#include "transport/proto_event_encoder.h"

#include <utility>

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

/// Of any message of a transfer, what all of them have.
template <class Message>
Message Begin(const domain::Transfer& transfer) {
    Message message;
    message.set_merchant_id(transfer.merchant.value());
    message.set_payout_id(transfer.payout.value());
    message.set_attempt(static_cast<std::uint32_t>(transfer.attempt));
    message.set_currency(std::string(domain::kBookCurrency.code()));
    message.set_amount(transfer.amount);
    return message;
}

template <class Message>
std::pair<std::string_view, std::string> Pack(const Message& message) {
    return {Message::descriptor()->full_name(), message.SerializeAsString()};
}

/// The name of its message, and the message.
std::pair<std::string_view, std::string> PayloadOf(const domain::TransferEvent& event) {
    const domain::Transfer& transfer = event.transfer;
    switch (event.step) {
        case domain::TransferStep::kCreated: {
            auto message = Begin<v1::TransferCreated>(transfer);
            message.set_fee(event.fee);
            message.set_tax(event.tax);
            message.set_bank_account_version(static_cast<std::uint32_t>(transfer.bank_account));
            return Pack(message);
        }
        case domain::TransferStep::kSent: {
            auto message = Begin<v1::TransferSent>(transfer);
            message.set_batch_id(transfer.batch.value());
            message.set_transfer_date(transfer.transfer_date.ToNumber());
            return Pack(message);
        }
        case domain::TransferStep::kSettled:
            return Pack(Begin<v1::TransferSettled>(transfer));
        case domain::TransferStep::kFailed: {
            auto message = Begin<v1::TransferFailed>(transfer);
            message.set_reason(transfer.reason);
            return Pack(message);
        }
        case domain::TransferStep::kCancelled: {
            auto message = Begin<v1::TransferCancelled>(transfer);
            message.set_fee(event.fee);
            message.set_tax(event.tax);
            message.set_reason(transfer.reason);
            return Pack(message);
        }
        case domain::TransferStep::kReturned:
            break;
    }
    auto message = Begin<v1::TransferReturned>(transfer);
    message.set_reason(transfer.reason);
    return Pack(message);
}

void FillSums(const domain::Sums& sums, v1::MerchantHeldBack::Sums* message) {
    message->set_gross(sums.gross);
    message->set_fee(sums.fee);
    message->set_item_count(sums.item_count);
}

std::pair<std::string_view, std::string> PayloadOf(const domain::HoldStep& step) {
    if (step.released_round) {
        v1::MerchantReleased message;
        message.set_merchant_id(step.held.merchant.value());
        message.set_round(static_cast<std::uint32_t>(*step.released_round));
        return Pack(message);
    }
    v1::MerchantHeldBack message;
    message.set_merchant_id(step.held.merchant.value());
    message.set_currency(std::string(domain::kBookCurrency.code()));
    message.set_reason(std::string(domain::HoldReasonName(step.held.reason)));
    FillSums(step.held.totals, message.mutable_totals());
    FillSums(step.held.recounted, message.mutable_recounted());
    message.set_note(step.held.note);
    return Pack(message);
}

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

Result<std::string> ProtoEventEncoder::TransferChanged(const domain::TransferEvent& event) const {
    const auto [type, payload] = PayloadOf(event);
    const std::uint32_t version = domain::VersionOf(event.step);
    return event::Seal({.type = type,
                        .object_id = domain::EventObjectOf(event.transfer.id),
                        .version = version,
                        .event_id = domain::EventIdOf(event.transfer.id, version),
                        .business_date = event.business_date,
                        .occurred_at = event.at,
                        .payload = payload});
}

Result<std::string> ProtoEventEncoder::HoldChanged(const domain::HoldStep& step) const {
    const auto [type, payload] = PayloadOf(step);
    return event::Seal({.type = type,
                        .object_id = domain::EventObjectOfHold(step.number),
                        .version = step.version,
                        .event_id = domain::EventIdOfHold(step.number, step.version),
                        .business_date = step.day,
                        .occurred_at = step.at,
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
