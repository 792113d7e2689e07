#include "transport/published_digests.h"

#include <map>

#include "kessai/digest/accumulator.h"
#include "kessai/digest/store.h"
#include "kessai/event/envelope.h"
#include "kessai/payment/v1/payment_event.pb.h"

namespace kessai::payment::transport {
namespace {

constexpr std::string_view kPaymentChanged = "kessai.payment.v1.PaymentChanged";

std::int64_t SignedGross(const v1::PaymentChanged& change) {
    switch (change.kind()) {
        case v1::PaymentChanged::COMPLETED:
        case v1::PaymentChanged::CAPTURED:
        case v1::PaymentChanged::MERCHANT_CASHBACK_RETURNED:
        case v1::PaymentChanged::MERCHANT_COUPON_RETURNED:
            return change.amount();
        case v1::PaymentChanged::CANCELED:
        case v1::PaymentChanged::REFUNDED:
        case v1::PaymentChanged::MERCHANT_CASHBACK:
        case v1::PaymentChanged::MERCHANT_COUPON:
            return -change.amount();
        default:
            return 0;
    }
}

}  // namespace

Status AddPublishedToDigests(mysql::Session& session, std::span<const outbox::Published> published,
                             const digest::RowHasher& hasher) {
    // A slot a shard: relays of different shards share no row.
    std::map<int, digest::Accumulator> by_shard;
    v1::PaymentChanged change;
    for (const outbox::Published& one : published) {
        if (one.topic != 0 || one.republished || one.object_id == 0) continue;
        KESSAI_ASSIGN_OR_RETURN(const event::Envelope event, event::Open(one.envelope));
        if (event.type != kPaymentChanged) continue;
        if (!change.ParseFromString(event.payload)) {
            return Status(Code::kDataLoss, "PAYLOAD_MALFORMED", "an outbox event is unreadable");
        }
        by_shard.try_emplace(one.shard, hasher)
            .first->second.Add({event.object_id, event.version, event.business_date,
                                change.merchant_id(), SignedGross(change)});
    }
    for (const auto& [shard, sums] : by_shard) {
        KESSAI_RETURN_IF_ERROR(digest::AddToDay(session, sums, shard));
    }
    return OkStatus();
}

}  // namespace kessai::payment::transport
