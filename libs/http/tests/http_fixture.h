#pragma once

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <future>
#include <mutex>
#include <set>
#include <string>

#include "kessai/http/server.h"
#include "kessai/net/task.h"

namespace kessai::http {

using namespace std::chrono_literals;

/// A blocking socket of the test's own, so that tests decide every byte and its time.
class RawClient {
 public:
    explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        timeval limit{10, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    }
    ~RawClient() { ::close(fd_); }

    bool Send(std::string_view text) {
        return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(text.size());
    }
    /// One answer: header and, by Content-Length, body. Empty when the connection ended before.
    std::string Answer(bool head = false) {
        while (true) {
            const auto end = buffer_.find("\r\n\r\n");
            if (end != std::string::npos) {
                std::size_t body = 0;
                const auto at = buffer_.find("Content-Length: ");
                if (!head && at != std::string::npos && at < end) {
                    body = std::stoul(buffer_.substr(at + 16));
                }
                if (buffer_.size() >= end + 4 + body) {
                    std::string answer = buffer_.substr(0, end + 4 + body);
                    buffer_.erase(0, end + 4 + body);
                    return answer;
                }
            }
            if (!Receive()) return {};
        }
    }
    /// Whether the server ends the connection (after what is left to read).
    bool Ended() {
        while (Receive()) {
        }
        return ended_;
    }
    int fd() const { return fd_; }
    bool connected() const { return connected_; }

 private:
    bool Receive() {
        char piece[4096];
        const ssize_t got = ::recv(fd_, piece, sizeof(piece), 0);
        if (got == 0 || (got < 0 && errno == ECONNRESET)) ended_ = true;
        if (got <= 0) return false;
        buffer_.append(piece, static_cast<std::size_t>(got));
        return true;
    }
    int fd_;
    bool connected_ = false;
    bool ended_ = false;
    std::string buffer_;
};

class RecordingObserver : public ServerObserver {
 public:
    void OnExchange(const Exchange& exchange) override {
        const std::lock_guard lock(mutex_);
        request_ids.insert(std::string(exchange.request.request_id));
        statuses.push_back(exchange.response.status);
    }
    void OnConnectionOpened() override { ++opened; }
    void OnConnectionClosed() override { ++closed; }
    void OnConnectionRefused(Refused) override { ++refused; }
    void OnHandshake(bool succeeded, bool resumed) override {
        ++(succeeded ? handshakes : handshake_failures);
        if (resumed) ++resumptions;
    }
    std::size_t exchanges() {
        const std::lock_guard lock(mutex_);
        return statuses.size();
    }

    std::atomic<int> opened = 0, closed = 0, refused = 0;
    std::atomic<int> handshakes = 0, handshake_failures = 0, resumptions = 0;
    std::set<std::string> request_ids;
    std::vector<int> statuses;

 private:
    std::mutex mutex_;
};

template <class Condition>
bool Eventually(Condition condition) {
    const auto deadline = SystemClock().SteadyNow() + 10s;
    while (!condition()) {
        if (SystemClock().SteadyNow() > deadline) return false;
        ::usleep(1'000);
    }
    return true;
}

class HttpFixture : public ::testing::Test {
 protected:
    HttpFixture() : router_(Families()) {
        for (auto& loop : loops_) loop.Start();
    }
    ~HttpFixture() override {
        if (server_) {
            EXPECT_TRUE(server_->Drain(10s));
        }
        server_.reset();
        for (auto& loop : loops_) loop.Stop();
    }

    static std::vector<std::unique_ptr<Family>> Families() {
        std::vector<std::unique_ptr<Family>> families;
        for (const char* name : {"plain", "v2"}) {
            auto family = std::make_unique<Family>();
            family->name = name;
            family->prefix = std::string("/") + name + "/";
            family->refuse = [name](Fault fault, std::string_view detail, std::string_view id) {
                Response response;
                response.status = StatusOf(fault);
                response.body = std::string(R"({"family":")") + name + R"(","code":")" +
                                std::string(NameOf(fault)) + R"(","detail":")" +
                                std::string(detail) + R"(","id":")" + std::string(id) + "\"}";
                return response;
            };
            families.push_back(std::move(family));
        }
        return families;
    }

    void Add(Method method, const char* path, Handler handler,
             std::size_t body_bytes_max = 65'536) {
        Route route;
        route.name = path;
        route.method = method;
        route.path = path;
        route.family = router_.FindFamily("plain");
        route.body_bytes_max = body_bytes_max;
        route.handler = std::move(handler);
        Status added = router_.Add(std::move(route));
        ASSERT_TRUE(added.ok()) << added.ToString();
    }
    void AddEcho(std::size_t body_bytes_max = 65'536) {
        const Handler echo = [](const Request& request) -> net::Task<Response> {
            Response response;
            response.body = std::string(request.method_text) + " " + std::string(request.target) +
                            " " + std::string(request.body) + " from " + request.client.ToString();
            co_return response;
        };
        Add(Method::kGet, "/echo", echo);
        Add(Method::kPost, "/echo", echo, body_bytes_max);
        Add(Method::kGet, "/echo/{id}", echo);
    }

    void Start(Server::Options options = {}) {
        server_ =
            std::make_unique<Server>(std::move(options), router_,
                                     std::vector<net::Loop*>{&loops_[0], &loops_[1]}, observer_);
        Status listening = server_->Listen("127.0.0.1", 0);
        ASSERT_TRUE(listening.ok()) << listening.ToString();
    }

    std::uint16_t port() const { return server_->port(); }

    std::array<net::Loop, 2> loops_{net::Loop("http-0"), net::Loop("http-1")};
    Router router_;
    RecordingObserver observer_;
    std::unique_ptr<Server> server_;
};

}  // namespace kessai::http
