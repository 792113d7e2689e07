#include "app/authenticate_partner.h"

#include <string>

#include "domain/partner_contract.h"
#include "domain/text_rules.h"

namespace kessai::gateway::app {

namespace {

constexpr std::size_t kKeyLengthMax = 128;

/// `why` and the key that was claimed are for the log: the caller is never told.
Status Unauthorized(std::string why, std::string_view api_key = {}) {
    if (!api_key.empty()) why.append(", key ").append(api_key.substr(0, kKeyLengthMax));
    return {Code::kUnauthenticated, domain::reason::kUnauthorized, std::move(why)};
}

/// 32 bits of the mac, which nobody without the secret can know before.
std::uint32_t SaltOf(std::string_view mac) {
    std::uint32_t salt = 2'166'136'261;
    for (const char c : mac) salt = (salt ^ static_cast<unsigned char>(c)) * 16'777'619;
    return salt != 0 ? salt : 1;
}

}  // namespace

AuthenticatePartner::AuthenticatePartner(CredentialCache& credentials, NonceMemory& nonces,
                                         RateLimiter& limiter, Rate default_rate,
                                         const Clock& clock,
                                         PartnerAuthenticationObserver& observer)
    : credentials_(credentials),
      nonces_(nonces),
      limiter_(limiter),
      default_rate_(default_rate),
      clock_(clock),
      observer_(observer) {}

net::Task<Result<Partner>> AuthenticatePartner::Run(const PartnerRequest& request) {
    const auto authorization = domain::ParseOpaAuthorization(request.authorization);
    if (!authorization) co_return Unauthorized("no OPA authorization");
    const std::string_view key = authorization->api_key;
    if (key.size() > kKeyLengthMax) co_return Unauthorized("no such key", key);
    if (!domain::IsWithinOpaWindow(authorization->epoch_s, clock_.Now())) {
        co_return Unauthorized("the epoch is too far from now", key);
    }
    auto found = co_await credentials_.Find(authorization->api_key);
    if (!found.ok()) co_return found.status();
    const std::shared_ptr<LoadedCredential> loaded = std::move(*found);
    if (!loaded) co_return Unauthorized("no such key", key);
    const domain::ApiCredential& credential = loaded->credential;
    if (!loaded->key.Verify(request.signed_request, *authorization)) {
        co_return Unauthorized("the signature is wrong", key);
    }
    if (credential.revoked) co_return Unauthorized("the key was revoked", key);
    if (!credential.AllowsClient(request.client)) {
        co_return Unauthorized("the client's address is not on the list", key);
    }
    std::int64_t merchant_id = credential.merchant_id;
    std::int64_t assumed = 0;
    if (!request.assume_merchant.empty()) {
        const auto named = domain::ParseId(request.assume_merchant);
        if (!named || !credential.MayActFor(*named)) {
            co_return Unauthorized("the key may not act for that merchant", key);
        }
        merchant_id = assumed = *named;
    }
    if (merchant_id == 0) co_return Unauthorized("no merchant was named", key);
    if (!credential.HasScope(request.scope)) {
        co_return Status(Code::kPermissionDenied, domain::reason::kOutOfScope,
                         "the key lacks the scope " + std::string(request.scope));
    }
    Rate rate = default_rate_;
    if (credential.requests_per_second > 0) {
        rate.per_second = static_cast<double>(credential.requests_per_second);
        rate.burst = rate.per_second;
    }
    if (!limiter_.Take(credential.api_key, rate)) {
        co_return Status(Code::kResourceExhausted, domain::reason::kRateLimited,
                         "the key's rate is used up");
    }
    const NonceVerdict nonce = co_await nonces_.Remember(
        credential.api_key, authorization->nonce, authorization->epoch_text, authorization->mac);
    observer_.OnNonce(nonce);
    if (nonce == NonceVerdict::kReused) co_return Unauthorized("the nonce was used before", key);

    Partner partner;
    partner.principal = loaded->PrincipalFor(merchant_id);
    partner.assumed_merchant_id = assumed;
    partner.request_salt = SaltOf(authorization->mac);
    co_return partner;
}

}  // namespace kessai::gateway::app
