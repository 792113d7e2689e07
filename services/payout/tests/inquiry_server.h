#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "kessai/http/server.h"
#include "kessai/testing/matchers.h"

namespace kessai::payout {

/// A bank's inquiry service, or what a test makes of one.
class InquiryServer {
 public:
    InquiryServer() : loop_("bank"), router_(Families()) {
        http::Route route;
        route.name = "inquiry";
        route.method = http::Method::kPost;
        route.path = "/inquiry";
        route.family = &router_.FamilyOf("/inquiry");
        route.handler = [this](const http::Request& request) -> net::Task<http::Response> {
            http::Response response;
            Duration wait{};
            {
                const std::lock_guard lock(mutex_);
                questions_.push_back(std::string(request.Header("authorization")) + " " +
                                     std::string(request.body));
                response.status = status_;
                response.body = answer_;
                wait = wait_;
            }
            co_await loop_.Sleep(wait);
            co_return response;
        };
        EXPECT_OK(router_.Add(std::move(route)));
        loop_.Start();
        server_ = std::make_unique<http::Server>(http::Server::Options{}, router_,
                                                 std::vector<net::Loop*>{&loop_}, observer_);
        EXPECT_OK(server_->Listen("127.0.0.1", 0));
    }
    ~InquiryServer() {
        EXPECT_TRUE(server_->Drain(std::chrono::seconds(10)));
        loop_.Stop();
    }
    void Answer(std::string answer, int status = 200, Duration wait = {}) {
        const std::lock_guard lock(mutex_);
        answer_ = std::move(answer);
        status_ = status;
        wait_ = wait;
    }
    std::vector<std::string> questions() const {
        const std::lock_guard lock(mutex_);
        return questions_;
    }
    std::string url() const {
        return "http://127.0.0.1:" + std::to_string(server_->port()) + "/inquiry";
    }

 private:
    static std::vector<std::unique_ptr<http::Family>> Families() {
        std::vector<std::unique_ptr<http::Family>> families;
        families.push_back(std::make_unique<http::Family>());
        families.back()->name = "bank";
        families.back()->refuse = [](http::Fault, std::string_view, std::string_view) {
            return http::Response();
        };
        return families;
    }

    net::Loop loop_;
    http::Router router_;
    http::ServerObserver observer_;
    std::unique_ptr<http::Server> server_;
    mutable std::mutex mutex_;
    std::string answer_;
    int status_ = 200;
    Duration wait_{};
    std::vector<std::string> questions_;
};

}  // namespace kessai::payout
