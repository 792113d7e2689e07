// Goal: only operators whose roles allow it change anything, whatever else they send is refused by
// name, and an address that asks too often is told so in the interface's own form.
// Method: the real HTTP server, wrapper, authentication and handlers over stores that the test
// decides.

#include "transport/operator_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "fakes.h"
#include "kessai/http/server.h"
#include "kessai/http/testing/raw_client.h"
#include "kessai/jwt/jwt.h"
#include "kessai/log/log.h"
#include "kessai/testing/matchers.h"
#include "transport/api_wrapper.h"
#include "transport/dev_issuer_api.h"
#include "transport/problem.h"
#include "transport/routes.h"

namespace kessai::gateway {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Keeps endpoints only: nothing that is refused may come as far as deliveries.
class FakeWebhookStore final : public app::WebhookStore {
 public:
    Result<domain::WebhookEndpoint> PutEndpoint(const domain::WebhookEndpoint& endpoint,
                                                Instant) override {
        endpoints.push_back(endpoint);
        return endpoint;
    }
    Result<std::vector<domain::WebhookEndpoint>> EndpointsOf(std::int64_t) override {
        return endpoints;
    }
    Result<domain::WebhookEndpoint> FindEndpoint(std::int64_t merchant_id,
                                                 std::string_view name) override {
        for (const auto& endpoint : endpoints) {
            if (endpoint.merchant_id == merchant_id && endpoint.name == name) return endpoint;
        }
        return Status(Code::kNotFound, "ENDPOINT_UNKNOWN", "");
    }
    Status DeleteEndpoint(std::int64_t merchant_id, std::string_view name, Instant) override {
        return FindEndpoint(merchant_id, name).status();
    }
    Result<std::vector<app::EndpointChange>> ChangedSince(Instant) override {
        return std::vector<app::EndpointChange>();
    }
    Status AddDelivery(const domain::WebhookDelivery&) override {
        ++deliveries;
        return OkStatus();
    }
    Result<std::vector<app::DueEndpoint>> DueEndpoints(Instant, int) override {
        return std::vector<app::DueEndpoint>();
    }
    Result<std::vector<app::ClaimedDeliveries>> ClaimOfMany(std::span<const app::ClaimWish>,
                                                            Instant, Instant) override {
        return std::vector<app::ClaimedDeliveries>();
    }
    Result<app::ClaimedDeliveries> Claim(std::int64_t, int, Instant, Instant) override {
        return app::ClaimedDeliveries();
    }
    Status Record(std::span<const app::AttemptRecord>) override { return OkStatus(); }
    Result<std::vector<domain::WebhookDelivery>> ListDeliveries(
        std::int64_t, std::optional<domain::DeliveryState>, std::int64_t, int) override {
        return std::vector<domain::WebhookDelivery>();
    }
    Result<std::vector<app::Attempt>> AttemptsOf(std::int64_t) override {
        return std::vector<app::Attempt>();
    }
    Result<domain::WebhookDelivery> Redeliver(std::int64_t, Instant) override {
        return Status(Code::kNotFound, "DELIVERY_UNKNOWN", "");
    }
    Result<std::uint64_t> Purge(Instant, int) override { return std::uint64_t{0}; }

    std::vector<domain::WebhookEndpoint> endpoints;
    int deliveries = 0;
};

class CountedIds final : public app::IdSource {
 public:
    Result<std::int64_t> Next() override { return ++last_; }

 private:
    std::int64_t last_ = 0;
};

/// Lets every key have so many requests, and never more.
class BudgetLimiter final : public app::RateLimiter {
 public:
    bool Take(std::string_view key, const app::Rate&) override {
        return taken_[std::string(key)]++ < budget;
    }
    std::atomic<int> budget = 1'000'000;

 private:
    std::map<std::string, int> taken_;
};

class OperatorApiTest : public ::testing::Test {
 protected:
    using Api = transport::OperatorApi;

    OperatorApiTest()
        : workers_({.name = "test", .threads = 1}),
          signer_(jwt::Signer::Generate().value()),
          bearer_({Trusted()}, SystemClock(), {}),
          operators_(bearer_, roles_),
          telemetry_({}, registry_),
          tracer_({}, "test", "0", registry_),
          wrapper_({.address_rate = {1, 1}}, tracer_, telemetry_, limiters_, authenticators_),
          api_({}, Api::Services{
                       store_, webhooks_, ids_, workers_,
                       [this](const http::Request&) -> app::PaymentGateway& { return payments_; },
                       SystemClock(), [](const std::string&) {}, [] {}}),
          router_(transport::MakeFamilies()) {
        limiters_.Add(loop_, limiter_);
        authenticators_.Add(loop_, operators_);
        AddRoutes();
        loop_.Start();
        http::Server::Options options;
        options.trusted_proxies = {net::IpNetwork::Parse("127.0.0.1/32").value()};
        server_ = std::make_unique<http::Server>(options, router_, std::vector<net::Loop*>{&loop_},
                                                 server_observer_);
        EXPECT_OK(server_->Listen("127.0.0.1", 0));
    }
    ~OperatorApiTest() override {
        EXPECT_TRUE(server_->Drain(std::chrono::seconds(5)));
        loop_.Stop();
        workers_.Stop();
    }

    struct Answer {
        int status = 0;
        std::string head;
        json body;
        std::string code() const { return body.value("code", ""); }
    };
    Answer Send(const std::string& method, const std::string& target, const std::string& body = {},
                const std::string& authorization = {}, const std::string& from = {},
                const std::string& content_type = "application/json") {
        const std::string who =
            authorization.empty() ? "Bearer " + Token({"admin"}) : authorization;
        std::string text = method + " " + target + " HTTP/1.1\r\nHost: x\r\n";
        if (who != "none") text += "Authorization: " + who + "\r\n";
        if (!from.empty()) text += "X-Forwarded-For: " + from + "\r\n";
        if (!body.empty() && !content_type.empty()) {
            text += "Content-Type: " + content_type + "\r\n";
        }
        text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
        http::testing::RawClient client(server_->port());
        client.Send(text + body);
        const std::string raw = client.Answer();
        Answer answer;
        answer.status = raw.size() > 12 ? std::stoi(raw.substr(9, 3)) : 0;
        const auto end = std::min(raw.find("\r\n\r\n"), raw.size());
        answer.head = raw.substr(0, end);
        answer.body = json::parse(raw.substr(std::min(end + 4, raw.size())), nullptr, false);
        return answer;
    }
    std::string Token(const std::vector<std::string>& roles,
                      const std::string& audience = "operators", std::int64_t life_s = 600,
                      const jwt::Signer* signer = nullptr) const {
        const std::int64_t now_s = ToMicros(SystemClock().Now()) / 1'000'000;
        const json claims{{"iss", "https://issuer.example"},
                          {"aud", audience},
                          {"sub", "o-1"},
                          {"iat", now_s - 3'600},
                          {"exp", now_s + life_s},
                          {"roles", roles}};
        return (signer == nullptr ? signer_ : *signer).Sign(claims.dump());
    }

 private:
    static net::Task<http::Response> AnswerNothing(const transport::RequestScope&) {
        http::Response response;
        response.body = "{}";
        co_return response;
    }
    app::TrustedIssuer Trusted() const {
        app::TrustedIssuer trusted;
        trusted.expected.issuer = "https://issuer.example";
        trusted.expected.audience = "operators";
        trusted.keys = std::make_shared<transport::FixedIssuerKeys>(
            jwt::KeySet::Parse(signer_.Jwks()).value());
        return trusted;
    }
    void AddRoutes() {
        const auto bind = [this](auto method) -> transport::ApiHandler {
            return [this, method](const transport::RequestScope& scope) {
                return (api_.*method)(scope);
            };
        };
        const transport::ApiHandlers handlers{
            {"operator_putMerchant", bind(&Api::PutMerchant)},
            {"operator_getMerchant", bind(&Api::GetMerchant)},
            {"operator_issueCredential", bind(&Api::IssueCredential)},
            {"operator_listCredentials", bind(&Api::ListCredentials)},
            {"operator_revokeCredential", bind(&Api::RevokeCredential)},
            {"operator_putWebhookEndpoint", bind(&Api::PutWebhookEndpoint)},
            {"operator_deleteWebhookEndpoint", bind(&Api::DeleteWebhookEndpoint)},
            {"operator_testWebhookEndpoint", bind(&Api::TestWebhookEndpoint)},
            {"operator_listWebhookDeliveries", bind(&Api::ListWebhookDeliveries)},
            {"operator_getWebhookAttempts", bind(&Api::GetWebhookAttempts)},
            {"operator_redeliver", bind(&Api::Redeliver)},
            {"operator_getDay", bind(&Api::GetDay)},
            {"operator_closeDay", bind(&Api::CloseDay)},
            {"operator_republishEvents", bind(&Api::RepublishEvents)},
            // Of the other interfaces, for what the wrapper itself refuses.
            {"v2_getPaymentDetail", AnswerNothing},
            {"v2_createDynamicQRCode", AnswerNothing},
            {"app_topUp", AnswerNothing},
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
            route.handler = wrapper_.Wrap(spec, found->second);
            EXPECT_OK(router_.Add(std::move(route)));
        }
    }

    net::Loop loop_{"test"};
    rpc::WorkerPool workers_;
    CountedIds ids_;

 protected:
    FakeCredentialStore store_;
    FakeWebhookStore webhooks_;
    FakePaymentGateway payments_;
    BudgetLimiter limiter_;
    jwt::Signer signer_;

 private:
    const app::RoleScopes roles_{
        {"admin",
         {"merchant:read", "merchant:write", "credential:read", "credential:write", "webhook:read",
          "webhook:write", "day:read", "day:close", "event:republish"}},
        {"viewer", {"merchant:read", "webhook:read"}}};
    app::AuthenticateBearer bearer_;
    app::AuthenticateOperator operators_;
    transport::PerLoop<app::RateLimiter> limiters_;
    transport::PerLoop<app::AuthenticateOperator> authenticators_;
    metrics::Registry registry_;
    transport::HttpTelemetry telemetry_;
    tracing::Tracer tracer_;
    transport::ApiWrapper wrapper_;
    transport::OperatorApi api_;
    http::Router router_;
    http::ServerObserver server_observer_;
    std::unique_ptr<http::Server> server_;
};

const std::string kMerchant = "/operator/v1/merchants/501";
const std::string kHook = kMerchant + "/webhook-endpoints/shop";
const std::string kClose = "/operator/v1/days/2026-11-21/close";
const std::string kRepublish = "/operator/v1/events/republish";

TEST_F(OperatorApiTest, OnlyOperatorsWithTheScopeAreServed) {
    const auto other_key = jwt::Signer::Generate().value();
    const struct {
        std::string authorization;
        int status;
        const char* code;
    } cases[] = {
        {"none", 401, "TOKEN_MISSING"},
        {"Basic b3A6b3A=", 401, "TOKEN_MISSING"},
        {"Bearer ", 401, "TOKEN_MISSING"},
        {"Bearer not.a.token", 401, "TOKEN_MALFORMED"},
        {"Bearer " + std::string(9'000, 'a'), 401, "TOKEN_MALFORMED"},
        {"Bearer " + Token({"admin"}, "operators", 600, &other_key), 401, "TOKEN_KEY_UNKNOWN"},
        {"Bearer " + Token({"admin"}) + "A", 401, "TOKEN_SIGNATURE_WRONG"},
        {"Bearer " + Token({"admin"}, "operators", -60), 401, "TOKEN_EXPIRED"},
        // An app user's token is for another audience.
        {"Bearer " + Token({"admin"}, "app"), 401, "TOKEN_NOT_FOR_US"},
        {"Bearer " + Token({}), 403, "SCOPE_MISSING"},
        {"Bearer " + Token({"viewer"}), 403, "SCOPE_MISSING"},
        {"Bearer " + Token({"merchant:write", "Admin", "root"}), 403, "SCOPE_MISSING"},
    };
    for (const auto& given : cases) {
        const Answer answer = Send("PUT", kMerchant, R"({"name":"Shop"})", given.authorization);
        EXPECT_EQ(answer.status, given.status) << given.authorization;
        EXPECT_EQ(answer.code(), given.code) << given.authorization;
    }
    EXPECT_EQ(payments_.caller, nullptr);
    EXPECT_EQ(Send("GET", kMerchant, {}, "Bearer " + Token({"viewer"})).status, 200);
    EXPECT_EQ(Send("PUT", kMerchant, R"({"name":"Shop"})").status, 200);
    ASSERT_NE(payments_.caller, nullptr);
    EXPECT_EQ(payments_.caller->subject, "o-1");
    EXPECT_EQ(payments_.caller->role, auth::Role::kOperator);
}

TEST_F(OperatorApiTest, BadInputIsRefusedByNameAndChangesNothing) {
    const std::string credentials = kMerchant + "/credentials";
    const auto named = [](const std::string& name) { return R"({"name":)" + name + "}"; };
    const auto hook = [](const std::string& url) { return R"({"url":")" + url + R"("})"; };
    const struct {
        std::string method, target, body;
        int status;
        const char* code;
    } cases[] = {
        // Ids of the path
        {"PUT", "/operator/v1/merchants/0", named(R"("x")"), 404, "MERCHANT_UNKNOWN"},
        {"PUT", "/operator/v1/merchants/-1", named(R"("x")"), 404, "MERCHANT_UNKNOWN"},
        {"PUT", "/operator/v1/merchants/1e3", named(R"("x")"), 404, "MERCHANT_UNKNOWN"},
        {"PUT", "/operator/v1/merchants/9223372036854775808", named(R"("x")"), 404,
         "MERCHANT_UNKNOWN"},
        {"GET", "/operator/v1/merchants/1%20OR%201=1", "", 404, "MERCHANT_UNKNOWN"},
        {"GET", "/operator/v1/nowhere", "", 404, "PATH_UNKNOWN"},
        {"POST", kMerchant, named(R"("x")"), 405, "METHOD_NOT_ALLOWED"},
        // A merchant
        {"PUT", kMerchant, "", 400, "BODY_MALFORMED"},
        {"PUT", kMerchant, "{", 400, "BODY_MALFORMED"},
        {"PUT", kMerchant, "[]", 400, "BODY_MALFORMED"},
        {"PUT", kMerchant, R"({"name":"a","name":"b"})", 400, "BODY_MALFORMED"},
        {"PUT", kMerchant, "{\"name\":\"\xff\xfe\"}", 400, "BODY_MALFORMED"},
        {"PUT", kMerchant, named(R"("a\u0000b")"), 400, "BODY_MALFORMED"},
        {"PUT", kMerchant, std::string(1'000, '['), 400, "BODY_MALFORMED"},
        {"PUT", kMerchant, named('"' + std::string(9'000, 'x') + '"'), 413, "BODY_TOO_LARGE"},
        {"PUT", kMerchant, "{}", 400, "FIELD_MISSING"},
        {"PUT", kMerchant, named("null"), 400, "FIELD_MISSING"},
        {"PUT", kMerchant, named("7"), 400, "FIELD_MALFORMED"},
        {"PUT", kMerchant, named(R"("a\u0007")"), 400, "FIELD_MALFORMED"},
        {"PUT", kMerchant, named('"' + std::string(256, 'x') + '"'), 400, "FIELD_MALFORMED"},
        {"PUT", kMerchant, R"({"name":"x","suspended":"no"})", 400, "FIELD_MALFORMED"},
        {"PUT", kMerchant, R"({"name":"x","suspendet":true})", 400, "FIELD_UNKNOWN"},
        // A credential
        {"POST", credentials, R"({"scope":["codes"]})", 400, "FIELD_UNKNOWN"},
        {"POST", credentials, R"({"scopes":"codes"})", 400, "FIELD_MALFORMED"},
        {"POST", credentials, R"({"scopes":["codes","' OR 1=1 --"]})", 400, "SCOPE_UNKNOWN"},
        {"POST", credentials, R"({"assumableMerchantIds":["0"]})", 400, "FIELD_MALFORMED"},
        {"POST", credentials, R"({"requestsPerSecond":0})", 400, "FIELD_MALFORMED"},
        {"POST", credentials, R"({"requestsPerSecond":1.5})", 400, "FIELD_MALFORMED"},
        {"POST", credentials, R"({"requestsPerSecond":99999999999999999999})", 400,
         "BODY_MALFORMED"},
        {"DELETE", credentials + "/ak_none", "", 404, "CREDENTIAL_UNKNOWN"},
        {"DELETE", credentials + "/%27%3B--", "", 404, "CREDENTIAL_UNKNOWN"},
        // A webhook endpoint
        {"PUT", kMerchant + "/webhook-endpoints/a%2Fb", hook("https://shop.example/"), 400,
         "FIELD_MALFORMED"},
        {"PUT", kHook, "{}", 400, "FIELD_MISSING"},
        {"PUT", kHook, hook("shop.example"), 400, "URL_MALFORMED"},
        {"PUT", kHook, hook("https://user:pw@shop.example/"), 400, "URL_MALFORMED"},
        {"PUT", kHook, hook("file:///etc/passwd"), 400, "URL_MALFORMED"},
        {"PUT", kHook, hook("http://shop.example/"), 400, "FIELD_MALFORMED"},
        {"PUT", kHook, hook("https://127.0.0.1/"), 400, "ADDRESS_REFUSED"},
        {"PUT", kHook, hook("https://10.1.2.3/"), 400, "ADDRESS_REFUSED"},
        {"PUT", kHook, hook("https://169.254.169.254/latest/"), 400, "ADDRESS_REFUSED"},
        {"PUT", kHook, hook("https://[::1]/"), 400, "ADDRESS_REFUSED"},
        {"PUT", kHook, hook("https://[::ffff:192.168.0.1]/"), 400, "ADDRESS_REFUSED"},
        {"PUT", kHook, hook("https://shop.example/" + std::string(2'048, 'x')), 400,
         "FIELD_MALFORMED"},
        {"PUT", kHook, R"({"url":"https://shop.example/","enabled":1})", 400, "FIELD_MALFORMED"},
        {"PUT", kHook, R"({"url":"https://shop.example/","enable":false})", 400, "FIELD_UNKNOWN"},
        {"DELETE", kHook, "", 404, "ENDPOINT_UNKNOWN"},
        {"POST", kHook + "/test", "", 404, "ENDPOINT_UNKNOWN"},
        {"GET", kHook + "/deliveries?state=LOST", "", 400, "FIELD_MALFORMED"},
        {"GET", kHook + "/deliveries?pageToken=-1", "", 400, "PAGE_TOKEN_INVALID"},
        {"GET", kHook + "/deliveries?pageToken=" + std::string(257, '1'), "", 400,
         "PAGE_TOKEN_INVALID"},
        {"GET", kHook + "/deliveries?pageSize=0", "", 400, "FIELD_MALFORMED"},
        {"GET", kHook + "/deliveries?pageSize=201", "", 400, "FIELD_MALFORMED"},
        {"GET", kHook + "/deliveries?pageSize=5x", "", 400, "FIELD_MALFORMED"},
        {"GET", kHook + "/deliveries?pageSize=200", "", 404, "ENDPOINT_UNKNOWN"},
        {"GET", kHook + "/deliveries", "", 404, "ENDPOINT_UNKNOWN"},
        {"GET", "/operator/v1/webhook-deliveries/x/attempts", "", 404, "DELIVERY_UNKNOWN"},
        {"POST", "/operator/v1/webhook-deliveries/7/redeliver", "", 404, "DELIVERY_UNKNOWN"},
        // A day
        {"GET", "/operator/v1/days/2026-02-30", "", 400, "FIELD_MALFORMED"},
        {"GET", "/operator/v1/days/20261122", "", 400, "FIELD_MALFORMED"},
        {"POST", "/operator/v1/days/today/close", "", 400, "FIELD_MALFORMED"},
        {"POST", kClose, R"({"early":"yes"})", 400, "FIELD_MALFORMED"},
        {"POST", kClose, R"({"erly":true})", 400, "FIELD_UNKNOWN"},
        // Events
        {"POST", kRepublish, "", 400, "BODY_MALFORMED"},
        {"POST", kRepublish, R"({"changes":[{"objectId":"7","version":1}]})", 400, "FIELD_MISSING"},
        {"POST", kRepublish, R"({"changes":[],"reason":"r"})", 400, "FIELD_MALFORMED"},
        {"POST", kRepublish, R"({"changes":["7/1"],"reason":"r"})", 400, "FIELD_MALFORMED"},
        {"POST", kRepublish, R"({"changes":[{"objectId":"7"}],"reason":"r"})", 400,
         "FIELD_MISSING"},
        {"POST", kRepublish, R"({"changes":[{"objectId":"7","version":0}],"reason":"r"})", 400,
         "FIELD_MALFORMED"},
        {"POST", kRepublish, R"({"changes":[{"objectId":"-7","version":1}],"reason":"r"})", 400,
         "FIELD_MALFORMED"},
        {"POST", kRepublish, R"({"changes":[{"objectId":"7","version":1,"x":1}],"reason":"r"})",
         400, "FIELD_UNKNOWN"},
        {"POST", kRepublish,
         R"({"changes":[{"objectId":"7","version":1},{"objectId":7,"version":1}],"reason":"r"})",
         400, "FIELD_MALFORMED"},
    };
    for (const auto& given : cases) {
        const std::string what = given.method + " " + given.target + " " + given.body.substr(0, 60);
        const Answer answer = Send(given.method, given.target, given.body);
        EXPECT_EQ(answer.status, given.status) << what;
        EXPECT_EQ(answer.code(), given.code) << what;
        EXPECT_THAT(answer.head, HasSubstr("application/problem+json")) << what;
        EXPECT_FALSE(answer.body.value("requestId", "").empty()) << what;
    }
    EXPECT_THAT(store_.credentials, IsEmpty());
    EXPECT_THAT(webhooks_.endpoints, IsEmpty());
    EXPECT_EQ(webhooks_.deliveries, 0);
    EXPECT_THAT(payments_.republished, IsEmpty());
}

TEST_F(OperatorApiTest, ADayIsClosedEarlyOnlyWhenTheRequestSaysSo) {
    EXPECT_EQ(Send("POST", kClose).status, 200);
    EXPECT_FALSE(payments_.closed_early);
    EXPECT_EQ(Send("POST", kClose, R"({"early":false})").status, 200);
    EXPECT_FALSE(payments_.closed_early);
    EXPECT_EQ(Send("POST", kClose, R"({"early":true})").status, 200);
    EXPECT_TRUE(payments_.closed_early);

    payments_.refusal = Status(Code::kFailedPrecondition, "DAY_NOT_OVER", "it is 2026-11-21");
    const Answer refused = Send("POST", kClose);
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(refused.code(), "DAY_NOT_OVER");
}

TEST_F(OperatorApiTest, EventsArePublishedAgainByTheirNames) {
    const Answer answer = Send("POST", kRepublish,
                               R"({"changes":[{"objectId":"7","version":1},
                                   {"objectId":"8","version":3}],"reason":"missed"})");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body["published"], 2);
    EXPECT_EQ(payments_.republished,
              (std::vector<domain::ChangeName>{{.object_id = 7, .version = 1},
                                               {.object_id = 8, .version = 3}}));
    EXPECT_EQ(Send("POST", kRepublish, "{}", "Bearer " + Token({"viewer"})).code(),
              "SCOPE_MISSING");
}

// Goal: the log tells who did what, and what became of it, of what was done and of what was
// refused. Method: the process's log goes into a file while both happen.
TEST_F(OperatorApiTest, TheAuditTrailHasTheOutcome) {
    std::FILE* const file = std::tmpfile();
    ASSERT_NE(file, nullptr);
    const std::string wish = R"({"changes":[{"objectId":"7","version":1}],"reason":"missed"})";
    {
        const log::Output output("gateway", {}, ::fileno(file));
        EXPECT_EQ(Send("POST", kRepublish, wish).status, 200);
        payments_.refusal = Status(Code::kNotFound, "CHANGE_UNKNOWN", "1 of the changes");
        EXPECT_EQ(Send("POST", kRepublish, wish).status, 404);
    }
    std::rewind(file);
    std::vector<json> lines;
    std::array<char, 16'384> line;
    while (std::fgets(line.data(), line.size(), file) != nullptr) {
        const json parsed = json::parse(line.data());
        if (parsed["event"] == "operator.action") lines.push_back(parsed);
    }
    std::fclose(file);
    ASSERT_EQ(lines.size(), 2u);
    for (const json& parsed : lines) {
        EXPECT_EQ(parsed["action"], "events.republish");
        EXPECT_EQ(parsed["operator"], "o-1");
        EXPECT_EQ(parsed["object"], "7/1");
        EXPECT_EQ(parsed["why"], "missed");
        EXPECT_FALSE(parsed["request_id"].get<std::string>().empty());
    }
    EXPECT_EQ(lines[0]["outcome"], "DONE");
    EXPECT_EQ(lines[1]["outcome"], "NOT_FOUND");
    EXPECT_EQ(lines[1]["cause"], "CHANGE_UNKNOWN: 1 of the changes");
}

TEST_F(OperatorApiTest, OnlyPartnersMaySendWhatIsNotDeclaredAsJson) {
    const std::string body = R"({"name":"Shop"})";
    const auto put = [&](const std::string& content_type) {
        return Send("PUT", kMerchant, body, {}, {}, content_type);
    };
    for (const char* type : {"application/json", "application/json; charset=utf-8",
                             "Application/JSON ;charset=UTF-8"}) {
        EXPECT_EQ(put(type).status, 200) << type;
        EXPECT_EQ(Send("POST", "/app/v1/top-ups", body, "none", {}, type).status, 200) << type;
    }
    for (const char* type :
         {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
          "application/jsonp", "text/plain; application/json"}) {
        EXPECT_EQ(put(type).status, 415) << type;
        EXPECT_EQ(put(type).code(), "CONTENT_TYPE_UNSUPPORTED") << type;
        const Answer app = Send("POST", "/app/v1/top-ups", body, "none", {}, type);
        EXPECT_EQ(app.status, 415) << type;
        EXPECT_EQ(app.code(), "CONTENT_TYPE_UNSUPPORTED") << type;
        // The type is in what a partner signs; some SDKs name none that is JSON's.
        EXPECT_EQ(Send("POST", "/v2/codes", body, "none", {}, type).status, 200) << type;
    }
    // Without a body there is nothing to declare.
    EXPECT_EQ(Send("POST", kClose, {}, {}, {}, "").status, 200);
}

TEST_F(OperatorApiTest, SecretsAreShownOnceAndMarkupIsEscaped) {
    const Answer issued = Send("POST", kMerchant + "/credentials", R"({"scopes":["codes"]})");
    ASSERT_EQ(issued.status, 201);
    EXPECT_FALSE(issued.body["apiSecret"].get<std::string>().empty());
    EXPECT_THAT(issued.head, HasSubstr("no-store"));
    const Answer listed = Send("GET", kMerchant + "/credentials");
    ASSERT_EQ(listed.body["credentials"].size(), 1u);
    EXPECT_FALSE(listed.body["credentials"][0].contains("apiSecret"));

    const Answer put = Send("PUT", kMerchant, R"({"name":"<script>alert(1)</script>'; DROP"})");
    EXPECT_EQ(put.body["name"], "<script>alert(1)</script>'; DROP");
}

TEST_F(OperatorApiTest, AnAddressThatAsksTooOftenIsToldSoInTheInterfacesForm) {
    limiter_.budget = 2;
    const std::string partner = "/v2/payments/order-1";
    const std::string one = "198.51.100.7";
    EXPECT_EQ(Send("GET", partner, {}, "none", one).status, 200);
    EXPECT_EQ(Send("GET", kMerchant, {}, {}, one).status, 200);
    const Answer by_contract = Send("GET", partner, {}, "none", one);
    EXPECT_EQ(by_contract.status, 429);
    EXPECT_EQ(by_contract.body["resultInfo"]["code"], "RATE_LIMIT");
    EXPECT_EQ(by_contract.body["resultInfo"]["codeId"], "08100998");
    EXPECT_THAT(by_contract.head, HasSubstr("Retry-After: 1"));
    // Before it is asked who calls: a flood of bad tokens costs no verification.
    const Answer problem = Send("GET", kMerchant, {}, "none", one);
    EXPECT_EQ(problem.status, 429);
    EXPECT_EQ(problem.code(), "RATE_LIMITED");
    EXPECT_THAT(problem.head, HasSubstr("Retry-After: 1"));

    // Others are not in its way; all of an IPv6 /64 is one of them.
    EXPECT_EQ(Send("GET", partner, {}, "none", "198.51.100.8").status, 200);
    EXPECT_EQ(Send("GET", partner, {}, "none", "2001:db8:0:1::1").status, 200);
    EXPECT_EQ(Send("GET", partner, {}, "none", "2001:db8:0:1:ffff::2").status, 200);
    EXPECT_EQ(Send("GET", partner, {}, "none", "2001:db8:0:1::3").status, 429);
    EXPECT_EQ(Send("GET", partner, {}, "none", "2001:db8:0:2::1").status, 200);
}

// Goal: who is refused only because somebody else is at it learns that asking again helps; who is
// refused for good does not.
TEST(ProblemTest, WhatMayBeTriedAgainSaysWhen) {
    const auto retry_after = [](Code code, std::string_view reason) {
        const http::Response response =
            transport::Problem(Status(code, reason, "until 12:00"), "r-1");
        for (const auto& [name, value] : response.fields) {
            if (name == "Retry-After") return std::to_string(response.status) + " " + value;
        }
        return std::to_string(response.status);
    };
    EXPECT_EQ(retry_after(Code::kAborted, "RELEASE_RUNNING"), "409 1");
    EXPECT_EQ(retry_after(Code::kResourceExhausted, "RATE_LIMITED"), "429 1");
    EXPECT_EQ(retry_after(Code::kUnavailable, "STOPPING"), "503 1");
    EXPECT_EQ(retry_after(Code::kFailedPrecondition, "DAY_OPEN"), "409");
    EXPECT_EQ(retry_after(Code::kNotFound, "DAY_UNKNOWN"), "404");
    EXPECT_THAT(
        transport::Problem(Status(Code::kAborted, "RELEASE_RUNNING", "until 12:00"), "r-1").body,
        HasSubstr("until 12:00"));
}

}  // namespace
}  // namespace kessai::gateway
