// Goal: commands get their own answers, whatever many callers send at once; a Redis that is slow,
// gone or back again is noticed, costs its callers no time, and loses no answer silently. Method: a
// real Redis, with a proxy between where the network has to fail.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <future>
#include <thread>

#include "kessai/redis/async_client.h"
#include "kessai/redis/client.h"
#include "kessai/redis/key.h"
#include "kessai/testing/eventually.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/redis_server.h"
#include "kessai/testing/tcp_proxy.h"
#include "kessai/testing/temp_dir.h"

namespace kessai::redis {
namespace {

using namespace std::chrono_literals;
using testing::IsOk;
using testing::Refuses;

Options OptionsOf(const testing::RedisServer& server) {
    Options options;
    options.host = server.host();
    options.port = static_cast<std::uint16_t>(server.port());
    options.password = server.password();
    options.command_timeout = 5s;
    return options;
}

class RedisTest : public ::testing::Test {
 protected:
    std::unique_ptr<Client> Connected(const Options& options) {
        auto client = Client::Create(options);
        EXPECT_THAT(client, IsOk());
        EXPECT_EVENTUALLY((*client)->up());
        return std::move(*client);
    }

    template <class... Args>
    static Result<Reply> Do(Client& client, const Args&... args) {
        const std::array<std::string_view, sizeof...(args)> list{args...};
        return client.Execute(list);
    }

    testing::RedisServer& server_ = testing::RedisServer::Shared();
    const std::string prefix_ = testing::UniqueName("redis");
};

TEST_F(RedisTest, AnswersEveryKind) {
    auto client = Connected(OptionsOf(server_));
    const std::string key = Key(prefix_, "t", "a");
    const std::string binary("\0\r\n\xff{}", 6);
    ASSERT_OK_AND_ASSIGN(auto set, Do(*client, "SET", key, binary, "PX", "60000"));
    EXPECT_EQ(set.kind, Reply::Kind::kStatus);
    EXPECT_EQ(set.text, "OK");
    ASSERT_OK_AND_ASSIGN(auto got, Do(*client, "GET", key));
    EXPECT_EQ(got.text, binary);
    ASSERT_OK_AND_ASSIGN(auto nil, Do(*client, "GET", key + "x"));
    EXPECT_TRUE(nil.is_nil());
    ASSERT_OK_AND_ASSIGN(auto ttl, Do(*client, "PTTL", key));
    EXPECT_GT(ttl.integer, 0);
    ASSERT_OK_AND_ASSIGN(auto both, Do(*client, "MGET", key, key + "x"));
    ASSERT_EQ(both.elements.size(), 2u);
    EXPECT_EQ(both.elements[0].text, binary);
    EXPECT_TRUE(both.elements[1].is_nil());
    EXPECT_THAT(Do(*client, "INCR", key), Refuses(Code::kInternal, reason::kRedisError));
    EXPECT_THAT(Do(*client, "DEL", key), IsOk());
}

TEST_F(RedisTest, GivesManyThreadsTheirOwnAnswers) {
    auto client = Connected(OptionsOf(server_));
    constexpr int kThreads = 8;
    constexpr int kCalls = 500;
    std::atomic<int> wrong = 0;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < kThreads; ++t) {
            threads.emplace_back([&, t] {
                for (int i = 0; i < kCalls; ++i) {
                    const std::string text = std::to_string(t) + "/" + std::to_string(i);
                    auto echo = Do(*client, "ECHO", text);
                    if (!echo.ok() || echo->text != text) ++wrong;
                }
            });
        }
    }
    EXPECT_EQ(wrong, 0);
}

TEST_F(RedisTest, PipelinesMany) {
    auto client = Connected(OptionsOf(server_));
    std::vector<Client::Command> commands;
    for (int i = 0; i < 3'000; ++i) commands.push_back({"ECHO", std::to_string(i)});
    commands.push_back({"NONSENSE"});
    commands.push_back({"ECHO", "last"});
    const auto outcomes = client->ExecuteMany(commands);
    ASSERT_EQ(outcomes.size(), 3'002u);
    for (int i = 0; i < 3'000; ++i) {
        ASSERT_THAT(outcomes[static_cast<std::size_t>(i)], IsOk());
        ASSERT_EQ(outcomes[static_cast<std::size_t>(i)]->text, std::to_string(i));
    }
    EXPECT_THAT(outcomes[3'000], Refuses(Code::kInternal, reason::kRedisError));
    EXPECT_EQ(outcomes[3'001]->text, "last");
    EXPECT_TRUE(client->ExecuteMany({}).empty());
}

TEST_F(RedisTest, RunsScriptsThatTheServerForgot) {
    auto client = Connected(OptionsOf(server_));
    // A text of its own, so that no server knows it.
    const Script script("return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1])} -- " + prefix_);
    const std::string key = Key(prefix_, "s");
    const std::array<std::string_view, 1> keys{key};
    const std::array<std::string_view, 1> args{"x"};
    for (int i = 1; i <= 3; ++i) {
        ASSERT_OK_AND_ASSIGN(auto reply, client->Evaluate(script, keys, args));
        ASSERT_EQ(reply.elements.size(), 3u);
        EXPECT_EQ(reply.elements[0].text, key);
        EXPECT_EQ(reply.elements[1].text, "x");
        EXPECT_EQ(reply.elements[2].integer, i);
    }
    ASSERT_OK_AND_ASSIGN(auto known, Do(*client, "SCRIPT", "EXISTS", script.digest()));
    EXPECT_EQ(known.elements[0].integer, 1);
    EXPECT_THAT(client->Evaluate(Script("return nonsense("), keys, args),
                Refuses(Code::kInternal, reason::kRedisError));
    EXPECT_THAT(Do(*client, "DEL", key), IsOk());
}

TEST_F(RedisTest, AWrongPasswordNeverComesUp) {
    Options options = OptionsOf(server_);
    options.password = "wrong";
    struct Recorder : Observer {
        void OnConnectFailed(const Status& why) override {
            if (why.message().find("WRONGPASS") != std::string_view::npos) ++refused;
        }
        std::atomic<int> refused = 0;
    } recorder;
    auto client = Client::Create(options, &recorder);
    ASSERT_THAT(client, IsOk());
    EXPECT_EVENTUALLY(recorder.refused >= 2);
    EXPECT_FALSE((*client)->up());
}

TEST_F(RedisTest, BoundsWhatWaits) {
    testing::TcpProxy proxy(server_.host(), server_.port());
    Options options = OptionsOf(server_);
    options.host = "127.0.0.1";
    options.port = static_cast<std::uint16_t>(proxy.port());
    options.pipeline_max = 10;
    auto client = Connected(options);
    std::vector<Client::Command> commands(15, {"PING"});
    const auto outcomes = client->ExecuteMany(commands);
    for (std::size_t i = 0; i < 15; ++i) {
        if (i < 10) {
            EXPECT_THAT(outcomes[i], IsOk());
        } else {
            EXPECT_THAT(outcomes[i], Refuses(Code::kResourceExhausted, reason::kPipelineFull));
        }
    }
}

TEST_F(RedisTest, ASilentRedisIsLeftAndFoundAgain) {
    testing::TcpProxy proxy(server_.host(), server_.port());
    Options options = OptionsOf(server_);
    options.host = "127.0.0.1";
    options.port = static_cast<std::uint16_t>(proxy.port());
    options.command_timeout = 100ms;
    auto client = Connected(options);

    proxy.Freeze(true);
    EXPECT_THAT(Do(*client, "PING"), Refuses(Code::kUnknown, reason::kReplyLost));
    EXPECT_FALSE(client->up());
    // While it is down, nobody waits.
    const auto start = SystemClock().SteadyNow();
    for (int i = 0; i < 1'000; ++i) {
        EXPECT_THAT(Do(*client, "PING"), Refuses(Code::kUnavailable, reason::kRedisDown));
    }
    EXPECT_LT(SystemClock().SteadyNow() - start, 2s);

    proxy.Freeze(false);
    EXPECT_EVENTUALLY(client->up());
    EXPECT_THAT(Do(*client, "PING"), IsOk());
}

TEST_F(RedisTest, ACutConnectionRefusesWhatWaitedAndComesBack) {
    testing::TcpProxy proxy(server_.host(), server_.port());
    Options options = OptionsOf(server_);
    options.host = "127.0.0.1";
    options.port = static_cast<std::uint16_t>(proxy.port());
    auto client = Connected(options);
    const std::string key = Key(prefix_, "cut");
    proxy.LoseReplyTo(key);
    EXPECT_THAT(Do(*client, "INCR", key), Refuses(Code::kUnknown, reason::kReplyLost));
    EXPECT_EVENTUALLY(client->up());
    ASSERT_OK_AND_ASSIGN(auto count, Do(*client, "GET", key));
    EXPECT_EQ(count.text, "1");  // it was done, and not sent again
    EXPECT_THAT(Do(*client, "DEL", key), IsOk());
}

TEST_F(RedisTest, SurvivesARedisThatIsKilled) {
    auto own = testing::RedisServer::Launch();
    auto client = Connected(OptionsOf(*own));
    std::atomic<bool> stop = false;
    std::atomic<int> answered = 0;
    std::jthread caller([&] {
        while (!stop) {
            if (Do(*client, "PING").ok()) ++answered;
        }
    });
    for (int round = 0; round < 3; ++round) {
        const int before = answered;
        ASSERT_EVENTUALLY(answered > before);
        own->Kill9();
        ASSERT_EVENTUALLY(!client->up());
        own->Start();
        ASSERT_EVENTUALLY(client->up());
    }
    stop = true;
}

TEST_F(RedisTest, ManyCoroutinesShareAConnection) {
    net::Loop loop("redis-test");
    loop.Start();
    auto client = AsyncClient::Create(loop, OptionsOf(server_));
    ASSERT_THAT(client, IsOk());
    (*client)->Start();
    ASSERT_EVENTUALLY((*client)->up());
    constexpr int kTasks = 2'000;
    int right = 0;
    int done = 0;
    std::promise<void> all;
    const auto one = [&](int i) -> net::Task<void> {
        const std::string text = std::to_string(i);
        const std::array<std::string_view, 2> echo{"ECHO", text};
        for (int round = 0; round < 5; ++round) {
            auto reply = co_await (*client)->Execute(echo);
            if (reply.ok() && reply->text == text) ++right;
        }
        if (++done == kTasks) all.set_value();
    };
    loop.Post([&] {
        for (int i = 0; i < kTasks; ++i) net::Spawn(one(i));
    });
    all.get_future().get();
    EXPECT_EQ(right, kTasks * 5);

    std::promise<void> stopped;
    const auto stop = [&]() -> net::Task<void> {
        co_await (*client)->Stop();
        stopped.set_value();
    };
    loop.Post([&] { net::Spawn(stop()); });
    stopped.get_future().get();
    loop.Stop();
}

TEST(RedisKeyTest, TagsDecideTheSlot) {
    EXPECT_EQ(Key("nonce", "ak_1", "n"), "nonce:{ak_1}:n");
    EXPECT_EQ(Key("limit", "a}b"), "limit:{a_b}");
    // Known values of the cluster specification's function.
    EXPECT_EQ(SlotOf("foo"), 12'182);
    EXPECT_EQ(SlotOf("bar"), 5'061);
    EXPECT_EQ(SlotOf("123456789"), 0x31c3 % 16'384);
    EXPECT_EQ(SlotOf(Key("nonce", "ak_1", "x")), SlotOf(Key("limit", "ak_1", "y")));
    EXPECT_EQ(SlotOf("{}foo"), SlotOf("{}foo"));
    EXPECT_NE(SlotOf("{}foo"), SlotOf(""));
    EXPECT_EQ(SlotOf("a{foo}b{bar}"), SlotOf("foo"));
}

}  // namespace
}  // namespace kessai::redis
