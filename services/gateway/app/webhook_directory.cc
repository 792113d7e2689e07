#include "app/webhook_directory.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace kessai::gateway::app {

namespace {
/// Gateways' clocks differ, and a transaction may become visible after its time.
constexpr Duration kOverlap = std::chrono::seconds(30);
}  // namespace

Status WebhookDirectory::Refresh() {
    const Instant since = seen_until_ == Instant{} ? Instant{} : Instant(seen_until_ - kOverlap);
    KESSAI_ASSIGN_OR_RETURN(auto changes, store_.ChangedSince(since));
    const std::unique_lock lock(mutex_);
    for (EndpointChange& change : changes) {
        const domain::WebhookEndpoint& endpoint = change.endpoint;
        seen_until_ = std::max(seen_until_, endpoint.updated_at);
        auto& ids = by_merchant_[endpoint.merchant_id];
        const std::int64_t id = endpoint.endpoint_id;
        if (change.deleted) {
            by_id_.erase(id);
            std::erase(ids, id);
            if (ids.empty()) by_merchant_.erase(endpoint.merchant_id);
            continue;
        }
        if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
        by_id_[id] = std::make_shared<const domain::WebhookEndpoint>(std::move(change.endpoint));
    }
    loaded_ = true;
    return OkStatus();
}

bool WebhookDirectory::loaded() const {
    const std::shared_lock lock(mutex_);
    return loaded_;
}

std::vector<WebhookDirectory::EndpointPtr> WebhookDirectory::EnabledOf(
    std::int64_t merchant_id) const {
    std::vector<EndpointPtr> endpoints;
    const std::shared_lock lock(mutex_);
    const auto ids = by_merchant_.find(merchant_id);
    if (ids == by_merchant_.end()) return endpoints;
    for (const std::int64_t id : ids->second) {
        const auto found = by_id_.find(id);
        if (found != by_id_.end() && found->second->enabled) endpoints.push_back(found->second);
    }
    return endpoints;
}

}  // namespace kessai::gateway::app
