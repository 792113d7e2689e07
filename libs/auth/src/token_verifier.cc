#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <mutex>
#include <utility>

#include "kessai/auth/token.h"
#include "kessai/auth/v1/internal_token.pb.h"
#include "token_bytes.h"

namespace kessai::auth {
namespace {

constexpr std::size_t kShards = 16;
constexpr std::size_t kWays = 4;

Status Invalid(const char* what) {
    return Status(Code::kUnauthenticated, reason::kTokenInvalid, what);
}

Status Expired() {
    return Status(Code::kUnauthenticated, reason::kTokenExpired, "the token's time is over");
}

bool KnownRole(int role) {
    return role > static_cast<int>(Role::kNone) && role <= static_cast<int>(Role::kService);
}

}  // namespace

/// Set-associative: a token's hash names a shard and a set of four entries; the one that expires
/// first makes room. Bounded from the start, and a hit moves nothing.
struct TokenVerifier::Cache {
    struct Entry {
        std::uint64_t hash = 0;
        std::uint64_t generation = 0;
        Instant expires_at{};
        std::string token;
        PrincipalPtr principal;
    };
    struct alignas(64) Shard {
        std::mutex mutex;
        std::vector<std::array<Entry, kWays>> sets;
        // Counted under the mutex that is held anyway.
        std::uint64_t hits = 0;
        std::uint64_t misses = 0;
    };
    std::array<Shard, kShards> shards;

    explicit Cache(std::size_t entries_max) {
        if (entries_max == 0) return;
        const std::size_t sets =
            std::bit_ceil(std::max<std::size_t>(1, entries_max / kShards / kWays));
        for (Shard& shard : shards) shard.sets.resize(sets);
    }
    Shard& ShardOf(std::uint64_t hash) { return shards[hash >> 60]; }
    static std::array<Entry, kWays>& SetOf(Shard& shard, std::uint64_t hash) {
        return shard.sets[hash & (shard.sets.size() - 1)];
    }
};

TokenVerifier::TokenVerifier(const KeyRingSource& keys, const Clock& clock, Options options)
    : keys_(keys),
      clock_(clock),
      options_(std::move(options)),
      cache_(std::make_unique<Cache>(options_.cache_entries_max)) {
    static_assert(kShards == 16, "ShardOf takes four bits");
    KESSAI_CHECK(!options_.audience.empty(), "a verifier needs to know which service it is for");
}

TokenVerifier::~TokenVerifier() = default;

Result<PrincipalPtr> TokenVerifier::Verify(std::string_view token) const {
    const std::uint64_t hash = TokenHash(token);
    const std::uint64_t generation = keys_.generation();
    const Instant now = clock_.Now();
    Cache::Shard& shard = cache_->ShardOf(hash);
    if (!shard.sets.empty()) {
        const std::lock_guard lock(shard.mutex);
        for (const Cache::Entry& entry : Cache::SetOf(shard, hash)) {
            if (entry.hash != hash || entry.generation != generation ||
                !EqualInConstantTime(entry.token, token)) {
                continue;
            }
            ++shard.hits;
            if (now >= entry.expires_at + options_.clock_skew_max) return Expired();
            return entry.principal;
        }
        ++shard.misses;
    }

    Instant expires_at{};
    KESSAI_ASSIGN_OR_RETURN(PrincipalPtr principal, VerifyFresh(token, now, &expires_at));
    if (!shard.sets.empty()) {
        const std::lock_guard lock(shard.mutex);
        auto& set = Cache::SetOf(shard, hash);
        auto* victim = &*std::min_element(set.begin(), set.end(), [](const auto& a, const auto& b) {
            return a.expires_at < b.expires_at;
        });
        *victim = Cache::Entry{hash, generation, expires_at, std::string(token), principal};
    }
    return principal;
}

Result<PrincipalPtr> TokenVerifier::VerifyFresh(std::string_view token, Instant now,
                                                Instant* expires_at) const {
    if (token.empty()) return Invalid("no token");
    if (token.size() <= 1 + kMacBytes || token.size() > kTokenBytesMax) {
        return Invalid("the token's length is wrong");
    }
    const auto ring = keys_.Current();
    const std::string* key = ring->Find(static_cast<std::uint8_t>(token[0]));
    if (key == nullptr) return Invalid("signed with a key that is not in the ring");
    const std::string_view signed_part = token.substr(0, token.size() - kMacBytes);
    unsigned char mac[kMacBytes];
    Hmac(*key, signed_part, mac);
    if (!EqualInConstantTime(std::string_view(reinterpret_cast<const char*>(mac), kMacBytes),
                             token.substr(token.size() - kMacBytes))) {
        return Invalid("the signature is wrong");
    }

    v1::InternalTokenClaims claims;
    if (!claims.ParseFromArray(signed_part.data() + 1, static_cast<int>(signed_part.size() - 1))) {
        return Invalid("the claims are malformed");
    }
    if (!KnownRole(claims.role())) return Invalid("the role is unknown");
    const auto& audience = claims.audience();
    if (std::find(audience.begin(), audience.end(), options_.audience) == audience.end()) {
        return Invalid("not for this service");
    }
    // Compared as numbers: an absurd one must not overflow an Instant.
    const std::int64_t now_us = ToMicros(now);
    const std::int64_t skew_us = options_.clock_skew_max.count();
    if (claims.expires_at_us() <= now_us - skew_us) return Expired();
    if (claims.expires_at_us() > now_us + kTokenLifeMax.count() + skew_us) {
        return Invalid("lives longer than a token may");
    }
    *expires_at = FromMicros(claims.expires_at_us());

    auto principal = std::make_shared<Principal>();
    principal->role = static_cast<Role>(claims.role());
    principal->subject = claims.subject();
    principal->merchant_id = claims.merchant_id();
    principal->user_id = claims.user_id();
    principal->scopes.assign(claims.scopes().begin(), claims.scopes().end());
    return PrincipalPtr(std::move(principal));
}

TokenVerifier::Counts TokenVerifier::counts() const {
    Counts counts{};
    for (Cache::Shard& shard : cache_->shards) {
        const std::lock_guard lock(shard.mutex);
        counts.hits += shard.hits;
        counts.misses += shard.misses;
    }
    return counts;
}

}  // namespace kessai::auth
