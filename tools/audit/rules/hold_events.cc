#include "rules/hold_events.h"

#include <string>

#include "kessai/event/envelope.h"
#include "kessai/payout/v1/payout_event.pb.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai::audit {
namespace {

constexpr std::int64_t kObjects = std::int64_t{1} << 41;
constexpr std::int64_t kVersions = 1 << 16;

void Fill(const HoldSums& sums, payout::v1::MerchantHeldBack::Sums* message) {
    message->set_gross(sums.gross);
    message->set_fee(sums.fee);
    message->set_item_count(sums.count);
}

template <class Message>
std::pair<std::string_view, std::string> Pack(const Message& message) {
    return {Message::descriptor()->full_name(), message.SerializeAsString()};
}

std::pair<std::string_view, std::string> PayloadOf(const HoldStepRow& step) {
    if (step.released_round.has_value()) {
        payout::v1::MerchantReleased message;
        message.set_merchant_id(step.merchant_id);
        message.set_round(static_cast<std::uint32_t>(*step.released_round));
        return Pack(message);
    }
    payout::v1::MerchantHeldBack message;
    message.set_merchant_id(step.merchant_id);
    message.set_currency("JPY");
    message.set_reason(std::string(HoldReasonText(step.reason)));
    Fill(step.totals, message.mutable_totals());
    Fill(step.recounted, message.mutable_recounted());
    message.set_note(step.note);
    return Pack(message);
}

}  // namespace

std::int64_t EventObjectOfHold(std::int64_t hold_number) {
    return kObjects + hold_number;
}
std::int64_t HoldOfEvent(std::int64_t object) {
    return object - kObjects;
}

std::string_view HoldReasonText(int reason) {
    switch (reason) {
        case 1:
            return "EVENT_PARKED";
        case 2:
            return "RECOUNT_DIFFERS";
        case 3:
            return "FEE_DIFFERS";
        case 4:
            return "SEAL_BROKEN";
        default:
            return "";
    }
}

std::optional<PublishedRow> EventOf(const HoldStepRow& step) {
    const auto date = BusinessDate::FromNumber(step.business_date);
    if (!date.ok()) return std::nullopt;
    const auto [type, payload] = PayloadOf(step);
    const std::int64_t object = EventObjectOfHold(step.hold_number);
    const event::Fields fields{.type = type,
                               .object_id = object,
                               .version = step.version,
                               .event_id = object * kVersions + step.version,
                               .business_date = *date,
                               .occurred_at = FromMicros(step.at_us),
                               .payload = payload};
    return PublishedRow{{object, step.version}, step.at_us, event::HashOf(fields), true};
}

}  // namespace kessai::audit
