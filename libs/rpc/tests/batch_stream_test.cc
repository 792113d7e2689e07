// Goal: commands from many threads reach the server in few messages, and each is answered exactly
// once, whatever happens to the stream: late answers, a full window, a break, a drain, a connection
// that gets too old.
// Method: both halves over loopback, with a server whose handler answers when and how the test
// says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "kessai/rpc/batch_stream_client.h"
#include "kessai/rpc/status.h"
#include "test_service.h"

namespace kessai::rpc {
namespace {

using Batch = ReceivedBatch<ExecuteStream>;
using Client = BatchStreamClient<ExecuteStream>;

BatchStreamClientOptions ClientTo(std::string target) {
    BatchStreamClientOptions options;
    options.method = "kessai.payment.v1.PaymentService.Execute";
    options.target = std::move(target);
    return options;
}

pb::Command PayCommand(const std::string& code) {
    pb::Command command;
    command.mutable_pay_code()->set_code_id(code);
    return command;
}

void AnswerAll(const Batch& batch) {
    BatchAnswers<ExecuteStream> answers;
    for (const pb::Command& command : batch.message->commands()) {
        pb::Outcome& outcome = answers.Add(batch.sink, command.sequence());
        outcome.mutable_payment()->set_merchant_payment_id(command.pay_code().code_id());
    }
}

/// Counts how commands ended.
class Tally {
 public:
    auto Callback() {
        return [this](const Status& status, const pb::Outcome*) { Add(status); };
    }
    void Add(const Status& status) {
        const std::lock_guard lock(mutex_);
        ++ended_;
        ++by_outcome_[status.ok() ? "OK"
                                  : std::string(CodeName(status.code())) + " " +
                                        std::string(status.reason())];
    }
    int ended() const {
        const std::lock_guard lock(mutex_);
        return ended_;
    }
    int of(const std::string& outcome) const {
        const std::lock_guard lock(mutex_);
        const auto found = by_outcome_.find(outcome);
        return found == by_outcome_.end() ? 0 : found->second;
    }
    std::map<std::string, int> all() const {
        const std::lock_guard lock(mutex_);
        return by_outcome_;
    }

 private:
    mutable std::mutex mutex_;
    int ended_ = 0;
    std::map<std::string, int> by_outcome_;
};

/// Keeps what arrives until the test answers it.
class Holding {
 public:
    TestServer::Execute Handler() {
        return [this](Batch batch) {
            const std::lock_guard lock(mutex_);
            commands_ += batch.message->commands_size();
            batches_.push_back(std::move(batch));
        };
    }
    int commands() const {
        const std::lock_guard lock(mutex_);
        return commands_;
    }
    std::vector<Batch> Take() {
        const std::lock_guard lock(mutex_);
        return std::exchange(batches_, {});
    }
    void AnswerAllHeld() {
        for (const Batch& batch : Take()) AnswerAll(batch);
    }

 private:
    mutable std::mutex mutex_;
    int commands_ = 0;
    std::vector<Batch> batches_;
};

class BatchStreamTest : public ::testing::Test {
 protected:
    TestTokens tokens_;
};

TEST_F(BatchStreamTest, AnswersComeToTheirCommands) {
    TestServer server(tokens_, {.execute = AnswerAll});
    Client client(ClientTo(server.address()), SystemClock());
    ASSERT_TRUE(client.Start().ok());
    ASSERT_TRUE(client.WaitReady(seconds(10)).ok());
    std::atomic<int> right = 0;
    std::atomic<int> ended = 0;
    constexpr int kCommands = 500;
    for (int i = 0; i < kCommands; ++i) {
        const std::string code = "code-" + std::to_string(i);
        const Status sent =
            client.Send(PayCommand(code), seconds(5),
                        [&, code, owned = std::make_unique<int>(i)](const Status& status,
                                                                    const pb::Outcome* outcome) {
                            if (status.ok() && outcome->payment().merchant_payment_id() == code) {
                                ++right;
                            }
                            ++ended;
                        });
        ASSERT_TRUE(sent.ok()) << sent.ToString();
    }
    ASSERT_TRUE(Eventually([&] { return ended == kCommands; }));
    EXPECT_EQ(right, kCommands);
    const auto counts = client.counts();
    EXPECT_EQ(counts.answered, 500U);
    EXPECT_EQ(counts.open, 0);
    EXPECT_LT(counts.messages_out, 400U);
    EXPECT_TRUE(client.Stop(seconds(5)));
}

// Many threads, answers after random delays by other threads in random order: each command is
// answered once, with its own answer.
TEST_F(BatchStreamTest, EachOfThousandsIsAnsweredOnce) {
    struct Owed {
        BatchSinkPtr sink;
        std::uint64_t sequence;
        std::string code;
    };
    std::mutex mutex;
    std::condition_variable wake;
    std::vector<Owed> owed;
    bool stop = false;
    std::vector<std::thread> answerers;
    for (int i = 0; i < 3; ++i) {
        answerers.emplace_back([&, seed = static_cast<unsigned>(i)] {
            std::minstd_rand random(seed + 1);
            std::unique_lock lock(mutex);
            while (true) {
                wake.wait(lock, [&] { return stop || !owed.empty(); });
                if (owed.empty()) return;
                // Up to 50 of them, from anywhere.
                std::vector<Owed> mine;
                const std::size_t count = std::min<std::size_t>(owed.size(), 1 + random() % 50);
                for (std::size_t n = 0; n < count; ++n) {
                    std::swap(owed[random() % owed.size()], owed.back());
                    mine.push_back(std::move(owed.back()));
                    owed.pop_back();
                }
                lock.unlock();
                SystemClock().SleepFor(std::chrono::microseconds(random() % 3'000));
                {
                    BatchAnswers<ExecuteStream> answers;
                    for (const Owed& one : mine) {
                        answers.Add(one.sink, one.sequence)
                            .mutable_payment()
                            ->set_merchant_payment_id(one.code);
                    }
                }
                mine.clear();
                lock.lock();
            }
        });
    }
    TestServer server(
        tokens_, {.execute = [&](Batch batch) {
            const std::lock_guard lock(mutex);
            for (const pb::Command& command : batch.message->commands()) {
                owed.push_back({batch.sink, command.sequence(), command.pay_code().code_id()});
            }
            wake.notify_all();
        }});
    Client client(ClientTo(server.address()), SystemClock());
    ASSERT_TRUE(client.Start().ok());
    ASSERT_TRUE(client.WaitReady(seconds(10)).ok());

    constexpr int kThreads = 4;
    constexpr int kEach = 5'000;
    std::vector<std::atomic<int>> answered(kThreads * kEach);
    std::atomic<int> wrong = 0;
    std::atomic<int> ended = 0;
    std::vector<std::thread> senders;
    for (int t = 0; t < kThreads; ++t) {
        senders.emplace_back([&, t] {
            for (int i = 0; i < kEach; ++i) {
                const int index = t * kEach + i;
                const std::string code = std::to_string(index);
                auto done = [&, index, code](const Status& status, const pb::Outcome* outcome) {
                    ++answered[static_cast<std::size_t>(index)];
                    if (!status.ok() || outcome->payment().merchant_payment_id() != code) ++wrong;
                    ++ended;
                };
                while (!client.Send(PayCommand(code), seconds(60), done).ok()) {
                    SystemClock().SleepFor(milliseconds(1));
                }
            }
        });
    }
    for (std::thread& sender : senders) sender.join();
    ASSERT_TRUE(Eventually([&] { return ended == kThreads * kEach; }, seconds(60)));
    EXPECT_TRUE(client.Stop(seconds(5)));
    EXPECT_EQ(wrong, 0);
    EXPECT_TRUE(std::all_of(answered.begin(), answered.end(),
                            [](const std::atomic<int>& times) { return times == 1; }));
    {
        const std::lock_guard lock(mutex);
        stop = true;
    }
    wake.notify_all();
    for (std::thread& answerer : answerers) answerer.join();
    EXPECT_EQ(server.stream().counts().open, 0);
}

TEST_F(BatchStreamTest, FullWindowRefusesAtOnce) {
    Holding holding;
    TestServer server(tokens_, {.execute = holding.Handler()});
    auto options = ClientTo(server.address());
    options.open_max = 100;
    Client client(options, SystemClock());
    ASSERT_TRUE(client.Start().ok());
    ASSERT_TRUE(client.WaitReady(seconds(10)).ok());
    Tally tally;
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(client.Send(PayCommand("x"), seconds(30), tally.Callback()).ok());
    }
    const Status refused = client.Send(PayCommand("x"), seconds(30), tally.Callback());
    EXPECT_EQ(refused.code(), Code::kResourceExhausted);
    EXPECT_EQ(refused.reason(), reason::kQueueFull);

    ASSERT_TRUE(Eventually([&] { return holding.commands() == 100; }));
    holding.AnswerAllHeld();
    ASSERT_TRUE(Eventually([&] { return tally.of("OK") == 100; }));
    EXPECT_TRUE(client.Send(PayCommand("x"), seconds(30), tally.Callback()).ok());
    ASSERT_TRUE(Eventually([&] { return holding.commands() == 101; }));
    holding.AnswerAllHeld();
    EXPECT_TRUE(client.Stop(seconds(10)));
    EXPECT_EQ(tally.ended(), 101);
}

TEST_F(BatchStreamTest, DeadlineLeavesTheOutcomeUnknownAndALateAnswerIsDropped) {
    Holding holding;
    TestServer server(tokens_, {.execute = holding.Handler()});
    Client client(ClientTo(server.address()), SystemClock());
    ASSERT_TRUE(client.Start().ok());
    ASSERT_TRUE(client.WaitReady(seconds(10)).ok());
    Tally tally;
    ASSERT_TRUE(client.Send(PayCommand("slow"), milliseconds(80), tally.Callback()).ok());
    ASSERT_TRUE(client.Send(PayCommand("patient"), seconds(30), tally.Callback()).ok());
    ASSERT_TRUE(Eventually([&] { return tally.ended() == 1; }));
    EXPECT_EQ(tally.of("DEADLINE_EXCEEDED OUTCOME_UNKNOWN"), 1);

    ASSERT_TRUE(Eventually([&] { return holding.commands() == 2; }));
    holding.AnswerAllHeld();
    ASSERT_TRUE(Eventually([&] { return tally.of("OK") == 1; }));
    EXPECT_TRUE(Eventually([&] { return client.counts().late == 1; }));
    EXPECT_EQ(tally.ended(), 2);
    EXPECT_TRUE(client.Stop(seconds(5)));
}

TEST_F(BatchStreamTest, CommandCarriesTheTimeItsCallerWaits) {
    std::atomic<std::uint32_t> timeout_ms = 0;
    TestServer server(tokens_, {.execute = [&](Batch batch) {
                          timeout_ms = batch.message->commands(0).timeout_ms();
                          AnswerAll(batch);
                      }});
    Client client(ClientTo(server.address()), SystemClock());
    ASSERT_TRUE(client.Start().ok());
    ASSERT_TRUE(client.WaitReady(seconds(10)).ok());
    Tally tally;
    ASSERT_TRUE(client.Send(PayCommand("x"), milliseconds(1'234), tally.Callback()).ok());
    ASSERT_TRUE(Eventually([&] { return tally.ended() == 1; }));
    EXPECT_EQ(timeout_ms, 1'234U);
}

TEST_F(BatchStreamTest, WithoutAServerNothingIsSentAndItSaysSo) {
    auto options = ClientTo("127.0.0.1:1");
    options.unsent_max = milliseconds(100);
    Client client(options, SystemClock());
    ASSERT_TRUE(client.Start().ok());
    EXPECT_EQ(client.WaitReady(milliseconds(50)).reason(), reason::kNotSent);
    Tally tally;
    ASSERT_TRUE(client.Send(PayCommand("x"), seconds(30), tally.Callback()).ok());
    ASSERT_TRUE(client.Send(PayCommand("y"), milliseconds(20), tally.Callback()).ok());
    ASSERT_TRUE(Eventually([&] { return tally.ended() == 2; }));
    EXPECT_EQ(tally.of("UNAVAILABLE NOT_SENT"), 1);
    EXPECT_EQ(tally.of("DEADLINE_EXCEEDED NOT_SENT"), 1);
    EXPECT_TRUE(client.Stop(seconds(5)));
    EXPECT_EQ(client.Send(PayCommand("z"), seconds(1), tally.Callback()).reason(),
              reason::kDraining);
}

// A server that dies with commands open: each ends once as "outcome unknown"; what comes afterwards
// goes to the server's successor.
TEST_F(BatchStreamTest, BreakEndsOpenCommandsAndTheNextServerIsFound) {
    Holding holding;
    std::mutex mutex;
    std::vector<std::string> addresses;
    auto server =
        std::make_unique<TestServer>(tokens_, TestServer::Handlers{.execute = holding.Handler()});
    addresses = {"ipv4:" + server->address()};
    auto options = ClientTo("unused:1");
    options.resolve_interval = milliseconds(50);
    options.resolve = [&]() -> Result<std::vector<std::string>> {
        const std::lock_guard lock(mutex);
        return addresses;
    };
    options.unsent_max = seconds(20);
    Client client(options, SystemClock());
    ASSERT_TRUE(client.Start().ok());
    ASSERT_TRUE(client.WaitReady(seconds(10)).ok());
    Tally tally;
    for (int i = 0; i < 300; ++i) {
        ASSERT_TRUE(client.Send(PayCommand("x"), seconds(60), tally.Callback()).ok());
    }
    ASSERT_TRUE(Eventually([&] { return holding.commands() == 300; }));
    // No drain: what the handler holds is never answered to anybody.
    std::thread stop([&] { server->server().Stop(Duration::zero()); });
    ASSERT_TRUE(Eventually([&] { return tally.ended() == 300; }));
    EXPECT_EQ(tally.of("UNAVAILABLE OUTCOME_UNKNOWN"), 300);
    holding.AnswerAllHeld();
    stop.join();

    TestServer successor(tokens_, {.execute = AnswerAll});
    {
        const std::lock_guard lock(mutex);
        addresses = {"ipv4:" + successor.address()};
    }
    Tally after;
    ASSERT_TRUE(client.Send(PayCommand("y"), seconds(30), after.Callback()).ok());
    EXPECT_TRUE(Eventually([&] { return after.of("OK") == 1; })) << after.all().begin()->first;
    EXPECT_EQ(tally.ended(), 300);
    EXPECT_TRUE(client.Stop(seconds(5)));
}

// A server that is stopped in order answers all it accepted, while commands keep coming; those go
// to the other one. Nobody sees an error.
TEST_F(BatchStreamTest, ServersComeAndGoWithoutAnErrorSeen) {
    std::mutex mutex;
    std::vector<std::string> addresses;
    const auto resolve = [&]() -> Result<std::vector<std::string>> {
        const std::lock_guard lock(mutex);
        return addresses;
    };
    const auto start = [&] {
        auto server =
            std::make_unique<TestServer>(tokens_, TestServer::Handlers{.execute = AnswerAll});
        const std::lock_guard lock(mutex);
        addresses.push_back("ipv4:" + server->address());
        return server;
    };
    auto first = start();
    auto options = ClientTo("unused:1");
    options.resolve_interval = milliseconds(50);
    options.resolve = resolve;
    Client client(options, SystemClock());
    ASSERT_TRUE(client.Start().ok());
    ASSERT_TRUE(client.WaitReady(seconds(10)).ok());

    Tally tally;
    std::atomic<bool> stop = false;
    int sent = 0;
    std::thread load([&] {
        while (!stop) {
            for (int i = 0; i < 20; ++i) {
                ASSERT_TRUE(client.Send(PayCommand("x"), seconds(30), tally.Callback()).ok());
                ++sent;
            }
            SystemClock().SleepFor(milliseconds(1));
        }
    });
    const auto forget_first = [&] {
        const std::lock_guard lock(mutex);
        addresses.erase(addresses.begin());
    };
    for (int round = 0; round < 4; ++round) {
        auto second = start();
        EXPECT_TRUE(Eventually([&] { return client.counts().streams == 2; }));
        // The name forgets a server before it stops, or only after: then GOAWAY says it.
        if (round % 2 == 0) forget_first();
        EXPECT_TRUE(first->server().Stop(seconds(20)));
        if (round % 2 == 1) forget_first();
        EXPECT_EQ(first->stream().counts().open, 0);
        first = std::move(second);
    }
    stop = true;
    load.join();
    EXPECT_TRUE(client.Stop(seconds(10)));
    EXPECT_EQ(tally.ended(), sent);
    EXPECT_EQ(tally.of("OK"), sent) << ::testing::PrintToString(tally.all());
}

// The connection's age ends it (deploy.md R7): the stream moves to a new one and no command fails.
TEST_F(BatchStreamTest, ConnectionsThatGetTooOldAreLeftInTime) {
    ServerOptions server_options;
    server_options.connection_age_max = milliseconds(300);
    server_options.connection_age_grace = seconds(20);
    TestServer server(tokens_, {.execute = AnswerAll}, server_options);
    Client client(ClientTo(server.address()), SystemClock());
    ASSERT_TRUE(client.Start().ok());
    ASSERT_TRUE(client.WaitReady(seconds(10)).ok());
    Tally tally;
    int sent = 0;
    EXPECT_TRUE(Eventually([&] {
        for (int i = 0; i < 10; ++i) {
            if (client.Send(PayCommand("x"), seconds(30), tally.Callback()).ok()) ++sent;
        }
        return client.counts().streams_opened >= 4;
    }));
    EXPECT_TRUE(client.Stop(seconds(10)));
    EXPECT_EQ(tally.of("OK"), sent) << ::testing::PrintToString(tally.all());
    EXPECT_EQ(client.counts().broken, 0U);
}

// While commands keep coming, a message goes out once a hold; Flush doesn't wait for it. The clock
// is the test's, so nothing happens by itself.
TEST_F(BatchStreamTest, CommandsGatherForTheHold) {
    TestServer server(tokens_, {.execute = AnswerAll});
    auto options = ClientTo(server.address());
    options.hold = milliseconds(2);
    ManualClock clock(FromMicros(1'700'000'000'000'000));
    Client client(options, clock);
    ASSERT_TRUE(client.Start().ok());
    ASSERT_TRUE(client.WaitReady(seconds(10)).ok());
    clock.Advance(seconds(1));
    Tally tally;
    const auto send = [&](int count) {
        for (int i = 0; i < count; ++i) {
            ASSERT_TRUE(client.Send(PayCommand("x"), seconds(30), tally.Callback()).ok());
        }
    };
    const auto messages = [&] { return client.counts().messages_out; };
    send(1);
    EXPECT_EQ(messages(), 1U) << "after a pause it goes at once";
    ASSERT_TRUE(Eventually([&] { return tally.ended() == 1; }));
    send(50);
    EXPECT_EQ(messages(), 1U);
    clock.Advance(milliseconds(2));
    ASSERT_TRUE(Eventually([&] { return tally.ended() == 51; }));
    EXPECT_EQ(messages(), 2U);
    send(20);
    EXPECT_EQ(messages(), 2U);
    // At once, or when gRPC has taken the write before it, whose answers may be here already.
    client.Flush();
    ASSERT_TRUE(Eventually([&] { return tally.ended() == 71; }));
    EXPECT_EQ(messages(), 3U);
    // As many as a message holds don't wait either.
    send(options.batch_items_max);
    ASSERT_TRUE(Eventually([&] { return tally.ended() == 71 + options.batch_items_max; }));
    EXPECT_EQ(messages(), 4U);
    EXPECT_TRUE(client.Stop(seconds(5)));
    EXPECT_EQ(tally.of("OK"), 71 + options.batch_items_max);
}

// Answers that together exceed what the client takes in one message come in several.
TEST_F(BatchStreamTest, LongAnswersAreSplit) {
    TestServer server(
        tokens_, {.execute = [](Batch batch) {
            BatchAnswers<ExecuteStream> answers;
            for (const pb::Command& command : batch.message->commands()) {
                pb::Outcome& outcome = answers.Add(batch.sink, command.sequence());
                outcome.mutable_payment()->set_merchant_payment_id(command.pay_code().code_id());
                outcome.mutable_payment()->mutable_details()->set_extra_json(
                    std::string(100'000, 'x'));
            }
        }});
    auto options = ClientTo(server.address());
    options.receive_bytes_max = 2 * 1024 * 1024;
    Client client(options, SystemClock());
    ASSERT_TRUE(client.Start().ok());
    ASSERT_TRUE(client.WaitReady(seconds(10)).ok());
    std::atomic<int> right = 0;
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(
            client
                .Send(PayCommand(std::to_string(i)), seconds(30),
                      [&right, i](const Status& status, const pb::Outcome* outcome) {
                          right += status.ok() &&
                                   outcome->payment().merchant_payment_id() == std::to_string(i) &&
                                   outcome->payment().details().extra_json().size() == 100'000;
                      })
                .ok());
    }
    EXPECT_TRUE(client.Stop(seconds(20)));
    EXPECT_EQ(right, 100);
    EXPECT_GE(client.counts().messages_in, 10U);
}

// A server that is asked for more than it takes reads no further, and its memory stays bounded.
TEST_F(BatchStreamTest, TooManyOpenHoldTheReadsAndTheWindowFills) {
    Holding holding;
    TestServer server(tokens_, {.execute = holding.Handler(), .stream = {.open_max = 64}});
    auto options = ClientTo(server.address());
    options.batch_items_max = 16;
    options.open_max = 5'000;
    Client client(options, SystemClock());
    ASSERT_TRUE(client.Start().ok());
    ASSERT_TRUE(client.WaitReady(seconds(10)).ok());
    Tally tally;
    const std::string big(2'000, 'x');
    for (int i = 0; i < 5'000; ++i) {
        ASSERT_TRUE(client.Send(PayCommand(big), seconds(60), tally.Callback()).ok());
    }
    ASSERT_TRUE(Eventually([&] { return server.stream().counts().reads_held > 0; }));
    EXPECT_LE(holding.commands(), 64 + 16);
    EXPECT_EQ(client.Send(PayCommand(big), seconds(60), tally.Callback()).reason(),
              reason::kQueueFull);
    ASSERT_TRUE(Eventually([&] {
        holding.AnswerAllHeld();
        return tally.of("OK") == 5'000;
    }));
    EXPECT_TRUE(client.Stop(seconds(5)));
}

// What was read is answered, even for a client that doesn't leave by itself; what wasn't read is
// not carried out, and its callers can't know.
TEST_F(BatchStreamTest, DrainAnswersWhatWasReadAndEndsTheStream) {
    Holding holding;
    TestServer server(tokens_, {.execute = holding.Handler(), .stream = {.open_max = 10}});
    auto options = ClientTo(server.address());
    std::mutex mutex;
    std::vector<std::string> ends;
    options.on_stream = [&](const std::string&, const Status& status) {
        const std::lock_guard lock(mutex);
        ends.emplace_back(status.ok() ? "OK" : status.reason());
    };
    Client client(options, SystemClock());
    ASSERT_TRUE(client.Start().ok());
    ASSERT_TRUE(client.WaitReady(seconds(10)).ok());
    Tally tally;
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(client.Send(PayCommand("read"), seconds(60), tally.Callback()).ok());
    }
    ASSERT_TRUE(Eventually([&] { return holding.commands() == 10; }));
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(client.Send(PayCommand("not read"), seconds(60), tally.Callback()).ok());
    }
    ASSERT_TRUE(Eventually([&] { return client.counts().sent == 15; }));
    server.stream().Drain();
    EXPECT_EQ(tally.ended(), 0);
    holding.AnswerAllHeld();
    ASSERT_TRUE(Eventually([&] { return tally.ended() == 15; }));
    EXPECT_EQ(tally.of("OK"), 10);
    EXPECT_EQ(tally.of("UNAVAILABLE OUTCOME_UNKNOWN"), 5);
    EXPECT_EQ(holding.commands(), 10);
    // Streams that are opened again meanwhile are refused.
    ASSERT_TRUE(Eventually([&] {
        const std::lock_guard lock(mutex);
        return ends.size() >= 3;
    }));
    client.Stop(seconds(5));
    const std::lock_guard lock(mutex);
    EXPECT_EQ(ends[0], "OK");
    EXPECT_EQ(ends[1], reason::kDraining);
    EXPECT_EQ(ends[2], reason::kDraining);
}

TEST_F(BatchStreamTest, MessageWithTooManyRequestsEndsTheStream) {
    Holding holding;
    TestServer server(tokens_, {.execute = holding.Handler(), .stream = {.batch_items_max = 4}});
    auto options = ClientTo(server.address());
    options.hold = milliseconds(20);
    Client client(options, SystemClock());
    ASSERT_TRUE(client.Start().ok());
    ASSERT_TRUE(client.WaitReady(seconds(10)).ok());
    Tally tally;
    // The first goes alone, so that the others gather.
    for (int i = 0; i < 9; ++i) {
        ASSERT_TRUE(client.Send(PayCommand("x"), seconds(2), tally.Callback()).ok());
    }
    ASSERT_TRUE(Eventually([&] { return tally.of("UNAVAILABLE OUTCOME_UNKNOWN") == 9; }))
        << ::testing::PrintToString(tally.all());
    EXPECT_EQ(holding.commands(), 1);
}

TEST_F(BatchStreamTest, StopWaitsForOpenCommandsThenGivesThemUp) {
    Holding holding;
    TestServer server(tokens_, {.execute = holding.Handler()});
    Client client(ClientTo(server.address()), SystemClock());
    ASSERT_TRUE(client.Start().ok());
    ASSERT_TRUE(client.WaitReady(seconds(10)).ok());
    Tally tally;
    ASSERT_TRUE(client.Send(PayCommand("x"), seconds(60), tally.Callback()).ok());
    ASSERT_TRUE(Eventually([&] { return holding.commands() == 1; }));
    EXPECT_FALSE(client.Stop(milliseconds(50)));
    EXPECT_EQ(tally.of("UNAVAILABLE OUTCOME_UNKNOWN"), 1);
    holding.AnswerAllHeld();
    EXPECT_EQ(tally.ended(), 1);
}

TEST_F(BatchStreamTest, CommandThatIsTooLongIsRefusedAtOnce) {
    TestServer server(tokens_, {.execute = AnswerAll});
    auto options = ClientTo(server.address());
    options.command_bytes_max = 100;
    Client client(options, SystemClock());
    ASSERT_TRUE(client.Start().ok());
    Tally tally;
    EXPECT_EQ(client.Send(PayCommand(std::string(200, 'x')), seconds(1), tally.Callback()).reason(),
              reason::kMessageMalformed);
    EXPECT_EQ(client.counts().open, 0);
    EXPECT_EQ(tally.ended(), 0);
}

}  // namespace
}  // namespace kessai::rpc
