#pragma once

#include "app/change_deliveries.h"
#include "app/webhook_store.h"
#include "domain/secret_box.h"
#include "kessai/mysql/pool.h"

namespace kessai::gateway::storage {

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
    Result<app::ClaimedDeliveries> Claim(std::int64_t endpoint_id, int limit, Instant now,
                                         Instant until) override;
    Result<std::vector<app::ClaimedDeliveries>> ClaimOfMany(std::span<const app::ClaimWish> wishes,
                                                            Instant now, Instant until) override;
    Status Record(std::span<const app::AttemptRecord> records) override;
    Result<std::vector<domain::WebhookDelivery>> ListDeliveries(
        std::int64_t endpoint_id, std::optional<domain::DeliveryState> state,
        std::int64_t before_id, int limit) override;
    Result<std::vector<app::Attempt>> AttemptsOf(std::int64_t delivery_id) override;
    Result<domain::WebhookDelivery> Redeliver(std::int64_t delivery_id, Instant now) override;
    Result<std::uint64_t> Purge(Instant before, int limit) override;

 private:
    mysql::Pool& pool_;
    const domain::SecretBox& box_;
};

class MysqlChangeDeliveries final : public app::ChangeDeliveries {
 public:
    Result<std::vector<app::ToldChange>> Find(mysql::Session& session,
                                              std::span<const std::int64_t> object_ids) override;
    Status Add(mysql::Session& session, std::span<const app::ChangeDelivery> deliveries) override;
};

}  // namespace kessai::gateway::storage
