#include "transport/redis_rate_limiter.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "kessai/net/task.h"
#include "kessai/redis/key.h"

namespace kessai::gateway::transport {

namespace {

constexpr double kPortionSeconds = 0.1;
constexpr double kSmallBurst = 20;
constexpr Duration kIdleMax = std::chrono::seconds(30);

/// KEYS[1] the bucket; ARGV: tokens a second, burst, wanted. Gives {granted, milliseconds until the
/// next whole token}. The server's clock is the only one.
const redis::Script kTakeTokens(R"lua(
local rate = tonumber(ARGV[1])
local burst = tonumber(ARGV[2])
local wanted = tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local state = redis.call('HMGET', KEYS[1], 't', 'm')
local tokens = tonumber(state[1]) or burst
local then_ms = tonumber(state[2]) or now
if now > then_ms then
    tokens = math.min(burst, tokens + (now - then_ms) * rate / 1000)
end
local granted = math.floor(math.min(tokens, wanted))
if granted < 0 then granted = 0 end
tokens = tokens - granted
redis.call('HSET', KEYS[1], 't', tostring(tokens), 'm', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
local wait = 0
if tokens < 1 then wait = math.ceil((1 - tokens) * 1000 / rate) end
return {granted, wait}
)lua");

}  // namespace

RedisRateLimiter::RedisRateLimiter(redis::AsyncClient& redis, const Clock& clock, Options options)
    : redis_(redis), clock_(clock), options_(options) {}

RedisRateLimiter::~RedisRateLimiter() = default;

bool RedisRateLimiter::Take(std::string_view key, const app::Rate& rate) {
    if (rate.per_second <= 0) return true;  // no limit
    const SteadyInstant now = clock_.SteadyNow();
    const std::shared_ptr<Bucket> bucket = Find(key, rate, now);
    if (!redis_.up()) bucket->local = true;
    if (bucket->local) {
        RefillLocally(*bucket, now);
        ++counts_.local;
    }
    const double floor = bucket->local ? 0 : -bucket->ahead_max;
    const bool fits = bucket->tokens - 1 >= floor;
    if (fits) bucket->tokens -= 1;
    ++(fits ? counts_.taken : counts_.refused);
    // Half of what may be spent ahead is left for the time that an answer takes. Whoever spends
    // little is so not asked for with every request.
    if (!bucket->fetching && bucket->tokens < -bucket->ahead_max / 2 &&
        bucket->empty_until <= now && redis_.up()) {
        bucket->fetching = true;
        net::Spawn(Fetch(bucket));
    }
    return fits;
}

std::shared_ptr<RedisRateLimiter::Bucket> RedisRateLimiter::Find(std::string_view key,
                                                                 const app::Rate& rate,
                                                                 SteadyInstant now) {
    if (const auto found = buckets_.find(key); found != buckets_.end()) {
        found->second->used_at = now;
        found->second->rate = rate;
        return found->second;
    }
    if (buckets_.size() >= options_.keys_max || now - swept_at_ > kIdleMax) Sweep(now);
    auto bucket = std::make_shared<Bucket>();
    bucket->key = redis::Key("r", key);
    bucket->rate = rate;
    bucket->portion = std::max(1.0, std::floor(rate.per_second * kPortionSeconds));
    bucket->ahead_max = std::max(bucket->portion, std::min(rate.burst, kSmallBurst));
    bucket->used_at = bucket->refilled_at = now;
    if (!redis_.up()) {
        bucket->local = true;
        bucket->tokens = std::max(1.0, rate.burst);
    }
    buckets_.emplace(std::string(key), bucket);
    return bucket;
}

void RedisRateLimiter::RefillLocally(Bucket& bucket, SteadyInstant now) {
    const double seconds = std::chrono::duration<double>(now - bucket.refilled_at).count();
    bucket.refilled_at = now;
    bucket.tokens = std::min(std::max(1.0, bucket.rate.burst),
                             bucket.tokens + seconds * bucket.rate.per_second);
}

net::Task<void> RedisRateLimiter::Fetch(std::shared_ptr<Bucket> bucket) {
    ++counts_.fetches;
    const std::string rate = std::to_string(bucket->rate.per_second);
    const std::string burst = std::to_string(std::max(1.0, bucket->rate.burst));
    // What was spent ahead, and the next portion.
    const double wanted = bucket->portion + std::max(0.0, std::ceil(-bucket->tokens));
    const std::string amount = std::to_string(static_cast<std::int64_t>(wanted));
    const std::array<std::string_view, 1> keys{bucket->key};
    const std::array<std::string_view, 3> args{rate, burst, amount};
    auto reply = co_await redis_.Evaluate(kTakeTokens, keys, args);
    bucket->fetching = false;
    const SteadyInstant now = clock_.SteadyNow();
    if (!reply.ok() || reply->elements.size() != 2) {
        if (!bucket->local) bucket->refilled_at = now;
        bucket->local = true;
        co_return;
    }
    if (bucket->local) {
        // What was refilled by ourselves is not taken along.
        bucket->local = false;
        bucket->tokens = std::min(bucket->tokens, 0.0);
    }
    bucket->tokens += static_cast<double>(reply->elements[0].integer);
    if (static_cast<double>(reply->elements[0].integer) < wanted) {
        const auto wait = std::clamp<std::int64_t>(reply->elements[1].integer, 1, 1'000);
        bucket->empty_until = now + std::chrono::milliseconds(wait);
    }
}

void RedisRateLimiter::Sweep(SteadyInstant now) {
    swept_at_ = now;
    std::erase_if(buckets_, [&](const auto& entry) {
        return !entry.second->fetching && now - entry.second->used_at > kIdleMax;
    });
    // Still full of keys that are in use: some go, and begin anew with what Redis knows of them.
    while (buckets_.size() >= options_.keys_max) buckets_.erase(buckets_.begin());
}

}  // namespace kessai::gateway::transport
