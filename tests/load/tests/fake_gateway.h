#pragma once

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "kessai/http/router.h"
#include "kessai/http/server.h"
#include "kessai/net/testing/certificate.h"
#include "kessai/net/tls.h"
#include "load/outcomes.h"

namespace kessai::load::testing {

/// What the gateway's two hot routes look like from outside, over real TLS, with faults on demand.
/// Codes and payments are kept, so that tests can compare them with what the load says.
class FakeGateway {
 public:
    FakeGateway() : router_(Families()) {
        for (auto& loop : loops_) loop.Start();
        Add("create", "/v2/codes",
            [this](const http::Request& request) { return CreateCode(request); });
        Add("pay", "/app/v1/codes/{codeId}/payments",
            [this](const http::Request& request) { return PayCode(request); });
        AddSetUp();
        AddReturns();
        auto tls = net::TlsServerContext::Load({files_.cert_file(), files_.key_file()});
        EXPECT_TRUE(tls.ok());
        http::Server::Options options;
        options.tls = *tls;
        options.limits.requests_per_connection_max = requests_per_connection_max;
        server_ = std::make_unique<http::Server>(std::move(options), router_,
                                                 std::vector<net::Loop*>{&loops_[0], &loops_[1]},
                                                 observer_);
        Status listening = server_->Listen("127.0.0.1", 0);
        EXPECT_TRUE(listening.ok()) << listening.ToString();
    }
    ~FakeGateway() {
        server_->Drain(std::chrono::seconds(5));
        server_.reset();
        for (auto& loop : loops_) loop.Stop();
    }

    std::uint16_t port() const { return server_->port(); }
    std::shared_ptr<net::TlsClientContext> ClientTls() const {
        auto tls = net::TlsClientContext::Create(files_.ca_file());
        EXPECT_TRUE(tls.ok());
        return *tls;
    }

    static constexpr std::uint64_t requests_per_connection_max = 1'000;

    // Faults; set before the load.
    /// Every n-th is done, but answered so late that the caller has given up (0: none).
    static constexpr Duration kLostAnswerAfter = std::chrono::seconds(4);
    std::atomic<int> pay_answers_lost_every = 0;
    std::atomic<int> pays_refused_every = 0;
    std::atomic<int> creates_refused_every = 0;
    /// All payments that come wait until then.
    std::atomic<SteadyInstant> stalled_until{SteadyInstant{}};
    std::atomic<Duration> answer_after{Duration{}};
    std::atomic<bool> sign_ins_refused = false;

    struct Code {
        std::string merchant_payment_id;
        std::int64_t amount = 0;
        std::int64_t payment_id = 0;  // 0: not paid
        std::string payer;
        std::int64_t paid_at_us = 0;
    };
    std::map<std::string, Code> codes() {
        const std::lock_guard lock(mutex_);
        return codes_;
    }
    /// By merchantRefundId: of which payment, and how much.
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> refunds() {
        const std::lock_guard lock(mutex_);
        return refunds_;
    }
    /// merchantPaymentIds.
    std::set<std::string> canceled() {
        const std::lock_guard lock(mutex_);
        return canceled_;
    }
    /// Ids by idempotency key.
    std::map<std::string, std::int64_t> top_ups() {
        const std::lock_guard lock(mutex_);
        return top_ups_;
    }
    std::map<std::string, int> api_keys() {
        const std::lock_guard lock(mutex_);
        return api_keys_;
    }
    int merchants_made() {
        const std::lock_guard lock(mutex_);
        return merchants_made_;
    }
    std::uint64_t connections_opened() const { return observer_.opened; }

 private:
    struct Observer : http::ServerObserver {
        void OnConnectionOpened() override { ++opened; }
        std::atomic<std::uint64_t> opened = 0;
    };

    static std::vector<std::unique_ptr<http::Family>> Families() {
        auto family = std::make_unique<http::Family>();
        family->name = "all";
        family->refuse = [](http::Fault fault, std::string_view, std::string_view) {
            http::Response response;
            response.status = http::StatusOf(fault);
            response.body = R"({"code":")" + std::string(http::NameOf(fault)) + "\"}";
            return response;
        };
        std::vector<std::unique_ptr<http::Family>> families;
        families.push_back(std::move(family));
        return families;
    }
    void Add(const char* name, const char* path, http::Handler handler,
             http::Method method = http::Method::kPost) {
        http::Route route;
        route.name = name;
        route.method = method;
        route.path = path;
        route.family = router_.FindFamily("all");
        route.handler = std::move(handler);
        Status added = router_.Add(std::move(route));
        EXPECT_TRUE(added.ok()) << added.ToString();
    }
    static bool Nth(std::uint64_t number, int every) {
        return every > 0 && number % static_cast<std::uint64_t>(every) == 0;
    }

    /// What a set-up asks of the issuer, the operator's and the app's interface.
    void AddSetUp() {
        Add("operator-token", "/dev/v1/operator-token",
            [](const http::Request&) { return Json(200, R"({"token":"operator"})"); });
        Add("token", "/dev/v1/token", [](const http::Request& request) {
            return Json(200, R"({"token":"t-)" + TextAt(std::string(request.body), "sub") + "\"}");
        });
        const auto by_operator = [](const http::Request& request) {
            return request.Header("Authorization") == "Bearer operator";
        };
        Add(
            "merchant", "/operator/v1/merchants/{id}",
            [this, by_operator](const http::Request& request) {
                if (!by_operator(request)) return Json(401, "{}");
                const std::lock_guard lock(mutex_);
                ++merchants_made_;
                return Json(200, "{}");
            },
            http::Method::kPut);
        Add("credential", "/operator/v1/merchants/{id}/credentials",
            [by_operator](const http::Request& request) {
                if (!by_operator(request)) return Json(401, "{}");
                const std::string id(request.Parameter("id"));
                return Json(201, R"({"apiKey":"ak_)" + id + R"(","apiSecret":"s"})");
            });
        Add("sign-in", "/app/v1/sign-in", [this](const http::Request& request) {
            if (sign_ins_refused) return Json(403, R"({"code":"SIGN_IN_REQUIRED"})");
            const std::lock_guard lock(mutex_);
            auto& [user, balance] = wallets_[std::string(request.Header("Authorization"))];
            if (user == 0) user = static_cast<std::int64_t>(wallets_.size());
            return Json(200, R"({"userId":")" + std::to_string(user) + R"(","balance":{"amount":)" +
                                 std::to_string(balance) + "}}");
        });
        Add("top-up", "/app/v1/top-ups", [this](const http::Request& request) {
            if (request.Header("Idempotency-Key").empty()) return Json(400, "{}");
            const std::lock_guard lock(mutex_);
            auto& [user, balance] = wallets_[std::string(request.Header("Authorization"))];
            const std::string amount = TextAt(std::string(request.body), "amount/amount");
            auto& top_up = top_ups_[std::string(request.Header("Idempotency-Key"))];
            if (top_up == 0) {
                top_up = static_cast<std::int64_t>(top_ups_.size());
                balance += std::stoll("0" + amount);
            }
            return Json(201, R"({"topUpId":")" + std::to_string(top_up) +
                                 R"(","amount":{"amount":)" + amount + R"(},"balance":{"amount":)" +
                                 std::to_string(balance) + "}}");
        });
    }
    /// What a merchant asks of a payment afterwards.
    void AddReturns() {
        Add("refund", "/v2/refunds", [this](const http::Request& request) {
            const std::string body(request.body);
            const std::string amount = TextAt(body, "amount/amount");
            const std::string payment_id = TextAt(body, "paymentId");
            const std::lock_guard lock(mutex_);
            refunds_[TextAt(body, "merchantRefundId")] = {std::stoll("0" + payment_id),
                                                          std::stoll("0" + amount)};
            return Json(200, R"({"data":{"status":"REFUNDED","paymentId":")" + payment_id +
                                 R"(","amount":{"amount":)" + amount + "}}}");
        });
        Add(
            "cancel", "/v2/payments/{merchantPaymentId}",
            [this](const http::Request& request) {
                const std::lock_guard lock(mutex_);
                canceled_.insert(std::string(request.Parameter("merchantPaymentId")));
                return Json(202, R"({"resultInfo":{"code":"REQUEST_ACCEPTED"},"data":null})");
            },
            http::Method::kDelete);
    }
    static net::Task<http::Response> Json(int status, std::string body) {
        http::Response response;
        response.status = status;
        response.body = std::move(body);
        co_return response;
    }

    net::Task<http::Response> CreateCode(const http::Request& request) {
        // "hmac OPA-Auth:key:mac:nonce:epoch:hash"
        const std::string authorization(request.Header("Authorization"));
        const auto colon = authorization.find(':');
        const std::string key =
            authorization.substr(colon + 1, authorization.find(':', colon + 1) - colon - 1);
        const std::string body(request.body);
        const std::string id = TextAt(body, "merchantPaymentId");
        const std::int64_t amount = std::stoll("0" + TextAt(body, "amount/amount"));
        http::Response response;
        std::string code_id;
        {
            const std::lock_guard lock(mutex_);
            ++api_keys_[key];
            if (!id.empty() && amount > 0 && !Nth(++creates_, creates_refused_every)) {
                code_id = "04-" + std::to_string(1'000'000'000'000'000 + codes_.size());
                codes_[code_id] = {id, amount, 0, {}, ToMicros(SystemClock().Now())};
            }
        }
        if (code_id.empty()) {
            response.status = 400;
            response.body =
                R"({"resultInfo":{"code":"DYNAMIC_QR_BAD_REQUEST","codeId":"01650000"},"data":null})";
            co_return response;
        }
        response.status = 201;
        response.body = R"({"resultInfo":{"code":"SUCCESS","message":"Success",)"
                        R"("codeId":"08100001"},"data":{"codeId":")" +
                        code_id + R"(","url":"https://localhost/"}})";
        co_return response;
    }

    net::Task<http::Response> PayCode(const http::Request& request) {
        const std::string code_id(request.Parameter("codeId"));
        const std::string payer(request.Header("Authorization"));
        const std::int64_t amount =
            std::stoll("0" + TextAt(std::string(request.body), "amount/amount"));
        net::Loop& loop = *request.loop;
        const SteadyInstant now = SystemClock().SteadyNow();
        if (const SteadyInstant until = stalled_until; until > now) {
            co_await loop.Sleep(std::chrono::duration_cast<Duration>(until - now));
        }
        if (const Duration wait = answer_after; wait > Duration{}) co_await loop.Sleep(wait);
        http::Response response;
        bool lost = false;
        {
            const std::lock_guard lock(mutex_);
            const std::uint64_t number = ++pays_;
            const auto found = codes_.find(code_id);
            if (found == codes_.end() || found->second.amount != amount) {
                response.status = 404;
                response.body = R"({"code":"CODE_UNKNOWN"})";
                co_return response;
            }
            Code& code = found->second;
            if (code.payment_id == 0 && Nth(number, pays_refused_every)) {
                response.status = 409;
                response.body = R"({"code":"INSUFFICIENT_FUNDS","status":409})";
                co_return response;
            }
            if (code.payment_id == 0) {
                code.payment_id = 7'000'000 + static_cast<std::int64_t>(number);
                code.payer = payer;
                code.paid_at_us = ToMicros(SystemClock().Now());
            } else if (code.payer != payer) {
                response.status = 409;
                response.body = R"({"code":"CODE_ALREADY_PAID"})";
                co_return response;
            }
            lost = Nth(number, pay_answers_lost_every);
            response.status = 201;
            response.body = R"({"paymentId":")" + std::to_string(code.payment_id) +
                            R"(","codeId":")" + code_id +
                            R"(","status":"COMPLETED","amount":{"amount":)" +
                            std::to_string(code.amount) + R"(,"currency":"JPY"}})";
        }
        if (lost) co_await loop.Sleep(kLostAnswerAfter);
        co_return response;
    }

    net::testing::Certificates files_;
    std::array<net::Loop, 2> loops_{net::Loop("fake-0"), net::Loop("fake-1")};
    http::Router router_;
    Observer observer_;
    std::unique_ptr<http::Server> server_;

    std::mutex mutex_;
    std::map<std::string, Code> codes_;
    std::map<std::string, int> api_keys_;
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> refunds_;
    std::set<std::string> canceled_;
    std::map<std::string, std::int64_t> top_ups_;
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> wallets_;  // user, balance
    int merchants_made_ = 0;
    std::uint64_t creates_ = 0;
    std::uint64_t pays_ = 0;
};

}  // namespace kessai::load::testing
