#pragma once

#include <string_view>

#include "app/nonce_memory.h"
#include "kessai/redis/async_client.h"

namespace kessai::gateway::transport {

/// Nonces in Redis, one key each for the four minutes in which a signature can be taken: one
/// command, one round trip. Needs Redis 7 (SET … NX GET). Without Redis the verdict is kUnknown.
class RedisNonceMemory final : public app::NonceMemory {
 public:
    explicit RedisNonceMemory(redis::AsyncClient& redis) : redis_(redis) {}

    net::Task<app::NonceVerdict> Remember(std::string_view api_key, std::string_view nonce,
                                          std::string_view epoch, std::string_view mac) override;

 private:
    redis::AsyncClient& redis_;
};

}  // namespace kessai::gateway::transport
