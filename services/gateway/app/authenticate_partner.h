#pragma once

#include <cstdint>
#include <string_view>

#include "app/credential_cache.h"
#include "app/nonce_memory.h"
#include "app/rate_limiter.h"
#include "domain/opa_signature.h"
#include "kessai/auth/principal.h"
#include "kessai/net/address.h"
#include "kessai/net/task.h"

namespace kessai::gateway::app {

/// A partner that signed rightly, and whom it acts for.
struct Partner {
    auth::PrincipalPtr principal;
    /// The merchant that the request named by itself; 0 when it named none.
    std::int64_t assumed_merchant_id = 0;
    /// The same for the same signed request, sent once or again, and for no other; never 0.
    std::uint32_t request_salt = 0;
};

struct PartnerRequest {
    domain::SignedRequest signed_request;
    std::string_view authorization;
    /// The merchant named by query or header, the query's first; empty: none.
    std::string_view assume_merchant;
    net::IpAddress client;
    std::string_view scope;
};

/// Told of what an operator wants to see of it. Event loops' threads; must not block.
class PartnerAuthenticationObserver {
 public:
    virtual ~PartnerAuthenticationObserver() = default;
    virtual void OnNonce(NonceVerdict) {}
};

/// Verifies a partner's request: form, credential, time, signature, client address, nonce,
/// merchant, scope and rate, in this order. One an event loop. Refusals: UNAUTHENTICATED
/// UNAUTHORIZED (the message says what was wrong, for the log and not for the caller),
/// PERMISSION_DENIED OUT_OF_SCOPE, RESOURCE_EXHAUSTED RATE_LIMITED, and what the database refuses.
class AuthenticatePartner {
 public:
    AuthenticatePartner(CredentialCache& credentials, NonceMemory& nonces, RateLimiter& limiter,
                        Rate default_rate, const Clock& clock,
                        PartnerAuthenticationObserver& observer);

    net::Task<Result<Partner>> Run(const PartnerRequest& request);

 private:
    CredentialCache& credentials_;
    NonceMemory& nonces_;
    RateLimiter& limiter_;
    const Rate default_rate_;
    const Clock& clock_;
    PartnerAuthenticationObserver& observer_;
};

}  // namespace kessai::gateway::app
