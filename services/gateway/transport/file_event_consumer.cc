#include "transport/file_event_consumer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "kessai/outbox/batch_writer.h"
#include "kessai/reconciliation/v1/reconciliation_event.pb.h"
#include "transport/file_notice.h"

namespace kessai::gateway::transport {

namespace {

namespace v1 = reconciliation::v1;

constexpr std::string_view kFileCreated = "kessai.reconciliation.v1.FileCreated";
constexpr int kSha256Bytes = 32;

struct Candidate {
    std::size_t index = 0;  // in the batch
    v1::FileCreated created = {};
    std::vector<app::WebhookDirectory::EndpointPtr> endpoints = {};
};

/// What is wrong with it, or ok.
Status Check(const v1::FileCreated& created, const event::Envelope& event) {
    const v1::File& file = created.file();
    if (file.file_id() == event.object_id && file.file_id() > 0 && file.merchant_id() > 0 &&
        created.announcement() == event.version && !file.name().empty() &&
        std::cmp_equal(file.sha256().size(), kSha256Bytes)) {
        return OkStatus();
    }
    return {Code::kInvalidArgument, "PAYLOAD_MALFORMED",
            "not a FileCreated of the envelope's object and version"};
}

}  // namespace

FileEventConsumer::FileEventConsumer(const app::WebhookDirectory& directory,
                                     app::ChangeDeliveries& deliveries, app::IdSource& ids,
                                     const domain::FileLinks& links, const Clock& clock,
                                     std::function<void()> on_new_deliveries)
    : directory_(directory),
      deliveries_(deliveries),
      ids_(ids),
      links_(links),
      clock_(clock),
      on_new_deliveries_(std::move(on_new_deliveries)) {}

Status FileEventConsumer::FindEffects(mysql::Session&, std::span<const inbox::EffectKey>,
                                      inbox::Effects&) {
    return OkStatus();
}

Status FileEventConsumer::Apply(mysql::Session& session, const inbox::Batch& batch,
                                inbox::Rejections& rejections) {
    if (!directory_.loaded()) {
        return {Code::kUnavailable, "ENDPOINTS_NOT_LOADED",
                "the webhook endpoints are not read yet"};
    }
    const Instant now = clock_.Now();
    std::vector<Candidate> candidates;
    std::vector<std::int64_t> object_ids;
    for (std::size_t i = 0; i < batch.deliveries.size(); ++i) {
        const event::Envelope& event = batch.deliveries[i].event;
        if (event.type != kFileCreated) continue;
        Candidate candidate{.index = i};
        Status checked(Code::kInvalidArgument, "PAYLOAD_MALFORMED", "not a FileCreated");
        if (candidate.created.ParseFromString(event.payload)) {
            checked = Check(candidate.created, event);
        }
        if (!checked.ok()) {
            rejections.Reject(i, std::move(checked));
            continue;
        }
        const v1::File& file = candidate.created.file();
        // An announcement that somebody asked for begins its own time.
        if (links_.AvailableUntil(event.occurred_at) <= now) continue;
        candidate.endpoints = directory_.EnabledOf(file.merchant_id());
        if (candidate.endpoints.empty()) continue;
        object_ids.push_back(DeliveryObjectOfFile(file.file_id()));
        candidates.push_back(std::move(candidate));
    }
    if (candidates.empty()) return OkStatus();
    std::sort(object_ids.begin(), object_ids.end());
    object_ids.erase(std::unique(object_ids.begin(), object_ids.end()), object_ids.end());
    KESSAI_ASSIGN_OR_RETURN(const auto stored, deliveries_.Find(session, object_ids));

    std::vector<app::ChangeDelivery> deliveries;
    for (const Candidate& candidate : candidates) {
        const event::Envelope& event = batch.deliveries[candidate.index].event;
        const v1::File& file = candidate.created.file();
        const std::int64_t object_id = DeliveryObjectOfFile(file.file_id());
        const auto known = std::find_if(stored.begin(), stored.end(), [&](const auto& change) {
            return change.object_id == object_id && change.version == event.version;
        });
        if (known != stored.end()) {
            // A repeat is told already; another content under the same key is an error.
            if (known->content_hash != event.content_hash) {
                rejections.Reject(candidate.index,
                                  Status(Code::kAlreadyExists, "EFFECT_CONFLICT",
                                         "this announcement of the file had another content"));
            }
            continue;
        }
        const std::string payload =
            FileNoticeJson(file, candidate.created.announcement(), event.occurred_at);
        for (const auto& endpoint : candidate.endpoints) {
            app::ChangeDelivery& made = deliveries.emplace_back();
            made.content_hash = event.content_hash;
            domain::WebhookDelivery& delivery = made.delivery;
            KESSAI_ASSIGN_OR_RETURN(delivery.delivery_id, ids_.Next());
            delivery.endpoint_id = endpoint->endpoint_id;
            delivery.merchant_id = file.merchant_id();
            delivery.object_id = object_id;
            delivery.version = event.version;
            delivery.notification_type = kFileCreatedNotice;
            delivery.payload = payload;
            delivery.created_at = delivery.next_attempt_at = now;
        }
    }
    if (!deliveries.empty()) added_.store(true, std::memory_order_relaxed);
    return deliveries_.Add(session, deliveries);
}

Status FileEventConsumer::ApplyMark(mysql::Session&, const inbox::Mark&) {
    return OkStatus();  // days are nothing to webhooks
}

Status FileEventConsumer::PublishDeadLetters(mysql::Session& session,
                                             std::span<const outbox::Entry> entries) {
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t row_id, ids_.Next());
    outbox::BatchWriter writer;
    for (const outbox::Entry& entry : entries) KESSAI_RETURN_IF_ERROR(writer.Add(entry));
    return writer.Store(session, row_id, BusinessDate::OfJst(clock_.Now()));
}

void FileEventConsumer::OnCommitted(const inbox::Batch&) {
    if (added_.exchange(false, std::memory_order_relaxed)) on_new_deliveries_();
}

}  // namespace kessai::gateway::transport
