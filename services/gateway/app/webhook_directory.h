#pragma once

#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "app/webhook_store.h"
#include "domain/webhook.h"
#include "kessai/result/result.h"

namespace kessai::gateway::app {

/// All webhook endpoints, in memory and without their secrets: asked for every change of a payment.
/// It follows the database by Refresh, so an endpoint made at another gateway is heard of a little
/// later: nothing must be given up for what it says. Thread safe.
class WebhookDirectory {
 public:
    explicit WebhookDirectory(WebhookStore& store) : store_(store) {}

    /// Reads what changed since it was last asked. Blocks; one caller at a time.
    Status Refresh();
    /// Whether all endpoints were read once.
    bool loaded() const;

    using EndpointPtr = std::shared_ptr<const domain::WebhookEndpoint>;
    /// Those that want to hear of the merchant's payments.
    std::vector<EndpointPtr> EnabledOf(std::int64_t merchant_id) const;

 private:
    WebhookStore& store_;
    Instant seen_until_{};  // of the caller of Refresh
    mutable std::shared_mutex mutex_;
    bool loaded_ = false;
    std::unordered_map<std::int64_t, EndpointPtr> by_id_;
    std::unordered_map<std::int64_t, std::vector<std::int64_t>> by_merchant_;
};

}  // namespace kessai::gateway::app
