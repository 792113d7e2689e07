#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kessai/auth/principal.h"
#include "kessai/jwt/jwt.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::gateway::app {

/// The present keys of an issuer. Thread safe; never blocks.
class IssuerKeys {
 public:
    virtual ~IssuerKeys() = default;
    virtual jwt::KeySet Current() const = 0;
    /// Changes with the keys: what was verified under another generation is verified again.
    virtual std::uint64_t generation() const = 0;
    /// A token came with a key that is not there: look again soon, in the background.
    virtual void AskAgain() {}
};

struct TrustedIssuer {
    jwt::Expectation expected;
    std::shared_ptr<IssuerKeys> keys;
};

/// Who a verified token speaks for. Shared by all requests that come with the token, on one event
/// loop.
struct BearerIdentity {
    std::string issuer;
    std::string subject;
    Instant expires_at{};
    std::vector<std::string> roles;
    /// What the identity acts as behind the gateway; for app users set once their id is known.
    auth::PrincipalPtr principal;
};

/// Verifies `Authorization: Bearer <JWT>` for one audience. A verification costs some 80 µs, so
/// tokens are remembered until they expire, or their issuer's keys change. One an event loop.
/// Refusals: UNAUTHENTICATED TOKEN_MISSING and those of jwt::Verifier.
class AuthenticateBearer {
 public:
    struct Options {
        std::size_t tokens_max = 100'000;
    };

    AuthenticateBearer(std::vector<TrustedIssuer> issuers, const Clock& clock, Options options);

    Result<std::shared_ptr<BearerIdentity>> Run(std::string_view authorization);

    std::size_t remembered() const { return tokens_.size(); }

 private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };
    struct Entry {
        std::shared_ptr<BearerIdentity> identity;
        const TrustedIssuer* issuer = nullptr;
        std::uint64_t generation = 0;
    };

    const std::vector<TrustedIssuer> issuers_;
    const Clock& clock_;
    const Options options_;
    std::unordered_map<std::string, Entry, Hash, std::equal_to<>> tokens_;
};

}  // namespace kessai::gateway::app
