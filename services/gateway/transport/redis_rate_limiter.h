#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "app/rate_limiter.h"
#include "kessai/net/task.h"
#include "kessai/redis/async_client.h"
#include "kessai/time/clock.h"

namespace kessai::gateway::transport {

/// Token buckets in Redis that all gateways share, drawn from in portions: a gateway lets a key
/// spend up to a tenth of a second's worth of its tokens (or twenty) ahead, and asks Redis for
/// those and for a portion of as many (in the background, pipelined with other commands) when half
/// of that is spent. A key may so be ahead of its rate by one portion for each event loop, a
/// request never waits for its limit, and a key that is used slowly hardly reaches Redis. Without
/// Redis each loop has a bucket of its own with the whole rate.
class RedisRateLimiter final : public app::RateLimiter {
 public:
    struct Options {
        std::size_t keys_max = 200'000;
    };
    struct Counts {
        std::uint64_t taken = 0;
        std::uint64_t refused = 0;
        std::uint64_t fetches = 0;
        /// Decisions made without Redis.
        std::uint64_t local = 0;
    };

    RedisRateLimiter(redis::AsyncClient& redis, const Clock& clock, Options options);
    /// Precondition: the client has stopped, so that no fetch is on its way.
    ~RedisRateLimiter() override;

    bool Take(std::string_view key, const app::Rate& rate) override;

    const Counts& counts() const { return counts_; }
    std::size_t keys() const { return buckets_.size(); }

 private:
    struct Bucket {
        std::string key;
        app::Rate rate;
        /// May be below zero by `ahead_max`: spent before it was fetched.
        double tokens = 0;
        double portion = 1;
        double ahead_max = 1;
        bool fetching = false;
        /// Refilled by ourselves, because Redis did not answer.
        bool local = false;
        SteadyInstant refilled_at{};
        /// Redis had none: nothing is asked for before.
        SteadyInstant empty_until{};
        SteadyInstant used_at{};
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };

    std::shared_ptr<Bucket> Find(std::string_view key, const app::Rate& rate, SteadyInstant now);
    void RefillLocally(Bucket& bucket, SteadyInstant now);
    net::Task<void> Fetch(std::shared_ptr<Bucket> bucket);
    void Sweep(SteadyInstant now);

    redis::AsyncClient& redis_;
    const Clock& clock_;
    const Options options_;
    Counts counts_;
    std::unordered_map<std::string, std::shared_ptr<Bucket>, Hash, std::equal_to<>> buckets_;
    SteadyInstant swept_at_{};
};

}  // namespace kessai::gateway::transport
