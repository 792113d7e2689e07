#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/credential_store.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::gateway::app {

struct CredentialWish {
    std::int64_t merchant_id = 0;
    std::vector<std::string> scopes;
    std::vector<std::int64_t> assumable_merchant_ids;
    std::vector<std::string> allowed_networks;
    std::int64_t requests_per_second = 0;
};

/// Makes a credential with a fresh key and secret (base64 of 32 random bytes, as the partner SDKs
/// want it). Blocks. INVALID_ARGUMENT SCOPE_UNKNOWN, NETWORK_MALFORMED.
class IssueCredential {
 public:
    IssueCredential(CredentialStore& store, const Clock& clock) : store_(store), clock_(clock) {}
    Result<domain::ApiCredential> Run(const CredentialWish& wish);

 private:
    CredentialStore& store_;
    const Clock& clock_;
};

/// What a partner credential may be given.
const std::vector<std::string>& PartnerScopes();

}  // namespace kessai::gateway::app
