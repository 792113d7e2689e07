// Goal: partners get the contract's answers, byte for shape, and nothing else gets through.
// Method: the real HTTP server, authentication and handlers over a payment service and stores that
// the test decides; requests are signed as the SDKs sign them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <nlohmann/json.hpp>

#include "fakes.h"
#include "kessai/http/server.h"
#include "kessai/http/testing/raw_client.h"
#include "kessai/testing/eventually.h"
#include "kessai/testing/matchers.h"
#include "transport/partner_api.h"
#include "transport/routes.h"

namespace kessai::gateway {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr std::int64_t kNowS = 1'795'000'000;

/// Keeps what the log would say of the requests that were refused.
class CauseRecorder final : public http::ServerObserver {
 public:
    void OnExchange(const http::Exchange& exchange) override {
        if (exchange.response.reason.empty()) return;
        const std::lock_guard lock(mutex_);
        causes_.push_back(exchange.response.cause);
    }
    std::vector<std::string> causes() const {
        const std::lock_guard lock(mutex_);
        return causes_;
    }

 private:
    mutable std::mutex mutex_;
    std::vector<std::string> causes_;
};

class PartnerApiTest : public ::testing::Test {
 protected:
    PartnerApiTest()
        : clock_(FromMicros(kNowS * 1'000'000)),
          workers_({.name = "test", .threads = 1}),
          cache_(loop_, store_, workers_, clock_, {}),
          authenticate_(cache_, nonces_, limiter_, {1'000, 1'000}, clock_, observer_),
          api_(
              {"https://qr.example/qr/{codeId}", "kessai://payment?link_key={url}"},
              authenticators_,
              [this](const http::Request&) -> app::PaymentGateway& { return payments_; }, clock_),
          router_(transport::MakeFamilies()) {
        authenticators_.Add(loop_, authenticate_);
        domain::ApiCredential credential;
        credential.api_key = "key";
        credential.secret = "secret";
        credential.merchant_id = 501;
        credential.assumable_merchant_ids = {502};
        credential.scopes = {"codes", "payments", "refunds"};
        store_.credentials["key"] = credential;

        payments_.payment.payment_id = 123'456'789'012'345'678;
        payments_.payment.merchant_id = 501;
        payments_.payment.merchant_payment_id = "order-1";
        payments_.payment.status = domain::PaymentStatus::kCreated;
        payments_.payment.amount = Yen(1'200);
        payments_.payment.code_id = "04-0123456789abcdEF";
        payments_.payment.code_expires_at = FromMicros((kNowS + 300) * 1'000'000);
        payments_.payment.details.requested_at_s = kNowS - 5;

        const auto handler = [this](auto method) -> transport::ApiHandler {
            return [this, method](const transport::RequestScope& scope) {
                return (api_.*method)(scope);
            };
        };
        const transport::ApiHandlers handlers{
            {"v2_createDynamicQRCode", handler(&transport::PartnerApi::CreateCode)},
            {"v2_deleteDynamicQRCode", handler(&transport::PartnerApi::DeleteCode)},
            {"v2_getQRPaymentDetails", handler(&transport::PartnerApi::GetCodePayment)},
            {"v2_getPaymentDetail", handler(&transport::PartnerApi::GetPayment)},
            {"v2_cancelPayment", handler(&transport::PartnerApi::CancelPayment)},
            {"v2_createRefundPayment", handler(&transport::PartnerApi::RefundPayment)},
            {"v2_createRefundPaymentSlash", handler(&transport::PartnerApi::RefundPayment)},
            {"v2_getRefundDetails", handler(&transport::PartnerApi::GetRefund)},
        };
        for (const auto& spec : transport::AllRoutes()) {
            const auto found = handlers.find(spec.name);
            if (found == handlers.end()) continue;
            http::Route route;
            route.name = spec.name;
            route.method = spec.method;
            route.path = spec.path;
            route.family = router_.FindFamily(transport::FamilyName(spec.family));
            route.body_bytes_max = spec.body_bytes_max;
            route.handler =
                [call = found->second](const http::Request& request) -> net::Task<http::Response> {
                const transport::RequestScope scope{request, {}};
                co_return co_await call(scope);
            };
            EXPECT_OK(router_.Add(std::move(route)));
        }
        loop_.Start();
        server_ = std::make_unique<http::Server>(http::Server::Options{}, router_,
                                                 std::vector<net::Loop*>{&loop_}, server_observer_);
        EXPECT_OK(server_->Listen("127.0.0.1", 0));
    }
    ~PartnerApiTest() override {
        EXPECT_TRUE(server_->Drain(std::chrono::seconds(5)));
        loop_.Stop();
    }

    struct Call {
        std::string method = "GET";
        std::string target;
        std::string body = {};
        std::string content_type = "application/json";
        std::string secret = "secret";
        std::string api_key = "key";
        std::string nonce = {};
        std::int64_t epoch_s = kNowS;
        std::vector<std::string> headers = {};
        std::string authorization = {};  // instead of a signature
        std::string sent_body = {};      // instead of the one that was signed
        std::string sent_target = {};
    };
    struct Answer {
        int status = 0;
        json body;
        std::string raw;
        std::string code() const { return body["resultInfo"]["code"]; }
        std::string code_id() const { return body["resultInfo"]["codeId"]; }
        const json& data() const { return body["data"]; }
    };

    Answer Send(Call call) {
        if (call.nonce.empty()) call.nonce = "nonce" + std::to_string(++nonce_number_);
        const std::string path = call.target.substr(0, call.target.find('?'));
        if (call.authorization.empty()) {
            call.authorization = domain::MakeOpaAuthorization(
                domain::OpaKey(call.secret), call.api_key,
                {path, call.method, call.content_type, call.body}, call.nonce, call.epoch_s);
        }
        const std::string body = call.sent_body.empty() ? call.body : call.sent_body;
        std::string text = call.method + " " +
                           (call.sent_target.empty() ? call.target : call.sent_target) +
                           " HTTP/1.1\r\nHost: x\r\nAuthorization: " + call.authorization + "\r\n";
        if (!body.empty()) text += "Content-Type: " + call.content_type + "\r\n";
        text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
        for (const auto& header : call.headers) text += header + "\r\n";
        http::testing::RawClient client(server_->port());
        client.Send(text + "\r\n" + body);
        Answer answer;
        answer.raw = client.Answer();
        answer.status = answer.raw.size() > 12 ? std::stoi(answer.raw.substr(9, 3)) : 0;
        answer.body =
            json::parse(answer.raw.substr(answer.raw.find("\r\n\r\n") + 4), nullptr, false);
        return answer;
    }
    Answer Post(const std::string& target, const json& body) {
        return Send({.method = "POST", .target = target, .body = body.dump()});
    }
    Answer Get(const std::string& target) { return Send({.target = target}); }

    static json Order() {
        return {{"merchantPaymentId", "order-1"},
                {"amount", {{"amount", 1'200}, {"currency", "JPY"}}},
                {"codeType", "ORDER_QR"}};
    }
    static json RefundBody() {
        return {{"merchantRefundId", "refund-1"},
                {"paymentId", "123456789012345678"},
                {"amount", {{"amount", 200}, {"currency", "JPY"}}},
                {"requestedAt", kNowS},
                {"reason", "damaged"}};
    }

    net::Loop loop_{"test"};
    ManualClock clock_;
    rpc::WorkerPool workers_;
    FakeCredentialStore store_;
    FakeNonceMemory nonces_;
    FakeRateLimiter limiter_;
    FakePaymentGateway payments_;
    app::PartnerAuthenticationObserver observer_;
    app::CredentialCache cache_;
    app::AuthenticatePartner authenticate_;
    transport::PerLoop<app::AuthenticatePartner> authenticators_;
    transport::PartnerApi api_;
    http::Router router_;
    CauseRecorder server_observer_;
    std::unique_ptr<http::Server> server_;
    int nonce_number_ = 0;
};

void ExpectUnauthorized(const auto& answer) {
    EXPECT_EQ(answer.status, 401) << answer.raw;
    EXPECT_THAT(
        answer.raw,
        ::testing::EndsWith(
            R"({"resultInfo":{"code":"UNAUTHORIZED","message":"Unauthorized request","codeId":"08100016"},"data":null})"));
}

TEST_F(PartnerApiTest, CreatesACode) {
    json order = Order();
    order["orderDescription"] = "コーヒー \"L\" <b>";
    order["storeId"] = "store-1";
    order["storeInfo"] = "Shibuya";
    order["terminalId"] = "till 3";
    order["requestedAt"] = kNowS - 5;
    order["redirectUrl"] = "https://shop.example/back?a=b&c=d";
    order["redirectType"] = "WEB_LINK";
    order["metadata"] = {{"b", {1, 2.5, nullptr}}, {"a", "<x>"}};
    order["orderItems"] = {{{"name", "Coffee"},
                            {"category", "drink"},
                            {"quantity", 2},
                            {"productId", "c-1"},
                            {"unitPrice", {{"amount", 600}, {"currency", "JPY"}}}}};
    order["somethingNew"] = {{"x", 1}};
    const auto answer = Post("/v2/codes", order);
    ASSERT_EQ(answer.status, 201) << answer.raw;
    EXPECT_EQ(answer.body["resultInfo"],
              (json{{"code", "SUCCESS"}, {"message", "Success"}, {"codeId", "08100001"}}));
    EXPECT_EQ(
        answer.data(),
        (json{{"codeId", "04-0123456789abcdEF"},
              {"url", "https://qr.example/qr/04-0123456789abcdEF"},
              {"deeplink",
               "kessai://payment?link_key=https%3A%2F%2Fqr.example%2Fqr%2F04-0123456789abcdEF"},
              {"expiryDate", kNowS + 300},
              {"merchantPaymentId", "order-1"},
              {"amount", {{"amount", 1'200}, {"currency", "JPY"}}},
              {"orderDescription", "コーヒー \"L\" <b>"},
              {"orderItems",
               {{{"name", "Coffee"},
                 {"category", "drink"},
                 {"quantity", 2},
                 {"productId", "c-1"},
                 {"unit_price", {{"amount", 600}, {"currency", "JPY"}}}}}},
              {"metadata", {{"b", {1, 2.5, nullptr}}, {"a", "<x>"}}},
              {"codeType", "ORDER_QR"},
              {"storeInfo", "Shibuya"},
              {"storeId", "store-1"},
              {"terminalId", "till 3"},
              {"productType", nullptr},
              {"requestedAt", kNowS - 5},
              {"redirectUrl", "https://shop.example/back?a=b&c=d"},
              {"redirectType", "WEB_LINK"},
              {"userAgent", nullptr},
              {"isAuthorization", false},
              {"authorizationExpiry", nullptr}}));
    EXPECT_THAT(answer.raw, HasSubstr("X-REQUEST-ID: OPA"));
    ASSERT_EQ(payments_.created.size(), 1u);
    EXPECT_EQ(payments_.created[0].amount, Yen(1'200));
    EXPECT_EQ(payments_.caller->role, auth::Role::kMerchant);
    EXPECT_EQ(payments_.caller->merchant_id, 501);
    EXPECT_EQ(payments_.caller->subject, "key");
}

TEST_F(PartnerApiTest, WhatIsStoredWithAnOrderComesBackInItsDetails) {
    json order = Order();
    order["metadata"] = {{"a", 1}};
    order["orderItems"] = {
        {{"name", "Coffee"}, {"quantity", 1}, {"unitPrice", {{"amount", 0}, {"currency", "JPY"}}}}};
    ASSERT_EQ(Post("/v2/codes", order).status, 201);
    payments_.payment.details.extra_json = payments_.created[0].details.extra_json;
    const auto answer = Get("/v2/codes/payments/order-1");
    ASSERT_EQ(answer.status, 200) << answer.raw;
    EXPECT_EQ(answer.data()["metadata"], (json{{"a", 1}}));
    EXPECT_EQ(answer.data()["orderItems"][0]["unitPrice"],
              (json{{"amount", 0}, {"currency", "JPY"}}));
}

TEST_F(PartnerApiTest, ARepeatOfTheSameSignedRequestHasTheSameSaltAndNoOther) {
    Call call{.method = "POST", .target = "/v2/codes", .body = Order().dump(), .nonce = "fixed"};
    ASSERT_EQ(Send(call).status, 201);
    ASSERT_EQ(Send(call).status, 201);  // its bytes were sent again
    call.nonce = "other";
    ASSERT_EQ(Send(call).status, 201);
    ASSERT_EQ(payments_.created.size(), 3u);
    EXPECT_NE(payments_.created[0].salt, 0u);
    EXPECT_EQ(payments_.created[0].salt, payments_.created[1].salt);
    EXPECT_NE(payments_.created[0].salt, payments_.created[2].salt);
}

TEST_F(PartnerApiTest, ShowsAPayment) {
    const auto open = Get("/v2/codes/payments/order-1");
    ASSERT_EQ(open.status, 200) << open.raw;
    EXPECT_EQ(open.data()["status"], "CREATED");
    EXPECT_EQ(open.data()["paymentId"], nullptr);
    EXPECT_EQ(open.data()["acceptedAt"], nullptr);
    EXPECT_EQ(open.data()["requestedAt"], kNowS - 5);
    EXPECT_FALSE(open.data().contains("userAuthorizationId"));

    payments_.payment.status = domain::PaymentStatus::kRefunded;
    payments_.payment.accepted_at = FromMicros(kNowS * 1'000'000 + 999'999);
    payments_.payment.user_id = 9;
    payments_.payment.refunds.push_back({55, "refund-1", payments_.payment.payment_id, Yen(200),
                                         FromMicros((kNowS + 10) * 1'000'000), kNowS, ""});
    const auto paid = Get("/v2/payments/order-1");
    ASSERT_EQ(paid.status, 200) << paid.raw;
    EXPECT_EQ(paid.data(),
              (json{{"paymentId", "123456789012345678"},
                    {"status", "REFUNDED"},
                    {"acceptedAt", kNowS},
                    {"refunds",
                     {{"data",
                       {{{"status", "REFUNDED"},
                         {"acceptedAt", kNowS + 10},
                         {"merchantRefundId", "refund-1"},
                         {"paymentId", "123456789012345678"},
                         {"amount", {{"amount", 200}, {"currency", "JPY"}}},
                         {"requestedAt", kNowS},
                         {"reason", nullptr}}}}}},
                    {"captures", nullptr},
                    {"revert", nullptr},
                    {"merchantPaymentId", "order-1"},
                    {"userAuthorizationId", nullptr},
                    {"amount", {{"amount", 1'200}, {"currency", "JPY"}}},
                    {"requestedAt", kNowS - 5},
                    {"expiresAt", nullptr},
                    {"canceledAt", nullptr},
                    {"storeId", nullptr},
                    {"terminalId", nullptr},
                    {"orderReceiptNumber", nullptr},
                    {"orderDescription", nullptr},
                    {"orderItems", nullptr},
                    {"metadata", nullptr},
                    {"paymentMethods",
                     {{{"amount", {{"amount", 1'200}, {"currency", "JPY"}}}, {"type", "WALLET"}}}},
                    {"assumeMerchant", nullptr}}));
}

TEST_F(PartnerApiTest, ACodeThatIsGoneUnpaidHasNoPayment) {
    payments_.payment.code_expired = true;
    auto answer = Get("/v2/codes/payments/order-1");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.code(), "DYNAMIC_QR_PAYMENT_NOT_FOUND");
    EXPECT_EQ(answer.code_id(), "01652075");
    payments_.payment.status = domain::PaymentStatus::kCodeDeleted;
    answer = Get("/v2/payments/order-1");
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.code(), "RESOURCE_NOT_FOUND");
}

TEST_F(PartnerApiTest, DeletesCancelsAndRefunds) {
    const auto deleted = Send({.method = "DELETE", .target = "/v2/codes/04-0123456789abcdEF"});
    EXPECT_EQ(deleted.status, 200) << deleted.raw;
    EXPECT_EQ(deleted.data(), (json{{"qrStatus", "DELETED"}}));
    EXPECT_EQ(payments_.asked, "04-0123456789abcdEF");
    // The Python SDK sends, and signs, "{}".
    EXPECT_EQ(
        Send({.method = "DELETE", .target = "/v2/codes/04-0123456789abcdEF", .body = "{}"}).status,
        200);

    const auto cancelled = Send({.method = "DELETE", .target = "/v2/payments/order-1"});
    EXPECT_EQ(cancelled.status, 202);
    EXPECT_EQ(cancelled.body, (json{{"resultInfo",
                                     {{"code", "REQUEST_ACCEPTED"},
                                      {"message", "Request accepted"},
                                      {"codeId", "08100001"}}},
                                    {"data", nullptr}}));

    payments_.refund.accepted_at = FromMicros((kNowS + 1) * 1'000'000);
    for (const char* path : {"/v2/refunds", "/v2/refunds/"}) {
        const auto refunded = Post(path, RefundBody());
        EXPECT_EQ(refunded.status, 200) << refunded.raw;
        EXPECT_EQ(refunded.data(), (json{{"status", "REFUNDED"},
                                         {"acceptedAt", kNowS + 1},
                                         {"merchantRefundId", "refund-1"},
                                         {"paymentId", "123456789012345678"},
                                         {"amount", {{"amount", 200}, {"currency", "JPY"}}},
                                         {"requestedAt", kNowS},
                                         {"reason", "damaged"},
                                         {"assumeMerchant", nullptr}}));
    }
    EXPECT_EQ(Get("/v2/refunds/refund-1").status, 200);
    EXPECT_EQ(payments_.asked, "refund-1/0");
    EXPECT_EQ(Get("/v2/refunds/refund-1?paymentId=42").status, 200);
    EXPECT_EQ(payments_.asked, "refund-1/42");
    EXPECT_EQ(Get("/v2/refunds/refund-1?paymentId=x").code(), "NO_SUCH_REFUND_ORDER");
}

TEST_F(PartnerApiTest, RefusesWhatIsNotRightlySigned) {
    const json order = Order();
    ExpectUnauthorized(
        Send({.method = "POST", .target = "/v2/codes", .body = order.dump(), .secret = "wrong"}));
    ExpectUnauthorized(
        Send({.method = "POST", .target = "/v2/codes", .body = order.dump(), .api_key = "nobody"}));
    ExpectUnauthorized(Send(
        {.method = "POST", .target = "/v2/codes", .body = order.dump(), .epoch_s = kNowS - 120}));
    ExpectUnauthorized(Send(
        {.method = "POST", .target = "/v2/codes", .body = order.dump(), .epoch_s = kNowS + 121}));
    ExpectUnauthorized(Send({.method = "POST",
                             .target = "/v2/codes",
                             .body = order.dump(),
                             .sent_body = order.dump(1)}));
    ExpectUnauthorized(
        Send({.target = "/v2/payments/order-1", .sent_target = "/v2/payments/order-2"}));
    ExpectUnauthorized(Send({.target = "/v2/payments/order-1", .authorization = "Bearer x"}));
    ExpectUnauthorized(
        Send({.target = "/v2/payments/order-1", .authorization = "hmac OPA-Auth:a:b:c:d:e"}));
    EXPECT_EQ(payments_.created.size(), 0u);
    for (const std::int64_t epoch : {kNowS - 119, kNowS + 119}) {
        EXPECT_EQ(
            Send({.method = "POST", .target = "/v2/codes", .body = order.dump(), .epoch_s = epoch})
                .status,
            201);
    }
}

// One answer for all, but the log tells them apart.
TEST_F(PartnerApiTest, TheLogSaysWhyAndTheAnswerDoesNot) {
    const std::string target = "/v2/payments/order-1";
    ExpectUnauthorized(Send({.target = target, .secret = "wrong"}));
    ExpectUnauthorized(Send({.target = target, .api_key = "nobody"}));
    ExpectUnauthorized(Send({.target = target, .epoch_s = kNowS - 120}));
    EXPECT_EQ(Send({.target = target, .nonce = "once"}).status, 200);
    ExpectUnauthorized(Send({.target = target, .nonce = "once", .epoch_s = kNowS + 1}));
    json order = Order();
    order["orderDescription"] = 7;
    const Answer malformed = Post("/v2/codes", order);
    EXPECT_EQ(malformed.code(), "INVALID_REQUEST_PARAMS");
    EXPECT_THAT(malformed.raw, ::testing::Not(HasSubstr("orderDescription")));

    ASSERT_EVENTUALLY(server_observer_.causes().size() == 5);
    EXPECT_THAT(server_observer_.causes(),
                ::testing::ElementsAre("UNAUTHORIZED: the signature is wrong, key key",
                                       "UNAUTHORIZED: no such key, key nobody",
                                       "UNAUTHORIZED: the epoch is too far from now, key key",
                                       "UNAUTHORIZED: the nonce was used before, key key",
                                       "FIELD_MALFORMED: orderDescription is not a text"));
}

TEST_F(PartnerApiTest, SignsTheRawTarget) {
    EXPECT_EQ(Get("/v2/payments/order%2D1").status, 200);
    EXPECT_EQ(payments_.asked, "order-1");
    EXPECT_EQ(Get("/v2/payments/order-1?x=y&agreeSimilarTransaction=false").status, 200);
    ExpectUnauthorized(
        Send({.target = "/v2/payments/order-1", .sent_target = "/v2/payments/order%2D1"}));
}

TEST_F(PartnerApiTest, RefusesAUsedNonceButNotAnExactRepeat) {
    const Call call{.target = "/v2/payments/order-1", .nonce = "once"};
    EXPECT_EQ(Send(call).status, 200);
    EXPECT_EQ(Send(call).status, 200);
    ExpectUnauthorized(Send({.target = "/v2/payments/order-2", .nonce = "once"}));
    ExpectUnauthorized(
        Send({.target = "/v2/payments/order-1", .nonce = "once", .epoch_s = kNowS + 1}));
    nonces_.down = true;  // then there is no memory, and no stop either
    EXPECT_EQ(Send({.target = "/v2/payments/order-2", .nonce = "once"}).status, 200);
}

TEST_F(PartnerApiTest, SelectsTheMerchant) {
    const auto acted_for = [&](Call call) {
        const auto answer = Send(std::move(call));
        if (answer.status != 200) return std::int64_t{-1};
        return payments_.caller->merchant_id;
    };
    const std::string target = "/v2/payments/order-1";
    EXPECT_EQ(acted_for({.target = target}), 501);
    EXPECT_EQ(acted_for({.target = target, .headers = {"X-ASSUME-MERCHANT: "}}), 501);
    EXPECT_EQ(acted_for({.target = target, .headers = {"X-ASSUME-MERCHANT: 502"}}), 502);
    EXPECT_EQ(acted_for({.target = target + "?assumeMerchant=502"}), 502);
    EXPECT_EQ(acted_for({.target = target + "?assumeMerchant=502",
                         .headers = {"X-ASSUME-MERCHANT: 501"}}),
              502);
    EXPECT_EQ(
        acted_for({.target = target + "?assumeMerchant=", .headers = {"X-ASSUME-MERCHANT: 502"}}),
        502);
    for (const char* other : {"503", "0", "-1", "abc", "501 "}) {
        EXPECT_EQ(acted_for({.target = target + "?assumeMerchant=" + http::PercentEncode(other)}),
                  -1)
            << other;
    }
    const auto answer = Send({.target = target, .headers = {"X-ASSUME-MERCHANT: 502"}});
    EXPECT_EQ(answer.data()["assumeMerchant"], "502");
    ExpectUnauthorized(Send({.target = target, .headers = {"X-ASSUME-MERCHANT: 503"}}));
    store_.credentials["agent"] = store_.credentials["key"];
    store_.credentials["agent"].api_key = "agent";
    store_.credentials["agent"].merchant_id = 0;
    ExpectUnauthorized(Send({.target = target, .api_key = "agent"}));
    EXPECT_EQ(
        Send({.target = target, .api_key = "agent", .headers = {"X-ASSUME-MERCHANT: 502"}}).status,
        200);
}

TEST_F(PartnerApiTest, KeepsToTheCredential) {
    auto& credential = store_.credentials["key"];
    const auto again = [&](const std::string& target) {
        cache_.Forget("key");
        return Get(target);
    };
    credential.allowed_networks = {*net::IpNetwork::Parse("10.0.0.0/8")};
    ExpectUnauthorized(again("/v2/payments/order-1"));
    credential.allowed_networks = {*net::IpNetwork::Parse("127.0.0.1")};
    EXPECT_EQ(again("/v2/payments/order-1").status, 200);
    credential.scopes = {"codes"};
    const auto out_of_scope = again("/v2/payments/order-1");
    EXPECT_EQ(out_of_scope.status, 401);
    EXPECT_EQ(out_of_scope.code(), "OP_OUT_OF_SCOPE");
    EXPECT_EQ(out_of_scope.code_id(), "08100023");
    EXPECT_EQ(again("/v2/codes/payments/order-1").status, 200);
    credential.revoked = true;
    ExpectUnauthorized(again("/v2/codes/payments/order-1"));
}

TEST_F(PartnerApiTest, LimitsTheRate) {
    limiter_.limits["key"] = 2;
    EXPECT_EQ(Get("/v2/payments/order-1").status, 200);
    EXPECT_EQ(Get("/v2/payments/order-1").status, 200);
    const auto limited = Get("/v2/payments/order-1");
    EXPECT_EQ(limited.status, 429);
    EXPECT_EQ(limited.code(), "RATE_LIMIT");
    EXPECT_EQ(limited.code_id(), "08100998");
    EXPECT_THAT(limited.raw, HasSubstr("Retry-After: "));
}

TEST_F(PartnerApiTest, CachesCredentialsAndTheirAbsence) {
    for (int i = 0; i < 5; ++i) EXPECT_EQ(Get("/v2/payments/order-1").status, 200);
    EXPECT_EQ(store_.finds, 1);
    for (int i = 0; i < 5; ++i)
        ExpectUnauthorized(Send({.target = "/v2/payments/a", .api_key = "nobody"}));
    EXPECT_EQ(store_.finds, 2);
    // A database that is down is no reason to call a key wrong.
    store_.failure = Status(Code::kUnavailable, "CONNECTION_LOST", "");
    const auto answer = Send({.target = "/v2/payments/a", .api_key = "unseen"});
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.code(), "SERVICE_ERROR");
    EXPECT_EQ(Get("/v2/payments/order-1").status, 200);
}

TEST_F(PartnerApiTest, RefusesMalformedOrders) {
    struct Case {
        const char* what;
        json patch;  // merged over a good order; null removes
        const char* code;
        const char* code_id;
    };
    const auto amount = [](const json& value, const json& currency = "JPY") {
        return json{{"amount", {{"amount", value}, {"currency", currency}}}};
    };
    const char* missing = "MISSING_REQUEST_PARAMS";
    const char* invalid = "INVALID_REQUEST_PARAMS";
    const char* qr = "DYNAMIC_QR_BAD_REQUEST";
    for (const auto& given : std::initializer_list<Case>{
             {"no id", {{"merchantPaymentId", nullptr}}, missing, "08100024"},
             {"empty id", {{"merchantPaymentId", ""}}, missing, "08100024"},
             {"long id", {{"merchantPaymentId", std::string(65, 'x')}}, invalid, "08100006"},
             {"odd id", {{"merchantPaymentId", "a b"}}, invalid, "08100006"},
             {"SQL in an id",
              {{"merchantPaymentId", "a'; DROP TABLE payment;--"}},
              invalid,
              "08100006"},
             {"number as id", {{"merchantPaymentId", 5}}, invalid, "08100006"},
             {"no amount", {{"amount", nullptr}}, missing, "08100024"},
             {"amount as a number", {{"amount", 5}}, invalid, "08100006"},
             {"no amount in the amount", amount(nullptr), missing, "08100024"},
             {"no currency", amount(1, nullptr), missing, "08100024"},
             {"zero", amount(0), qr, "01650000"},
             {"negative", amount(-5), qr, "01650000"},
             {"beyond 32 bits", amount(2'147'483'648), qr, "01650000"},
             {"beyond 64 bits", amount(18'000'000'000'000'000'000u), qr, "01650000"},
             {"a fraction", amount(10.5), invalid, "08100006"},
             {"a whole number with a point", amount(10.0), invalid, "08100006"},
             {"a text", amount("10"), invalid, "08100006"},
             {"another currency", amount(10, "USD"), invalid, "08100006"},
             {"no currency's name", amount(10, "¥"), invalid, "08100006"},
             {"no code type", {{"codeType", nullptr}}, missing, "08100024"},
             {"another code type", {{"codeType", "TOPUP_QR"}}, invalid, "08100006"},
             {"long text", {{"orderDescription", std::string(256, 'x')}}, invalid, "08100006"},
             {"control characters", {{"storeId", "a\u0007b"}}, invalid, "08100006"},
             {"time as text", {{"requestedAt", "2020-01-01"}}, invalid, "08100006"},
             {"negative time", {{"requestedAt", -1}}, invalid, "08100006"},
             {"not a bool", {{"isAuthorization", "false"}}, invalid, "08100006"},
             {"items are no list", {{"orderItems", "x"}}, invalid, "08100006"},
             {"item is no object", {{"orderItems", {1}}}, invalid, "08100006"},
             {"item without a name",
              {{"orderItems",
                {{{"quantity", 1}, {"unitPrice", {{"amount", 1}, {"currency", "JPY"}}}}}}},
              missing,
              "08100024"},
             {"item of none",
              {{"orderItems",
                {{{"name", "x"},
                  {"quantity", 0},
                  {"unitPrice", {{"amount", 1}, {"currency", "JPY"}}}}}}},
              invalid,
              "08100006"},
             {"item with a negative price",
              {{"orderItems",
                {{{"name", "x"},
                  {"quantity", 1},
                  {"unitPrice", {{"amount", -1}, {"currency", "JPY"}}}}}}},
              invalid,
              "08100006"},
             {"metadata is no object", {{"metadata", {1, 2}}}, invalid, "08100006"},
             {"redirect type", {{"redirectType", "POPUP"}}, invalid, "08100006"},
             {"product type", {{"productType", "CHEESE"}}, invalid, "08100006"},
             {"address", {{"ipAddress", "999.1.1.1"}}, invalid, "08100006"},
             {"too much metadata",
              {{"metadata", {{"x", std::string(17'000, 'x')}}}},
              invalid,
              "08100006"},
             {"authorization",
              {{"isAuthorization", true}},
              "PRE_AUTH_CAPTURE_UNSUPPORTED_MERCHANT",
              "00400060"},
         }) {
        json order = Order();
        order.update(given.patch);
        const auto answer = Post("/v2/codes", order);
        EXPECT_EQ(answer.status, 400) << given.what << "\n" << answer.raw;
        EXPECT_EQ(answer.code(), given.code) << given.what;
        EXPECT_EQ(answer.code_id(), given.code_id) << given.what;
        EXPECT_EQ(answer.data(), nullptr);
    }
    EXPECT_EQ(payments_.created.size(), 0u);
}

TEST_F(PartnerApiTest, RefusesBodiesThatAreNoStrictJson) {
    const std::string good = Order().dump();
    const std::string deep = std::string(40, '[') + std::string(40, ']');
    for (
        const std::string& body : std::initializer_list<std::string>{
            "",
            "{",
            "[]",
            "null",
            "5",
            "\"x\"",
            good + "x",
            good.substr(1),
            R"({"merchantPaymentId":"a","merchantPaymentId":"b","amount":{"amount":1,"currency":"JPY"},"codeType":"ORDER_QR"})",
            R"({"merchantPaymentId":"a","amount":{"amount":1,"amount":2,"currency":"JPY"},"codeType":"ORDER_QR"})",
            R"({"merchantPaymentId":"a","amount":{"amount":1,"currency":"JPY"},"codeType":"ORDER_QR","x":{"y":1,"y":1}})",
            R"({"merchantPaymentId":"a","amount":{"amount":1e3,"currency":"JPY"},"codeType":"ORDER_QR"})",
            R"({"merchantPaymentId":"a","amount":{"amount":01,"currency":"JPY"},"codeType":"ORDER_QR"})",
            R"({"merchantPaymentId":"a","amount":{"amount":NaN,"currency":"JPY"},"codeType":"ORDER_QR"})",
            R"({'merchantPaymentId':'a'})",
            "{\"merchantPaymentId\":\"a\xff\"}",
            "{\"merchantPaymentId\":\"a\xc0\xaf\"}",
            R"({"merchantPaymentId":"a\u0000b"})",
            R"({"merchantPaymentId":"a\ud800"})",
            R"({"a":)" + deep + "}"}) {
        const auto answer = Send({.method = "POST", .target = "/v2/codes", .body = body});
        EXPECT_EQ(answer.status, 400) << body;
        EXPECT_EQ(answer.code(), "INVALID_REQUEST_PARAMS") << body;
    }
    EXPECT_EQ(payments_.created.size(), 0u);
}

TEST_F(PartnerApiTest, RefusesMalformedRefundsAndPaths) {
    const auto refused = [&](const json& patch) {
        json body = RefundBody();
        body.update(patch);
        const auto answer = Post("/v2/refunds", body);
        return std::to_string(answer.status) + " " + answer.code() + " " + answer.code_id();
    };
    EXPECT_EQ(refused({{"merchantRefundId", nullptr}}), "400 MISSING_REQUEST_PARAMS 08100024");
    EXPECT_EQ(refused({{"paymentId", nullptr}}), "400 MISSING_REQUEST_PARAMS 08100024");
    EXPECT_EQ(refused({{"requestedAt", nullptr}}), "400 MISSING_REQUEST_PARAMS 08100024");
    EXPECT_EQ(refused({{"paymentId", "not-ours"}}), "404 RESOURCE_NOT_FOUND 00200001");
    EXPECT_EQ(refused({{"amount", {{"amount", 0}, {"currency", "JPY"}}}}),
              "400 INVALID_PARAMS 00200015");
    EXPECT_EQ(refused({{"reason", std::string(256, 'x')}}), "400 INVALID_REQUEST_PARAMS 08100006");
    EXPECT_EQ(payments_.refunds.size(), 0u);

    auto answer = Get("/v2/codes/payments/a%20b");
    EXPECT_EQ(answer.code(), "DYNAMIC_QR_BAD_REQUEST");
    answer = Get("/v2/payments/" + std::string(65, 'x'));
    EXPECT_EQ(answer.code(), "INVALID_PARAMS");
    answer = Send({.method = "DELETE", .target = "/v2/codes/nonsense"});
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.code(), "DYNAMIC_QR_NOT_FOUND");
    answer = Get("/v2/nothing");
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.code(), "RESOURCE_NOT_FOUND");
    answer = Get("/v2/codes");
    EXPECT_EQ(answer.status, 405);
    EXPECT_THAT(answer.raw, HasSubstr("Allow: POST"));
    answer = Send({.method = "POST", .target = "/v2/codes", .body = std::string(65'537, ' ')});
    EXPECT_EQ(answer.status, 413);
    EXPECT_EQ(answer.code_id(), "08100006");
}

TEST_F(PartnerApiTest, RefusalsOfTheServiceBehindGetTheContractsCodes) {
    const auto answer_to = [&](Code code, const char* reason) {
        payments_.refusal = Status(code, reason, "secret detail");
        const auto answer = Post("/v2/codes", Order());
        EXPECT_THAT(answer.raw, ::testing::Not(HasSubstr("secret")));
        EXPECT_EQ(answer.data(), nullptr);
        return std::to_string(answer.status) + " " + answer.code() + " " + answer.code_id();
    };
    EXPECT_EQ(answer_to(Code::kAlreadyExists, "DUPLICATE_CODE"),
              "400 DUPLICATE_DYNAMIC_QR_REQUEST 01652073");
    EXPECT_EQ(answer_to(Code::kUnavailable, "OUTCOME_UNKNOWN"),
              "500 INTERNAL_SERVER_ERROR 08101000");
    EXPECT_EQ(answer_to(Code::kUnavailable, "NOT_SENT"), "500 SERVICE_ERROR 08100026");
    EXPECT_EQ(answer_to(Code::kInternal, "SQL_ERROR"), "500 INTERNAL_SERVER_ERROR 08101000");
    EXPECT_EQ(answer_to(Code::kResourceExhausted, "QUEUE_FULL"), "429 RATE_LIMIT 08100998");
}

}  // namespace
}  // namespace kessai::gateway
