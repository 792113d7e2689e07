#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/time/clock.h"

namespace kessai::gateway::domain {

/// Where a merchant wants to hear of its payments.
struct WebhookEndpoint {
    std::int64_t endpoint_id = 0;
    std::int64_t merchant_id = 0;
    /// Chosen by the merchant or operator, unique per merchant.
    std::string name;
    std::string url;
    /// Signs what is sent there.
    std::string secret;
    bool enabled = true;
    Instant created_at{};
    Instant updated_at{};
};

enum class DeliveryState : std::uint8_t {
    /// To be sent, for the first time or again.
    kPending = 1,
    kDelivered = 2,
    /// Given up; can be sent again by an operator.
    kDead = 3,
};
std::string_view DeliveryStateName(DeliveryState state);

/// One notification to one endpoint.
struct WebhookDelivery {
    std::int64_t delivery_id = 0;
    std::int64_t endpoint_id = 0;
    std::int64_t merchant_id = 0;
    /// The change that it tells of; 0 for a test.
    std::int64_t object_id = 0;
    std::uint32_t version = 0;
    /// "Transaction".
    std::string notification_type;
    std::string payload;
    DeliveryState state = DeliveryState::kPending;
    /// Made so far, over all the times that it was sent anew.
    std::uint32_t attempts = 0;
    /// The attempts that were made before it was last sent anew: the ladder counts those after.
    std::uint32_t ladder_begins_after = 0;
    Instant next_attempt_at{};
    Instant created_at{};
    /// Of the last attempt.
    int last_http_status = 0;
    std::string last_error;
};

/// How one attempt went.
struct AttemptOutcome {
    /// 0 when no answer came.
    int http_status = 0;
    /// Empty when it was delivered.
    std::string error;
    Instant started_at{};
    Duration took{};

    bool delivered() const { return http_status >= 200 && http_status < 300; }
};

/// When to try again: the waits after the first, second, … failed attempt; after the last one a
/// delivery is dead.
struct RetryLadder {
    std::vector<Duration> waits;

    /// Nothing when there is no further attempt. `attempts` were made and failed; `jitter`, from 0
    /// to 1, shortens the wait by up to a quarter, so that what failed together does not come back
    /// together.
    std::optional<Duration> WaitAfter(std::uint32_t attempts, double jitter) const;
};

/// A payment's change as its `Transaction` notification tells of it.
struct TransactionNotice {
    std::int64_t merchant_id = 0;
    std::string store_id;
    std::string terminal_id;
    std::int64_t payment_id = 0;
    std::string merchant_payment_id;
    std::optional<Instant> authorized_at;
    std::optional<Instant> expires_at;
    std::optional<Instant> paid_at;
    std::int64_t order_amount = 0;
    /// AUTHORIZED, COMPLETED, CANCELED, EXPIRED or FAILED.
    std::string_view state;
};

/// `Kessai-Signature: t=<seconds>,v1=<hex>`: HMAC-SHA256 by the endpoint's secret over
/// "<seconds>.<body>". Receivers compare it and the time, and so know who sent it and that it is
/// fresh.
std::string SignWebhook(std::string_view secret, std::int64_t timestamp_s, std::string_view body);

}  // namespace kessai::gateway::domain
