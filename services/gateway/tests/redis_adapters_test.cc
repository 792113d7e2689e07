// Goal: nonces are remembered for one signed request each, and rates hold over all gateways that
// share a Redis; without Redis both give way in their stated manner. Method: a real Redis; two
// clients on two loops stand for two gateways.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "kessai/redis/async_client.h"
#include "kessai/testing/eventually.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/redis_server.h"
#include "kessai/testing/temp_dir.h"
#include "transport/redis_nonce_memory.h"
#include "transport/redis_rate_limiter.h"

namespace kessai::gateway::transport {
namespace {

using namespace std::chrono_literals;
using app::NonceVerdict;

/// An event loop with a Redis client, as a gateway has them.
class Node {
 public:
    explicit Node(const testing::RedisServer& server) {
        redis::Options options;
        options.host = server.host();
        options.port = static_cast<std::uint16_t>(server.port());
        options.password = server.password();
        options.command_timeout = 5s;
        loop.Start();
        client = std::move(*redis::AsyncClient::Create(loop, options));
        client->Start();
        EXPECT_EVENTUALLY(client->up());
        nonces = std::make_unique<RedisNonceMemory>(*client);
        limiter =
            std::make_unique<RedisRateLimiter>(*client, SystemClock(), RedisRateLimiter::Options{});
    }
    ~Node() {
        Run([this]() -> net::Task<void> { co_await client->Stop(); });
        loop.Stop();
    }
    void Run(const std::function<net::Task<void>()>& work) {
        std::promise<void> done;
        const auto body = [&]() -> net::Task<void> {
            co_await work();
            done.set_value();
        };
        loop.Post([&] { net::Spawn(body()); });
        done.get_future().get();
    }
    NonceVerdict Remember(std::string_view key, std::string_view nonce, std::string_view epoch,
                          std::string_view mac) {
        NonceVerdict verdict = NonceVerdict::kUnknown;
        Run([&]() -> net::Task<void> {
            verdict = co_await nonces->Remember(key, nonce, epoch, mac);
        });
        return verdict;
    }
    /// How many of `count` requests, made as quickly as they are answered, fit.
    int Take(const std::string& key, app::Rate rate, int count) {
        int fits = 0;
        Run([&]() -> net::Task<void> {
            for (int i = 0; i < count; ++i) {
                fits += limiter->Take(key, rate);
                if (i % 10 == 9) co_await loop.Sleep(1ms);  // lets answers come in
            }
        });
        return fits;
    }

    net::Loop loop{"node"};
    std::unique_ptr<redis::AsyncClient> client;
    std::unique_ptr<RedisNonceMemory> nonces;
    std::unique_ptr<RedisRateLimiter> limiter;
};

TEST(RedisNonceMemoryTest, TellsARepeatFromAnother) {
    Node one(testing::RedisServer::Shared());
    Node other(testing::RedisServer::Shared());
    const std::string key = testing::UniqueName("nonce");
    EXPECT_EQ(one.Remember(key, "n1", "100", "mac"), NonceVerdict::kFresh);
    EXPECT_EQ(other.Remember(key, "n1", "100", "mac"), NonceVerdict::kRepeat);
    EXPECT_EQ(other.Remember(key, "n1", "101", "mac"), NonceVerdict::kReused);
    EXPECT_EQ(one.Remember(key, "n1", "100", "other"), NonceVerdict::kReused);
    EXPECT_EQ(one.Remember(key, "n1", "100", "mac"), NonceVerdict::kRepeat);
    EXPECT_EQ(one.Remember(key, "n2", "100", "mac"), NonceVerdict::kFresh);
    EXPECT_EQ(one.Remember(key + "x", "n1", "100", "mac"), NonceVerdict::kFresh);
    const std::string odd("a}b\0c\r\n", 7);
    EXPECT_EQ(one.Remember(key, odd, "100", "mac"), NonceVerdict::kFresh);
    EXPECT_EQ(one.Remember(key, odd, "100", "mac"), NonceVerdict::kRepeat);
    const std::string huge(10'000, 'x');
    EXPECT_EQ(one.Remember(key, huge, "100", "mac"), NonceVerdict::kFresh);
    EXPECT_EQ(one.Remember(key, huge, "100", "mac2"), NonceVerdict::kReused);
    EXPECT_EQ(one.Remember(key, huge + "y", "100", "mac"), NonceVerdict::kFresh);
}

TEST(RedisNonceMemoryTest, ForgetsAfterTheWindow) {
    Node node(testing::RedisServer::Shared());
    const std::string key = testing::UniqueName("nonce");
    EXPECT_EQ(node.Remember(key, "n", "100", "mac"), NonceVerdict::kFresh);
    std::int64_t seconds = 0;
    const std::string name = "n:{" + key + "}:n";
    node.Run([&]() -> net::Task<void> {
        const std::array<std::string_view, 2> ttl{"TTL", name};
        auto reply = co_await node.client->Execute(ttl);
        seconds = reply.ok() ? reply->integer : -10;
    });
    EXPECT_GT(seconds, 235);
    EXPECT_LE(seconds, 241);
}

TEST(RedisRateLimiterTest, HoldsARateOverTwoGateways) {
    Node one(testing::RedisServer::Shared());
    Node other(testing::RedisServer::Shared());
    const std::string key = testing::UniqueName("rate");
    const app::Rate rate{100, 100};
    const auto start = SystemClock().SteadyNow();
    int fits = 0;
    while (SystemClock().SteadyNow() - start < 2s) {
        fits += one.Take(key, rate, 50);
        fits += other.Take(key, rate, 50);
    }
    const double seconds = std::chrono::duration<double>(SystemClock().SteadyNow() - start).count();
    const double fair = 100 + 100 * seconds;  // the burst, and the rate
    EXPECT_GT(fits, fair * 0.8);
    EXPECT_LT(fits, fair + 2 * 20 + 10);  // each may be ahead by twenty
    EXPECT_GT(one.limiter->counts().refused, 0u);
}

TEST(RedisRateLimiterTest, AsksRedisFarLessOftenThanItIsAsked) {
    Node node(testing::RedisServer::Shared());
    const std::string key = testing::UniqueName("rate");
    EXPECT_EQ(node.Take(key, {100'000, 100'000}, 2'000), 2'000);
    EXPECT_LT(node.limiter->counts().fetches, 20u);
    EXPECT_EQ(node.Take(key, {0, 0}, 1'000), 1'000);  // no limit
}

TEST(RedisRateLimiterTest, KeysDoNotShare) {
    Node node(testing::RedisServer::Shared());
    const std::string key = testing::UniqueName("rate");
    EXPECT_LT(node.Take(key + "a", {10, 10}, 100), 35);
    EXPECT_GE(node.Take(key + "b", {10, 10}, 10), 10);
}

TEST(RedisRateLimiterTest, WithoutRedisEachGatewayHasTheWholeRate) {
    auto server = testing::RedisServer::Launch();
    Node node(*server);
    const app::Rate rate{50, 50};
    EXPECT_LT(node.Take("k", rate, 200), 110);
    server->Kill9();
    ASSERT_EVENTUALLY(!node.client->up());
    EXPECT_EQ(node.Remember("k", "n", "1", "m"), NonceVerdict::kUnknown);
    int fits = 0;
    const auto start = SystemClock().SteadyNow();
    while (SystemClock().SteadyNow() - start < 1s) fits += node.Take("k", rate, 10);
    const double seconds = std::chrono::duration<double>(SystemClock().SteadyNow() - start).count();
    EXPECT_GT(fits, 50 * seconds * 0.7);
    EXPECT_LT(fits, 50 * seconds + 60);
    EXPECT_GT(node.limiter->counts().local, 0u);
    server->Start();
    ASSERT_EVENTUALLY(node.client->up());
    EXPECT_EQ(node.Remember("k", "n", "1", "m"), NonceVerdict::kFresh);
}

}  // namespace
}  // namespace kessai::gateway::transport
