#include "transport/payment_event_consumer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "kessai/outbox/batch_writer.h"
#include "kessai/payment/v1/payment_event.pb.h"
#include "transport/transaction_json.h"

namespace kessai::gateway::transport {

namespace {

namespace v1 = payment::v1;

constexpr std::string_view kPaymentChanged = "kessai.payment.v1.PaymentChanged";

/// The state that a change is told as; empty for those that the contract keeps silent about: the
/// creation of a code, a refund, a cancel.
std::string_view NoticeStateOf(v1::PaymentChanged::Kind kind) {
    switch (kind) {
        case v1::PaymentChanged::COMPLETED:
        case v1::PaymentChanged::CAPTURED:
            return "COMPLETED";
        case v1::PaymentChanged::AUTHORIZED:
            return "AUTHORIZED";
        case v1::PaymentChanged::REVERTED:
            return "CANCELED";
        case v1::PaymentChanged::EXPIRED:
            return "EXPIRED";
        default:
            return {};
    }
}

domain::TransactionNotice NoticeOf(const v1::PaymentChanged& change, std::string_view state) {
    domain::TransactionNotice notice;
    notice.merchant_id = change.merchant_id();
    notice.store_id = change.store_id();
    notice.terminal_id = change.terminal_id();
    notice.payment_id = change.payment_id();
    notice.merchant_payment_id = change.merchant_payment_id();
    notice.order_amount = change.order_amount();
    notice.state = state;
    if (state == "COMPLETED") notice.paid_at = FromMicros(change.payment_accepted_at_us());
    if (state == "AUTHORIZED") notice.authorized_at = FromMicros(change.payment_accepted_at_us());
    return notice;
}

struct Candidate {
    std::size_t index;  // in the batch
    v1::PaymentChanged change;
    std::string_view state;
    std::vector<app::WebhookDirectory::EndpointPtr> endpoints;
};

}  // namespace

PaymentEventConsumer::PaymentEventConsumer(Options options, const app::WebhookDirectory& directory,
                                           app::ChangeDeliveries& deliveries, app::IdSource& ids,
                                           const Clock& clock,
                                           std::function<void()> on_new_deliveries)
    : options_(options),
      directory_(directory),
      deliveries_(deliveries),
      ids_(ids),
      clock_(clock),
      on_new_deliveries_(std::move(on_new_deliveries)) {}

Status PaymentEventConsumer::FindEffects(mysql::Session&, std::span<const inbox::EffectKey>,
                                         inbox::Effects&) {
    return OkStatus();
}

Status PaymentEventConsumer::Apply(mysql::Session& session, const inbox::Batch& batch,
                                   inbox::Rejections& rejections) {
    if (!directory_.loaded()) {
        return {Code::kUnavailable, "ENDPOINTS_NOT_LOADED",
                "the webhook endpoints are not read yet"};
    }
    std::vector<Candidate> candidates;
    std::vector<std::int64_t> object_ids;
    for (std::size_t i = 0; i < batch.deliveries.size(); ++i) {
        const event::Envelope& event = batch.deliveries[i].event;
        if (event.type != kPaymentChanged) continue;
        Candidate candidate{.index = i, .change = {}, .state = {}, .endpoints = {}};
        if (!candidate.change.ParseFromString(event.payload) ||
            candidate.change.payment_id() != event.object_id) {
            rejections.Reject(i, Status(Code::kInvalidArgument, "PAYLOAD_MALFORMED",
                                        "not a PaymentChanged of the envelope's object"));
            continue;
        }
        candidate.state = NoticeStateOf(candidate.change.kind());
        if (candidate.state.empty()) continue;
        candidate.endpoints = directory_.EnabledOf(candidate.change.merchant_id());
        if (candidate.endpoints.empty()) continue;
        object_ids.push_back(event.object_id);
        candidates.push_back(std::move(candidate));
    }
    if (candidates.empty()) return OkStatus();
    std::sort(object_ids.begin(), object_ids.end());
    object_ids.erase(std::unique(object_ids.begin(), object_ids.end()), object_ids.end());
    KESSAI_ASSIGN_OR_RETURN(const auto stored, deliveries_.Find(session, object_ids));

    std::vector<app::ChangeDelivery> deliveries;
    const Instant now = clock_.Now();
    for (const Candidate& candidate : candidates) {
        const event::Envelope& event = batch.deliveries[candidate.index].event;
        const auto known = std::find_if(stored.begin(), stored.end(), [&](const auto& change) {
            return change.object_id == event.object_id && change.version == event.version;
        });
        if (known != stored.end()) {
            // A repeat is told already; another content under the same key is an error.
            if (known->content_hash != event.content_hash) {
                rejections.Reject(candidate.index,
                                  Status(Code::kAlreadyExists, "EFFECT_CONFLICT",
                                         "this version of the object had another content"));
            }
            continue;
        }
        const std::string payload = TransactionJson(NoticeOf(candidate.change, candidate.state),
                                                    options_.order_amount_as_text);
        for (const auto& endpoint : candidate.endpoints) {
            app::ChangeDelivery& made = deliveries.emplace_back();
            made.content_hash = event.content_hash;
            domain::WebhookDelivery& delivery = made.delivery;
            KESSAI_ASSIGN_OR_RETURN(delivery.delivery_id, ids_.Next());
            delivery.endpoint_id = endpoint->endpoint_id;
            delivery.merchant_id = candidate.change.merchant_id();
            delivery.object_id = event.object_id;
            delivery.version = event.version;
            delivery.notification_type = "Transaction";
            delivery.payload = payload;
            delivery.created_at = delivery.next_attempt_at = now;
        }
    }
    if (!deliveries.empty()) added_.store(true, std::memory_order_relaxed);
    return deliveries_.Add(session, deliveries);
}

Status PaymentEventConsumer::ApplyMark(mysql::Session&, const inbox::Mark&) {
    return OkStatus();  // days are nothing to webhooks
}

Status PaymentEventConsumer::PublishDeadLetters(mysql::Session& session,
                                                std::span<const outbox::Entry> entries) {
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t row_id, ids_.Next());
    outbox::BatchWriter writer;
    for (const outbox::Entry& entry : entries) KESSAI_RETURN_IF_ERROR(writer.Add(entry));
    return writer.Store(session, row_id, BusinessDate::OfJst(clock_.Now()));
}

void PaymentEventConsumer::OnCommitted(const inbox::Batch&) {
    if (added_.exchange(false, std::memory_order_relaxed)) on_new_deliveries_();
}

}  // namespace kessai::gateway::transport
