#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "domain/webhook.h"
#include "kessai/result/result.h"

namespace kessai::gateway::app {

/// Due deliveries that one caller holds alone.
struct ClaimedDeliveries {
    /// Where they go as it is stored now, with its secret: what a gateway remembers of endpoints
    /// may be older than the delivery. Not enabled when it was deleted.
    domain::WebhookEndpoint endpoint;
    std::vector<domain::WebhookDelivery> deliveries;
};

struct DueEndpoint {
    std::int64_t endpoint_id = 0;
    Instant due_at{};
    /// Deliveries that have not ended, due or not yet.
    std::int64_t pending = 0;
};

/// What is wanted of an endpoint: at most so many due deliveries.
struct ClaimWish {
    std::int64_t endpoint_id = 0;
    int limit = 0;
};

/// An attempt that was made, and what becomes of its delivery.
struct AttemptRecord {
    domain::WebhookDelivery delivery;  // as it was claimed
    domain::AttemptOutcome outcome;
    domain::DeliveryState state = domain::DeliveryState::kPending;
    /// When it is pending still.
    Instant next_attempt_at{};
};

struct EndpointChange {
    domain::WebhookEndpoint endpoint;
    bool deleted = false;
};

struct Attempt {
    std::uint32_t number = 0;
    domain::AttemptOutcome outcome;
};

/// Endpoints and what is to be sent to them. Blocks; thread safe.
class WebhookStore {
 public:
    virtual ~WebhookStore() = default;

    // Endpoints
    /// Makes the endpoint, or changes the url and state of the one of that name; a new one gets
    /// `endpoint.endpoint_id` and `endpoint.secret`. Gives it as it is then, the secret only when
    /// new.
    virtual Result<domain::WebhookEndpoint> PutEndpoint(const domain::WebhookEndpoint& endpoint,
                                                        Instant now) = 0;
    virtual Result<std::vector<domain::WebhookEndpoint>> EndpointsOf(std::int64_t merchant_id) = 0;
    /// NOT_FOUND ENDPOINT_UNKNOWN.
    virtual Result<domain::WebhookEndpoint> FindEndpoint(std::int64_t merchant_id,
                                                         std::string_view name) = 0;
    /// Its pending deliveries are given up. NOT_FOUND ENDPOINT_UNKNOWN.
    virtual Status DeleteEndpoint(std::int64_t merchant_id, std::string_view name, Instant now) = 0;
    /// Endpoints changed at or after `since`, without their secrets.
    virtual Result<std::vector<EndpointChange>> ChangedSince(Instant since) = 0;

    // Deliveries
    virtual Status AddDelivery(const domain::WebhookDelivery& delivery) = 0;
    /// Endpoints with something due, at most `limit`.
    virtual Result<std::vector<DueEndpoint>> DueEndpoints(Instant now, int limit) = 0;
    /// Takes at most `limit` due deliveries of an endpoint for this caller alone, until `until`:
    /// then they are due again. DATA_LOSS SECRET_UNREADABLE: then nothing was taken.
    virtual Result<ClaimedDeliveries> Claim(std::int64_t endpoint_id, int limit, Instant now,
                                            Instant until) = 0;
    /// The same of many endpoints in one go: for those that have few deliveries each. Endpoints of
    /// which nothing was taken are not in the answer: nothing was due, somebody else was quicker,
    /// or the secret is unreadable, which Claim says.
    virtual Result<std::vector<ClaimedDeliveries>> ClaimOfMany(std::span<const ClaimWish> wishes,
                                                               Instant now, Instant until) = 0;
    /// The first record of an attempt stands: where a claim ended too early and two gateways made
    /// the same one, the second changes nothing.
    virtual Status Record(std::span<const AttemptRecord> records) = 0;
    /// Newest first; `before_id` 0: from the newest.
    virtual Result<std::vector<domain::WebhookDelivery>> ListDeliveries(
        std::int64_t endpoint_id, std::optional<domain::DeliveryState> state,
        std::int64_t before_id, int limit) = 0;
    /// The last hundred, in their order.
    virtual Result<std::vector<Attempt>> AttemptsOf(std::int64_t delivery_id) = 0;
    /// Makes a finished delivery due again: its attempts count on, its waits begin anew. NOT_FOUND
    /// DELIVERY_UNKNOWN.
    virtual Result<domain::WebhookDelivery> Redeliver(std::int64_t delivery_id, Instant now) = 0;
    /// Deletes what was finished before `before`; gives how many.
    virtual Result<std::uint64_t> Purge(Instant before, int limit) = 0;
};

}  // namespace kessai::gateway::app
