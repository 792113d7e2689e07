// Goal: an issuer's keys are there soon after they are needed, an issuer that rotates them is
// followed, and one that is down or talks nonsense changes nothing.
// Method: the real source and verification against an issuer of the test's own, over HTTP.

#include "transport/jwks_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <vector>

#include "app/authenticate_bearer.h"
#include "kessai/http/server.h"
#include "kessai/jwt/jwt.h"
#include "kessai/net/run.h"
#include "kessai/testing/eventually.h"
#include "kessai/testing/matchers.h"
#include "transport/routes.h"

namespace kessai::gateway {
namespace {

using namespace std::chrono_literals;
using testing::IsOk;
using testing::Refuses;
using transport::JwksSource;

/// Serves what a test says at /jwks.
class Issuer {
 public:
    explicit Issuer(std::uint16_t port = 0) : loop_("issuer"), router_(transport::MakeFamilies()) {
        http::Route route;
        route.name = "jwks";
        route.path = "/jwks";
        route.family = &router_.FamilyOf("/jwks");
        route.handler = [this](const http::Request&) -> net::Task<http::Response> {
            const std::lock_guard lock(mutex_);
            asked_at_.push_back(SystemClock().SteadyNow());
            http::Response response;
            response.status = status_;
            response.body = document_;
            co_return response;
        };
        EXPECT_OK(router_.Add(std::move(route)));
        loop_.Start();
        server_ = std::make_unique<http::Server>(http::Server::Options{}, router_,
                                                 std::vector<net::Loop*>{&loop_}, observer_);
        EXPECT_OK(server_->Listen("127.0.0.1", port));
    }
    ~Issuer() {
        EXPECT_TRUE(server_->Drain(10s));
        loop_.Stop();
    }
    void Serve(std::string document, int status = 200) {
        const std::lock_guard lock(mutex_);
        document_ = std::move(document);
        status_ = status;
    }
    std::vector<SteadyInstant> asked_at() const {
        const std::lock_guard lock(mutex_);
        return asked_at_;
    }
    std::uint16_t port() const { return server_->port(); }

 private:
    net::Loop loop_;
    http::Router router_;
    http::ServerObserver observer_;
    std::unique_ptr<http::Server> server_;
    mutable std::mutex mutex_;
    std::string document_;
    int status_ = 200;
    std::vector<SteadyInstant> asked_at_;
};

class JwksSourceTest : public ::testing::Test {
 protected:
    JwksSourceTest() : loop_("outbound"), client_(loop_, {}) { loop_.Start(); }
    ~JwksSourceTest() override {
        net::RunOn(loop_, [this]() -> net::Task<void> {
            if (source_) co_await source_->Stop();
            client_.Close();
        });
        loop_.Stop();
    }

    void Follow(std::uint16_t port) {
        JwksSource::Options options;
        options.url =
            http::Url::Parse("http://127.0.0.1:" + std::to_string(port) + "/jwks").value();
        options.refresh = 1h;
        options.pause = 200ms;
        options.retry = 50ms;
        options.timeout = 2s;
        source_ =
            std::make_shared<JwksSource>(options, loop_, client_, [this](const Status& outcome) {
                const std::lock_guard lock(mutex_);
                outcomes_.push_back(outcome);
            });
        app::TrustedIssuer trusted;
        trusted.expected.issuer = "https://issuer.example";
        trusted.expected.audience = "kessai";
        trusted.keys = source_;
        bearer_ = std::make_unique<app::AuthenticateBearer>(std::vector{trusted}, SystemClock(),
                                                            app::AuthenticateBearer::Options{});
        source_->Start();
    }
    Status Verify(const std::string& token) { return bearer_->Run("Bearer " + token).status(); }
    std::size_t failures() const {
        const std::lock_guard lock(mutex_);
        std::size_t count = 0;
        for (const Status& outcome : outcomes_) count += outcome.ok() ? 0 : 1;
        return count;
    }

    static std::string TokenBy(const jwt::Signer& signer) {
        const std::int64_t now_s = ToMicros(SystemClock().Now()) / 1'000'000;
        return signer.Sign(R"({"iss":"https://issuer.example","aud":"kessai","sub":"u","iat":)" +
                           std::to_string(now_s) + R"(,"exp":)" + std::to_string(now_s + 600) +
                           "}");
    }

    net::Loop loop_;
    http::Client client_;
    std::shared_ptr<JwksSource> source_;
    std::unique_ptr<app::AuthenticateBearer> bearer_;
    mutable std::mutex mutex_;
    std::vector<Status> outcomes_;
};

TEST_F(JwksSourceTest, KeysAreFetchedAtTheStart) {
    const auto signer = jwt::Signer::Generate().value();
    Issuer issuer;
    issuer.Serve(signer.Jwks());
    Follow(issuer.port());
    ASSERT_EVENTUALLY(source_->has_keys());
    EXPECT_THAT(Verify(TokenBy(signer)), IsOk());
    EXPECT_THAT(Verify(TokenBy(jwt::Signer::Generate().value())),
                Refuses(Code::kUnauthenticated, "TOKEN_KEY_UNKNOWN"));
}

TEST_F(JwksSourceTest, ARotatedKeyIsFetchedWhenATokenNamesIt) {
    const auto old_key = jwt::Signer::Generate().value();
    const auto new_key = jwt::Signer::Generate().value();
    Issuer issuer;
    issuer.Serve(old_key.Jwks());
    Follow(issuer.port());
    ASSERT_EVENTUALLY(source_->has_keys());
    const std::string old_token = TokenBy(old_key);
    ASSERT_THAT(Verify(old_token), IsOk());

    issuer.Serve(new_key.Jwks());
    // The next refresh is an hour away: it is the token that has the keys fetched.
    const std::string new_token = TokenBy(new_key);
    EXPECT_THAT(Verify(new_token), Refuses(Code::kUnauthenticated, "TOKEN_KEY_UNKNOWN"));
    ASSERT_EVENTUALLY(Verify(new_token).ok());
    // What was remembered under the key that is gone is verified again.
    EXPECT_THAT(Verify(old_token), Refuses(Code::kUnauthenticated, "TOKEN_KEY_UNKNOWN"));
    EXPECT_EQ(source_->generation(), 2u);
}

TEST_F(JwksSourceTest, UnknownKeysCanNotFloodTheIssuer) {
    Issuer issuer;
    issuer.Serve(jwt::Signer::Generate().value().Jwks());
    Follow(issuer.port());
    ASSERT_EVENTUALLY(source_->has_keys());
    const std::string stranger = TokenBy(jwt::Signer::Generate().value());
    ASSERT_EVENTUALLY(!Verify(stranger).ok() && issuer.asked_at().size() >= 4);
    const auto asked = issuer.asked_at();
    for (std::size_t i = 1; i < asked.size(); ++i) {
        EXPECT_GE(asked[i] - asked[i - 1], 150ms) << i;
    }
    EXPECT_EQ(source_->generation(), 1u);  // the same document is no rotation
}

TEST_F(JwksSourceTest, AnIssuerThatIsDownAtTheStartIsTriedAgain) {
    const auto signer = jwt::Signer::Generate().value();
    std::uint16_t port = 0;
    {
        const Issuer gone;
        port = gone.port();
    }
    Follow(port);
    ASSERT_EVENTUALLY(failures() >= 2);
    EXPECT_FALSE(source_->has_keys());
    EXPECT_THAT(Verify(TokenBy(signer)), Refuses(Code::kUnauthenticated, "TOKEN_KEY_UNKNOWN"));
    Issuer issuer(port);
    issuer.Serve("not found", 404);
    ASSERT_EVENTUALLY(!issuer.asked_at().empty());
    issuer.Serve(R"({"keys":[]})");
    ASSERT_EVENTUALLY(issuer.asked_at().size() >= 4);
    EXPECT_FALSE(source_->has_keys());
    issuer.Serve(signer.Jwks());
    ASSERT_EVENTUALLY(Verify(TokenBy(signer)).ok());
}

TEST_F(JwksSourceTest, KeysStayInUseWhileTheIssuerFails) {
    const auto signer = jwt::Signer::Generate().value();
    const std::string token = TokenBy(signer);
    const std::string stranger = TokenBy(jwt::Signer::Generate().value());
    auto issuer = std::make_unique<Issuer>();
    issuer->Serve(signer.Jwks());
    Follow(issuer->port());
    ASSERT_EVENTUALLY(Verify(token).ok());
    // Asked again, it fails in one way after the other.
    const auto fails_once_more = [&] {
        const std::size_t before = failures();
        return testing::Eventually([&] {
            (void)Verify(stranger);
            return failures() > before;
        });
    };
    for (const auto& [document, status] : {std::pair<std::string, int>("oops", 500),
                                           {"{\"keys\":", 200},
                                           {R"({"keys":[]})", 200},
                                           {std::string(100'000, ' '), 200}}) {
        issuer->Serve(document, status);
        ASSERT_TRUE(fails_once_more()) << document.substr(0, 20);
        EXPECT_THAT(Verify(token), IsOk());
    }
    issuer.reset();
    ASSERT_TRUE(fails_once_more());
    EXPECT_THAT(Verify(token), IsOk());
    EXPECT_EQ(source_->generation(), 1u);
}

}  // namespace
}  // namespace kessai::gateway
