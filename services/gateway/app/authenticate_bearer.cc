#include "app/authenticate_bearer.h"

#include <utility>

namespace kessai::gateway::app {

namespace {

/// "Bearer" is compared without case (RFC 9110), the token as it is.
std::string_view TokenOf(std::string_view authorization) {
    constexpr std::string_view kScheme = "bearer ";
    if (authorization.size() <= kScheme.size()) return {};
    for (std::size_t i = 0; i < kScheme.size(); ++i) {
        const char c = authorization[i];
        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != kScheme[i]) return {};
    }
    return authorization.substr(kScheme.size());
}

}  // namespace

AuthenticateBearer::AuthenticateBearer(std::vector<TrustedIssuer> issuers, const Clock& clock,
                                       Options options)
    : issuers_(std::move(issuers)), clock_(clock), options_(options) {}

Result<std::shared_ptr<BearerIdentity>> AuthenticateBearer::Run(std::string_view authorization) {
    const std::string_view token = TokenOf(authorization);
    if (token.empty()) {
        return Status(Code::kUnauthenticated, "TOKEN_MISSING", "a bearer token is needed");
    }
    const Instant now = clock_.Now();
    if (const auto found = tokens_.find(token); found != tokens_.end()) {
        const Entry& entry = found->second;
        if (now < entry.identity->expires_at &&
            entry.generation == entry.issuer->keys->generation()) {
            return entry.identity;
        }
        tokens_.erase(found);
    }
    Status refusal(Code::kUnauthenticated, "TOKEN_NOT_FOR_US", "no issuer is trusted");
    for (const TrustedIssuer& issuer : issuers_) {
        const std::uint64_t generation = issuer.keys->generation();
        auto claims = jwt::Verifier::Verify(token, issuer.keys->Current(), issuer.expected, now);
        if (!claims.ok()) {
            if (claims.status().reason() == "TOKEN_KEY_UNKNOWN") issuer.keys->AskAgain();
            // What an issuer that knows the key says is worth more than that others don't.
            if (claims.status().reason() != "TOKEN_KEY_UNKNOWN" ||
                refusal.reason() == "TOKEN_NOT_FOR_US") {
                refusal = claims.status();
            }
            continue;
        }
        auto identity = std::make_shared<BearerIdentity>();
        identity->issuer = std::move(claims->issuer);
        identity->subject = std::move(claims->subject);
        identity->expires_at = claims->expires_at;
        identity->roles = std::move(claims->roles);
        if (tokens_.size() >= options_.tokens_max) tokens_.erase(tokens_.begin());
        // Within the leeway after its end a token is taken, and verified each time.
        if (now < identity->expires_at) {
            tokens_.emplace(std::string(token), Entry{identity, &issuer, generation});
        }
        return identity;
    }
    return refusal;
}

}  // namespace kessai::gateway::app
