#pragma once

#include "app/webhook_store.h"
#include "domain/secret_box.h"
#include "kessai/event/envelope.h"
#include "kessai/mysql/pool.h"

namespace kessai::mysql {
class Session;
}

namespace kessai::gateway::storage {

/// A delivery that a change of a payment gives rise to.
struct ChangeDelivery {
    domain::WebhookDelivery delivery;
    event::ContentHash content_hash{};
};

class MysqlWebhookStore final : public app::WebhookStore {
 public:
    MysqlWebhookStore(mysql::Pool& pool, const domain::SecretBox& box) : pool_(pool), box_(box) {}

    Result<domain::WebhookEndpoint> PutEndpoint(const domain::WebhookEndpoint& endpoint,
                                                Instant now) override;
    Result<std::vector<domain::WebhookEndpoint>> EndpointsOf(std::int64_t merchant_id) override;
    Result<domain::WebhookEndpoint> FindEndpoint(std::int64_t merchant_id,
                                                 std::string_view name) override;
    Status DeleteEndpoint(std::int64_t merchant_id, std::string_view name, Instant now) override;
    Result<std::vector<app::EndpointChange>> ChangedSince(Instant since) override;

    Status AddDelivery(const domain::WebhookDelivery& delivery) override;
    Result<std::vector<app::DueEndpoint>> DueEndpoints(Instant now, int limit) override;
    Result<std::vector<domain::WebhookDelivery>> Claim(std::int64_t endpoint_id, int limit,
                                                       Instant now, Instant until) override;
    Status Record(std::span<const app::AttemptRecord> records) override;
    Result<std::vector<domain::WebhookDelivery>> ListDeliveries(
        std::int64_t endpoint_id, std::optional<domain::DeliveryState> state,
        std::int64_t before_id, int limit) override;
    Result<std::vector<app::Attempt>> AttemptsOf(std::int64_t delivery_id) override;
    Result<domain::WebhookDelivery> Redeliver(std::int64_t delivery_id, Instant now) override;
    Result<std::uint64_t> Purge(Instant before, int limit) override;

    // For the consumer of changes, in its own transaction.

    struct StoredChange {
        std::int64_t object_id;
        std::uint32_t version;
        event::ContentHash content_hash;
    };
    /// What of these objects' changes has deliveries already.
    static Result<std::vector<StoredChange>> FindChanges(mysql::Session& session,
                                                         std::span<const std::int64_t> object_ids);
    static Status AddChanges(mysql::Session& session, std::span<const ChangeDelivery> deliveries);

 private:
    mysql::Pool& pool_;
    const domain::SecretBox& box_;
};

}  // namespace kessai::gateway::storage
