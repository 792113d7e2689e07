#pragma once

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
#include "kessai/http/testing/raw_client.h"
#include "kessai/net/task.h"
#include "kessai/testing/eventually.h"

namespace kessai::http {

using namespace std::chrono_literals;

using testing::RawClient;

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

using ::kessai::testing::Eventually;

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
