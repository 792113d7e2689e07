#include <google/protobuf/stubs/common.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "kessai/auth/token.h"
#include "kessai/auth/v1/internal_token.pb.h"
#include "token_bytes.h"

namespace kessai::auth {
namespace {

constexpr std::size_t kShards = 16;

Status ClaimsInvalid(std::string message) {
    return Status(Code::kInvalidArgument, reason::kClaimsInvalid, std::move(message));
}

/// protobuf writes other bytes without complaint, and refuses to read them.
bool AllUtf8(const Principal& principal) {
    using google::protobuf::internal::IsStructurallyValidUTF8;
    const auto valid = [](const std::string& text) {
        return IsStructurallyValidUTF8(text.data(), static_cast<int>(text.size()));
    };
    return valid(principal.subject) &&
           std::all_of(principal.scopes.begin(), principal.scopes.end(), valid);
}

void Append(std::string& key, std::string_view part) {
    key += std::to_string(part.size());
    key += ':';
    key += part;
}

/// One string for one meaning: what a kept token is found by.
std::string CacheKey(const Principal& principal, std::span<const std::string_view> audience) {
    std::string key;
    key.reserve(96);
    key.push_back(static_cast<char>('0' + static_cast<int>(principal.role)));
    key += std::to_string(principal.merchant_id);
    key += '/';
    key += std::to_string(principal.user_id);
    Append(key, principal.subject);
    for (const std::string& scope : principal.scopes) Append(key, scope);
    key += '|';
    for (const std::string_view service : audience) Append(key, service);
    return key;
}

}  // namespace

struct TokenSigner::Cache {
    struct Entry {
        std::string token;
        Instant use_until;
        std::uint64_t generation;
    };
    struct Shard {
        std::mutex mutex;
        std::unordered_map<std::string, Entry> entries;
    };
    std::array<Shard, kShards> shards;

    Shard& ShardOf(const std::string& key) {
        return shards[(std::hash<std::string>{}(key) >> 8) % kShards];
    }
};

TokenSigner::TokenSigner(const KeyRingSource& keys, const Clock& clock, Options options)
    : keys_(keys), clock_(clock), options_(options), cache_(std::make_unique<Cache>()) {
    KESSAI_CHECK(options.life > Duration::zero() && options.life <= kTokenLifeMax,
                 "a token's life is bounded");
}

TokenSigner::TokenSigner(const KeyRingSource& keys, const Clock& clock)
    : TokenSigner(keys, clock, Options{}) {}

TokenSigner::~TokenSigner() = default;

Result<std::string> TokenSigner::Mint(const Principal& principal, std::string_view audience) {
    return Mint(principal, std::span(&audience, 1));
}

Result<std::string> TokenSigner::Mint(const Principal& principal,
                                      std::span<const std::string_view> audience) {
    std::string key = CacheKey(principal, audience);
    const std::uint64_t generation = keys_.generation();
    const Instant now = clock_.Now();
    Cache::Shard& shard = cache_->ShardOf(key);
    {
        const std::lock_guard lock(shard.mutex);
        const auto found = shard.entries.find(key);
        // A wall clock that went back makes no token older than half of its life look fresh.
        if (found != shard.entries.end() && found->second.generation == generation &&
            now < found->second.use_until && found->second.use_until - now <= options_.life / 2) {
            return found->second.token;
        }
    }
    KESSAI_ASSIGN_OR_RETURN(std::string token, MintOnce(principal, audience, options_.life));
    const std::size_t entries_max = std::max<std::size_t>(1, options_.cache_entries_max / kShards);
    const std::lock_guard lock(shard.mutex);
    // Full: everything is minted again, once a life at most. Dropping the lot keeps it bounded
    // without a list to keep in order on every hit.
    if (shard.entries.size() >= entries_max) shard.entries.clear();
    shard.entries.insert_or_assign(std::move(key),
                                   Cache::Entry{token, now + options_.life / 2, generation});
    return token;
}

Result<std::string> TokenSigner::MintOnce(const Principal& principal,
                                          std::span<const std::string_view> audience,
                                          Duration life) const {
    if (!AllUtf8(principal)) return ClaimsInvalid("a claim is not valid UTF-8");
    if (principal.role == Role::kNone) return ClaimsInvalid("a token needs a role");
    if (audience.empty()) return ClaimsInvalid("a token needs an audience");
    if (life <= Duration::zero() || life > kTokenLifeMax) {
        return ClaimsInvalid("a token lives at most 10 minutes");
    }
    const auto ring = keys_.Current();
    if (!ring->signing_key_number()) {
        return Status(Code::kFailedPrecondition, reason::kNoSigningKey,
                      "the key ring names no key to sign with");
    }
    const std::uint8_t number = *ring->signing_key_number();

    v1::InternalTokenClaims claims;
    claims.set_role(static_cast<v1::InternalTokenClaims::Role>(principal.role));
    claims.set_subject(principal.subject);
    claims.set_merchant_id(principal.merchant_id);
    claims.set_user_id(principal.user_id);
    for (const std::string& scope : principal.scopes) claims.add_scopes(scope);
    for (const std::string_view service : audience) claims.add_audience(std::string(service));
    claims.set_expires_at_us(ToMicros(clock_.Now() + life));

    std::string token(1, static_cast<char>(number));
    claims.AppendToString(&token);
    if (token.size() + kMacBytes > kTokenBytesMax) return ClaimsInvalid("the claims are too long");
    unsigned char mac[kMacBytes];
    Hmac(*ring->Find(number), token, mac);
    token.append(reinterpret_cast<const char*>(mac), kMacBytes);
    return token;
}

}  // namespace kessai::auth
