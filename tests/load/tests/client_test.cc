// Goal: every request gets exactly one answer, and what became of it is never guessed: not sent,
// answered, or unknown. Method: the client against raw sockets that misbehave on purpose, and
// against a real HTTPS server.

#include "load/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_gateway.h"
#include "kessai/net/stream.h"
#include "load/on_loop.h"
#include "load/requests.h"

namespace kessai::load {
namespace {

using namespace std::chrono_literals;
using Fate = Answer::Fate;

constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

SteadyInstant In(Duration time) {
    return SystemClock().SteadyNow() + time;
}

class ClientTest : public ::testing::Test {
 protected:
    ClientTest() { loop_.Start(); }
    ~ClientTest() override {
        AwaitOn(loop_, [this]() -> net::Task<void> {
            if (client_) co_await client_->Close();
            client_.reset();
            if (listener_) listener_->Close();
            // What still serves a connection would be lost with the loop.
            while (serving_ > 0) co_await loop_.Sleep(10ms);
        });
        loop_.Stop();
    }

    /// Every connection is given to `serve`.
    void Listen(std::function<net::Task<void>(net::Stream)> serve) {
        serve_ = std::move(serve);
        auto listener = net::Listener::Listen(loop_, "127.0.0.1", 0,
                                              [this](int descriptor, const net::IpAddress&) {
                                                  ++connections_;
                                                  net::Spawn(Serve(net::Stream(loop_, descriptor)));
                                              });
        ASSERT_TRUE(listener.ok());
        listener_ = std::move(*listener);
        listener_->Start();
    }
    net::Task<void> Serve(net::Stream stream) {
        ++serving_;
        co_await serve_(std::move(stream));
        --serving_;
    }
    /// Answers each of `answers` to one request after the other, then closes.
    void ListenAndAnswer(std::vector<std::string> answers) {
        Listen([answers = std::move(answers)](net::Stream stream) -> net::Task<void> {
            for (const std::string& answer : answers) {
                std::string buffer(4'096, '\0');
                auto got = co_await stream.Read(buffer.data(), buffer.size());
                if (!got.ok() || *got == 0) co_return;
                (void)co_await stream.Write(answer);
            }
            stream.Close();
        });
    }
    void MakeClient(Client::Options options = {}) {
        if (options.port == 0) options.port = listener_->port();
        if (options.connections == 16) options.connections = 1;
        AwaitOn(loop_, [&]() -> net::Task<void> {
            client_ = std::make_unique<Client>(loop_, options);
            co_return;
        });
    }
    Client::Reply Ask(Duration within = 5s) {
        return AwaitOn(loop_, [&]() -> net::Task<Client::Reply> {
            std::string request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
            co_return co_await client_->Ask(std::move(request), In(within));
        });
    }

    net::Loop loop_{"client"};
    std::function<net::Task<void>(net::Stream)> serve_;
    std::unique_ptr<net::Listener> listener_;
    std::unique_ptr<Client> client_;
    int connections_ = 0;
    int serving_ = 0;
};

TEST_F(ClientTest, AsksAgainOnTheSameConnection) {
    ListenAndAnswer({kOk, kOk, kOk});
    MakeClient();
    for (int i = 0; i < 3; ++i) {
        const auto reply = Ask();
        EXPECT_EQ(reply.fate, Fate::kAnswered);
        EXPECT_EQ(reply.status, 200);
        EXPECT_EQ(reply.body, "ok");
    }
    EXPECT_EQ(connections_, 1);
}

TEST_F(ClientTest, TakesANewConnectionWhenTheServerEndsOne) {
    ListenAndAnswer({"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"});
    MakeClient();
    EXPECT_EQ(Ask().body, "ok");
    EXPECT_EQ(Ask().body, "ok");
    EXPECT_EQ(connections_, 2);
}

TEST_F(ClientTest, DropsAConnectionOnWhichMoreCameThanWasAskedFor) {
    ListenAndAnswer({std::string(kOk) + kOk, kOk});
    MakeClient();
    EXPECT_EQ(Ask().body, "ok");
    EXPECT_EQ(Ask().body, "ok");
    EXPECT_EQ(connections_, 2);
}

TEST_F(ClientTest, ReadsALargeAnswerInPieces) {
    const std::string body(1'000'000, 'z');
    ListenAndAnswer({"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + body, kOk});
    MakeClient();
    EXPECT_EQ(Ask().body, body);
    EXPECT_EQ(Ask().body, "ok");
}

TEST_F(ClientTest, KnowsThatNothingWasSentWhenNobodyListens) {
    ListenAndAnswer({});
    const auto port = listener_->port();
    AwaitOn(loop_, [this]() -> net::Task<void> {
        listener_->Close();
        co_return;
    });
    Client::Options options;
    options.port = port;
    MakeClient(options);
    const auto reply = Ask();
    EXPECT_EQ(reply.fate, Fate::kNotSent);
    EXPECT_EQ(reply.reason, "CONNECT_FAILED");
    EXPECT_EQ(reply.Describe(), "CONNECT_FAILED");
}

TEST_F(ClientTest, DoesNotKnowWhenTheConnectionBreaksBeforeTheAnswer) {
    for (const char* part : {"", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"}) {
        ListenAndAnswer({part});
        MakeClient();
        const auto reply = Ask();
        EXPECT_EQ(reply.fate, Fate::kUnknown);
        EXPECT_EQ(reply.reason, "CONNECTION_LOST");
        AwaitOn(loop_, [this]() -> net::Task<void> {
            co_await client_->Close();
            client_.reset();
            listener_->Close();
        });
    }
}

TEST_F(ClientTest, DoesNotKnowWhenTheAnswerCannotBeRead) {
    ListenAndAnswer({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", kOk});
    MakeClient();
    const auto reply = Ask();
    EXPECT_EQ(reply.fate, Fate::kUnknown);
    EXPECT_EQ(reply.reason, "ANSWER_MALFORMED");
}

TEST_F(ClientTest, GivesUpAtTheDeadlineAndUsesThatConnectionNoMore) {
    Listen([this](net::Stream stream) -> net::Task<void> {
        const bool first = connections_ == 1;
        std::string buffer(4'096, '\0');
        (void)co_await stream.Read(buffer.data(), buffer.size());
        if (first) co_await loop_.Sleep(300ms);  // then answers what nobody waits for any more
        (void)co_await stream.Write(kOk);
        (void)co_await stream.Read(buffer.data(), buffer.size());
    });
    MakeClient();
    const auto begun = SystemClock().SteadyNow();
    const auto late = Ask(100ms);
    EXPECT_EQ(late.fate, Fate::kUnknown);
    EXPECT_EQ(late.reason, "TIMED_OUT");
    EXPECT_LT(SystemClock().SteadyNow() - begun, 290ms);
    EXPECT_EQ(Ask().body, "ok");
    EXPECT_EQ(connections_, 2);
}

TEST_F(ClientTest, TellsWaitingRequestsApartFromSentOnes) {
    Listen([](net::Stream stream) -> net::Task<void> {
        std::string buffer(4'096, '\0');
        while (true) {  // never answers
            auto got = co_await stream.Read(buffer.data(), buffer.size());
            if (!got.ok() || *got == 0) co_return;
        }
    });
    Client::Options options;
    options.port = listener_->port();
    options.queue_max = 2;
    MakeClient(options);
    std::vector<std::string> fates;
    AwaitOn(loop_, [&]() -> net::Task<void> {
        net::Arrival<bool> all;
        for (int i = 0; i < 4; ++i) {
            client_->Send("GET / HTTP/1.1\r\n\r\n", In(i == 0 ? 200ms : 100ms),
                          [&](const Answer& answer) {
                              fates.emplace_back(answer.reason);
                              if (fates.size() == 4) all.Set(true);
                          });
            // The first goes to the connection, which takes it from the queue.
        }
        (void)co_await all;
    });
    EXPECT_THAT(fates, ::testing::ElementsAre("CLIENT_QUEUE_FULL", "TIMED_OUT",
                                              "TIMED_OUT_IN_QUEUE", "TIMED_OUT_IN_QUEUE"));
}

TEST_F(ClientTest, AnswersEverythingWhenItCloses) {
    Listen([](net::Stream stream) -> net::Task<void> {
        std::string buffer(4'096, '\0');
        while (true) {
            auto got = co_await stream.Read(buffer.data(), buffer.size());
            if (!got.ok() || *got == 0) co_return;
        }
    });
    MakeClient();
    int not_sent = 0;
    int unknown = 0;
    AwaitOn(loop_, [&]() -> net::Task<void> {
        for (int i = 0; i < 3; ++i) {
            client_->Send("GET / HTTP/1.1\r\n\r\n", In(10s), [&](const Answer& answer) {
                EXPECT_EQ(answer.reason, "CLOSED");
                ++(answer.fate == Fate::kNotSent ? not_sent : unknown);
            });
        }
        co_await loop_.Sleep(50ms);
        co_await client_->Close();
        client_->Send("GET / HTTP/1.1\r\n\r\n", In(10s),
                      [&](const Answer& answer) { EXPECT_EQ(answer.fate, Fate::kNotSent); });
        client_.reset();
    });
    EXPECT_EQ(unknown, 1);
    EXPECT_EQ(not_sent, 2);
}

TEST_F(ClientTest, SpeaksTlsAndOpensItsConnectionsBeforehand) {
    testing::FakeGateway gateway;
    Client::Options options;
    options.port = gateway.port();
    options.tls = gateway.ClientTls();
    options.connections = 40;
    MakeClient(options);
    const Status opened = AwaitOn(loop_, [this]() -> net::Task<Status> { return client_->Open(); });
    EXPECT_TRUE(opened.ok()) << opened.ToString();
    EXPECT_EQ(gateway.connections_opened(), 40u);
    const OpaSigner signer("key", "secret");
    RequestWriter writer("localhost", 1);
    int created = 0;
    AwaitOn(loop_, [&]() -> net::Task<void> {
        net::Arrival<bool> all;
        for (int i = 0; i < 200; ++i) {
            client_->Send(writer.CreateCode(signer, "m-" + std::to_string(i), 100), In(5s),
                          [&](const Answer& answer) {
                              EXPECT_EQ(answer.status, 201) << answer.reason;
                              if (++created == 200) all.Set(true);
                          });
        }
        (void)co_await all;
    });
    EXPECT_EQ(gateway.codes().size(), 200u);
    EXPECT_EQ(gateway.connections_opened(), 40u);
}

TEST_F(ClientTest, RefusesACertificateOfAnotherAuthority) {
    testing::FakeGateway gateway;
    net::testing::Certificates strangers;
    auto tls = net::TlsClientContext::Create(strangers.ca_file());
    ASSERT_TRUE(tls.ok());
    Client::Options options;
    options.port = gateway.port();
    options.tls = *tls;
    MakeClient(options);
    const auto reply = Ask();
    EXPECT_EQ(reply.fate, Fate::kNotSent);
    EXPECT_EQ(reply.reason, "TLS_FAILED");
}

TEST_F(ClientTest, ConnectsToNothingButLoopback) {
    Client::Options options;
    options.host = "192.0.2.1";  // of the documentation's network
    options.port = 443;
    MakeClient(options);
    EXPECT_EQ(Ask().reason, "CONNECT_FAILED");
    const Status opened = AwaitOn(loop_, [this]() -> net::Task<Status> { return client_->Open(); });
    EXPECT_EQ(opened.ok(), true);  // its one connection is there, unconnected
}

}  // namespace
}  // namespace kessai::load
