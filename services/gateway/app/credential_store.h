#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/credential.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::gateway::app {

/// Where API credentials are kept. Blocks; thread safe.
class CredentialStore {
 public:
    virtual ~CredentialStore() = default;

    /// Nothing when there is none of that key. Revoked ones are found too.
    virtual Result<std::optional<domain::ApiCredential>> Find(std::string_view api_key) = 0;
    virtual Result<std::vector<domain::ApiCredential>> OfMerchant(std::int64_t merchant_id) = 0;
    /// ALREADY_EXISTS when the key is taken.
    virtual Status Add(const domain::ApiCredential& credential) = 0;
    /// NOT_FOUND CREDENTIAL_UNKNOWN. Again changes nothing.
    virtual Status Revoke(std::int64_t merchant_id, std::string_view api_key, Instant now) = 0;
    /// Keys of credentials changed at or after `since`.
    virtual Result<std::vector<std::string>> ChangedSince(Instant since) = 0;
};

}  // namespace kessai::gateway::app
