#pragma once

#include <string>

#include "app/authenticate_bearer.h"
#include "kessai/http/message.h"
#include "kessai/jwt/jwt.h"
#include "kessai/net/task.h"
#include "kessai/time/clock.h"
#include "transport/request_scope.h"

namespace kessai::gateway::transport {

/// An issuer of tokens for development and tests: gives anybody a token for any subject, so it must
/// never run where money is real.
class DevIssuerApi {
 public:
    struct Options {
        std::string issuer = "https://dev-issuer.kessai.invalid";
        std::string app_audience;
        std::string operator_audience;
        Duration token_life = std::chrono::hours(12);
    };

    DevIssuerApi(Options options, jwt::Signer signer, const Clock& clock);

    net::Task<http::Response> AppToken(const RequestScope& scope) const;
    net::Task<http::Response> OperatorToken(const RequestScope& scope) const;
    net::Task<http::Response> Keys(const RequestScope& scope) const;

 private:
    http::Response Answer(const std::string& subject, const std::vector<std::string>& roles,
                          const std::string& audience) const;

    const Options options_;
    const jwt::Signer signer_;
    const Clock& clock_;
};

/// Keys that never change: those of an issuer in this process.
class FixedIssuerKeys final : public app::IssuerKeys {
 public:
    explicit FixedIssuerKeys(jwt::KeySet keys) : keys_(std::move(keys)) {}
    jwt::KeySet Current() const override { return keys_; }
    std::uint64_t generation() const override { return 1; }

 private:
    const jwt::KeySet keys_;
};

}  // namespace kessai::gateway::transport
