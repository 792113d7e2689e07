#pragma once

#include "app/credential_store.h"
#include "domain/secret_box.h"
#include "kessai/mysql/pool.h"

namespace kessai::gateway::storage {

class MysqlCredentialStore final : public app::CredentialStore {
 public:
    MysqlCredentialStore(mysql::Pool& pool, const domain::SecretBox& box)
        : pool_(pool), box_(box) {}

    Result<std::optional<domain::ApiCredential>> Find(std::string_view api_key) override;
    Result<std::vector<domain::ApiCredential>> OfMerchant(std::int64_t merchant_id) override;
    Status Add(const domain::ApiCredential& credential) override;
    Status Revoke(std::int64_t merchant_id, std::string_view api_key, Instant now) override;
    Result<std::vector<std::string>> ChangedSince(Instant since) override;

 private:
    mysql::Pool& pool_;
    const domain::SecretBox& box_;
};

}  // namespace kessai::gateway::storage
