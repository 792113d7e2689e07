#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/auth/key_ring.h"
#include "kessai/auth/principal.h"
#include "kessai/auth/reason.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

/// The internal token: what the gateway found out about a caller, told to the services behind it.
/// On the wire (kessai/auth/v1/internal_token.proto): one byte key number, the serialized claims,
/// 32 bytes HMAC-SHA256 over all that is before them.
namespace kessai::auth {

/// No token lives longer than this: the signer refuses to make one, the verifier to accept one.
inline constexpr Duration kTokenLifeMax = std::chrono::minutes(10);
/// Longest token accepted, in bytes.
inline constexpr std::size_t kTokenBytesMax = 4096;

/// Makes internal tokens. Thread safe; keeps tokens it made, because the same caller comes again:
/// a token is given out again until half of its life is over.
class TokenSigner {
 public:
    struct Options {
        /// How long a token lives, at most kTokenLifeMax.
        Duration life = std::chrono::minutes(2);
        /// Tokens kept, in all.
        std::size_t cache_entries_max = 16'384;
    };

    /// `keys` and `clock` must outlive the signer.
    TokenSigner(const KeyRingSource& keys, const Clock& clock, Options options);
    TokenSigner(const KeyRingSource& keys, const Clock& clock);
    ~TokenSigner();

    /// A token for `principal` that the services named in `audience` accept. Refusals:
    /// INVALID_ARGUMENT CLAIMS_INVALID, FAILED_PRECONDITION NO_SIGNING_KEY.
    Result<std::string> Mint(const Principal& principal, std::string_view audience);
    Result<std::string> Mint(const Principal& principal,
                             std::span<const std::string_view> audience);

    /// The same with a life of its own, never kept.
    Result<std::string> MintOnce(const Principal& principal,
                                 std::span<const std::string_view> audience, Duration life) const;

 private:
    struct Cache;
    const KeyRingSource& keys_;
    const Clock& clock_;
    const Options options_;
    std::unique_ptr<Cache> cache_;
};

/// Verifies internal tokens for one service. Thread safe. A token seen before costs a look-up in a
/// bounded, sharded memory of verified tokens (its whole bytes are compared, in constant time)
/// instead of an HMAC and a parse.
class TokenVerifier {
 public:
    struct Options {
        /// The service that verifies: "payment", "payout", "reconciliation".
        std::string audience = {};
        /// Verified tokens remembered, in all; rounded up to a power of two. 0: none.
        std::size_t cache_entries_max = 16'384;
        /// How much the issuer's clock may be behind or ahead of ours.
        Duration clock_skew_max = std::chrono::seconds(2);
    };

    /// `keys` and `clock` must outlive the verifier.
    TokenVerifier(const KeyRingSource& keys, const Clock& clock, Options options);
    ~TokenVerifier();

    /// Refusals: UNAUTHENTICATED TOKEN_INVALID, TOKEN_EXPIRED.
    Result<PrincipalPtr> Verify(std::string_view token) const;

    struct Counts {
        std::uint64_t hits;
        std::uint64_t misses;
    };
    Counts counts() const;

 private:
    struct Cache;
    Result<PrincipalPtr> VerifyFresh(std::string_view token, Instant now,
                                     Instant* expires_at) const;

    const KeyRingSource& keys_;
    const Clock& clock_;
    const Options options_;
    std::unique_ptr<Cache> cache_;
};

}  // namespace kessai::auth
