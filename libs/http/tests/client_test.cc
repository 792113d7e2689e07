// Goal: the client gets whole answers, keeps connections, and never goes where it must not.
// Method: against our own server, and against a raw listener that answers what the test says.

#include "kessai/http/client.h"

#include <thread>

#include "http_fixture.h"
#include "kessai/net/testing/certificate.h"

namespace kessai::http {
namespace {

class ClientTest : public HttpFixture {
 protected:
    ~ClientTest() override {
        if (client_) {
            RunOnLoop([this]() -> net::Task<void> {
                client_.reset();
                co_return;
            });
        }
    }

    void RunOnLoop(std::function<net::Task<void>()> work) {
        std::promise<void> done;
        const auto body = [&]() -> net::Task<void> {
            co_await work();
            done.set_value();
        };
        loops_[1].Post([&] { net::Spawn(body()); });
        done.get_future().get();
    }

    Result<ClientResponse> Send(const std::string& url, std::string body = {},
                                Duration timeout = 5s) {
        Result<ClientResponse> outcome = Status(Code::kInternal, "NEVER", "");
        RunOnLoop([&]() -> net::Task<void> {
            if (!client_) client_ = std::make_unique<Client>(loops_[1], options_);
            ClientRequest request;
            auto parsed = Url::Parse(url);
            KESSAI_CHECK(parsed.ok(), url);
            request.url = *parsed;
            request.body = std::move(body);
            request.fields.emplace_back("Content-Type", "application/json");
            request.deadline = SystemClock().SteadyNow() + timeout;
            outcome = co_await client_->Send(std::move(request));
        });
        return outcome;
    }

    std::string Local(const std::string& path) {
        return "http://127.0.0.1:" + std::to_string(port()) + path;
    }

    Client::Options options_;
    std::unique_ptr<Client> client_;
};

/// Answers each connection with the next of the given texts, then closes it.
class ScriptedServer {
 public:
    explicit ScriptedServer(std::vector<std::string> answers)
        : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
        ::listen(fd_, 16);
        socklen_t size = sizeof(address);
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this, answers = std::move(answers)] {
            for (const auto& answer : answers) {
                const int peer = ::accept(fd_, nullptr, nullptr);
                if (peer < 0) return;
                ++accepted;
                timeval limit{0, 100'000};
                ::setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
                std::string got;
                char piece[4096];
                while (got.find("\r\n\r\n") == std::string::npos) {
                    const ssize_t n = ::recv(peer, piece, sizeof(piece), 0);
                    if (n <= 0) break;
                    got.append(piece, static_cast<std::size_t>(n));
                }
                (void)::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
                ::shutdown(peer, SHUT_WR);
                while (::recv(peer, piece, sizeof(piece), 0) > 0) {
                }
                ::close(peer);
            }
        });
    }
    ~ScriptedServer() {
        ::shutdown(fd_, SHUT_RDWR);
        ::close(fd_);
        thread_.join();
    }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/x"; }
    std::atomic<int> accepted = 0;

 private:
    int fd_;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

TEST_F(ClientTest, SendsAndKeepsTheConnection) {
    AddEcho();
    Start();
    for (int i = 0; i < 5; ++i) {
        auto answer = Send(Local("/echo?i=" + std::to_string(i)), "body" + std::to_string(i));
        ASSERT_TRUE(answer.ok()) << answer.status().ToString();
        EXPECT_EQ(answer->status, 200);
        EXPECT_EQ(answer->body, "POST /echo?i=" + std::to_string(i) + " body" + std::to_string(i) +
                                    " from 127.0.0.1");
        EXPECT_EQ(answer->Header("content-type"), "application/json");
    }
    EXPECT_EQ(observer_.opened, 1);
}

TEST_F(ClientTest, TriesOnceMoreWhenAKeptConnectionIsDead) {
    AddEcho();
    Server::Options options;
    options.limits.requests_per_connection_max = 1'000;
    options.limits.idle_timeout = 30ms;
    Start(options);
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(Send(Local("/echo"), "x").ok());
        ASSERT_TRUE(Eventually([&] { return observer_.closed == i + 1; }));
    }
}

TEST_F(ClientTest, SpeaksTlsAndVerifies) {
    net::testing::Certificates files;
    net::testing::Certificates others;
    auto tls = net::TlsServerContext::Load({files.cert_file(), files.key_file()});
    AddEcho();
    Server::Options options;
    options.tls = *tls;
    Start(options);
    options_.tls = *net::TlsClientContext::Create(files.ca_file());
    const std::string url = "https://localhost:" + std::to_string(port()) + "/echo";
    auto answer = Send(url, "secret");
    ASSERT_TRUE(answer.ok()) << answer.status().ToString();
    EXPECT_EQ(answer->status, 200);

    RunOnLoop([this]() -> net::Task<void> {
        client_.reset();
        co_return;
    });
    options_.tls = *net::TlsClientContext::Create(others.ca_file());
    EXPECT_EQ(Send(url).status().reason(), "TLS_FAILED");
}

TEST_F(ClientTest, RefusesGuardedAddresses) {
    AddEcho();
    Start();
    options_.guard = [](const net::IpAddress& address) { return address.is_public(); };
    for (const std::string host : {"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"}) {
        EXPECT_EQ(Send("http://" + host + ":" + std::to_string(port()) + "/echo").status().reason(),
                  "ADDRESS_REFUSED")
            << host;
    }
    EXPECT_EQ(observer_.opened, 0);
}

TEST_F(ClientTest, FollowsNoRedirect) {
    ScriptedServer server(
        {"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n"
         "Content-Length: 0\r\n\r\n"});
    auto answer = Send(server.url());
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer->status, 302);
    EXPECT_EQ(server.accepted, 1);
}

TEST_F(ClientTest, ReadsBodiesOfEveryFraming) {
    ScriptedServer server({
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\n\r\nhello",
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
        "5\r\n\r\nhello",
    });
    for (int i = 0; i < 5; ++i) {
        auto answer = Send(server.url());
        ASSERT_TRUE(answer.ok()) << i << answer.status().ToString();
        EXPECT_EQ(answer->body, "hello") << i;
    }
    EXPECT_EQ(server.accepted, 5);
}

TEST_F(ClientTest, BoundsAndNamesBadAnswers) {
    options_.response_bytes_max = 100;
    ScriptedServer server({
        "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + std::string(1'000, 'x'),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" + std::string(1'000, 'x'),
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        "nonsense\r\n\r\n",
        "",
        "HTTP/1.1 200 OK\r\nA: " + std::string(100'000, 'x'),
    });
    EXPECT_TRUE(Send(server.url())->body_cut);
    EXPECT_TRUE(Send(server.url())->body_cut);
    EXPECT_EQ(Send(server.url()).status().reason(), "CONNECTION_LOST");
    EXPECT_EQ(Send(server.url()).status().reason(), "RESPONSE_MALFORMED");
    EXPECT_EQ(Send(server.url()).status().reason(), "CONNECTION_LOST");
    EXPECT_EQ(Send(server.url()).status().reason(), "RESPONSE_MALFORMED");
}

TEST_F(ClientTest, EndsAtItsDeadline) {
    Add(Method::kPost, "/slow", [](const Request& request) -> net::Task<Response> {
        co_await request.loop->Sleep(300ms);
        co_return Response{};
    });
    Start();
    EXPECT_EQ(Send(Local("/slow"), "", 50ms).status().reason(), "STREAM_DEADLINE");
}

}  // namespace
}  // namespace kessai::http
