#include "wiring/issuers.h"

#include <memory>
#include <string>
#include <utility>

#include "kessai/log/log.h"
#include "kessai/net/run.h"
#include "kessai/net/tls.h"
#include "transport/dev_issuer_api.h"
#include "transport/jwks_source.h"

namespace kessai::gateway::wiring {

Result<Outbound> BuildOutbound(const Options& options, runtime::Context& context) {
    auto& loop = context.Own(std::make_unique<net::Loop>("outbound"));
    http::Client::Options webhooks;
    KESSAI_ASSIGN_OR_RETURN(webhooks.tls, net::TlsClientContext::Create(options.webhooks.ca_file));
    if (!options.webhooks.allow_private_addresses) {
        webhooks.guard = [](const net::IpAddress& address) { return address.is_public(); };
    }
    webhooks.idle_per_host_max = options.webhooks.delivery.per_endpoint_max;
    http::Client::Options issuers;
    KESSAI_ASSIGN_OR_RETURN(issuers.tls, net::TlsClientContext::Create(options.issuers_ca_file));
    auto& webhook_client = context.Own(std::make_unique<http::Client>(loop, std::move(webhooks)));
    auto& issuer_client = context.Own(std::make_unique<http::Client>(loop, std::move(issuers)));
    context.Add({.name = "outbound",
                 .start = [&loop]() -> Status {
                     loop.Start();
                     return OkStatus();
                 },
                 .stop =
                     [&] {
                         net::RunOn(loop, [&]() -> net::Task<void> {
                             webhook_client.Close();
                             issuer_client.Close();
                             co_return;
                         });
                         loop.Stop();
                     }});
    return Outbound{loop, webhook_client, issuer_client};
}

namespace {

Result<app::TrustedIssuer> AddIssuer(const IssuerOptions& issuer, runtime::Context& context,
                                     Outbound& outbound, const char* which) {
    transport::JwksSource::Options wanted;
    KESSAI_ASSIGN_OR_RETURN(wanted.url, http::Url::Parse(issuer.jwks_url));
    const std::string name = std::string(which) + " issuer";
    auto keys = std::make_shared<transport::JwksSource>(
        std::move(wanted), outbound.loop, outbound.issuers, [name](const Status& outcome) {
            static log::Limit limit(std::chrono::seconds(10));
            if (!outcome.ok() && limit.Allow()) {
                log::Warn("gateway.issuer_keys", {{"issuer", name}, {"status", outcome}});
            }
        });
    context.Add({.name = name,
                 .start = [keys]() -> Status {
                     keys->Start();
                     return OkStatus();
                 },
                 .ready = [keys]() -> Status {
                     return keys->has_keys() ? OkStatus()
                                             : Status(Code::kUnavailable, "ISSUER_KEYS_MISSING",
                                                      "the issuer's keys were not fetched yet");
                 },
                 .stop =
                     [keys, &loop = outbound.loop] {
                         net::RunOn(loop, [&]() -> net::Task<void> { co_await keys->Stop(); });
                     }});
    app::TrustedIssuer trusted;
    trusted.expected.issuer = issuer.issuer;
    trusted.expected.audience = issuer.audience;
    trusted.expected.life_max = issuer.life_max;
    trusted.keys = std::move(keys);
    return trusted;
}

}  // namespace

Result<Issuers> BuildIssuers(const Options& options, runtime::Context& context, Outbound& outbound,
                             transport::ApiHandlers& handlers) {
    Issuers issuers;
    if (!options.app_auth.issuer.empty()) {
        KESSAI_ASSIGN_OR_RETURN(auto issuer, AddIssuer(options.app_auth, context, outbound, "app"));
        issuers.app.push_back(std::move(issuer));
    }
    if (!options.operator_auth.issuer.empty()) {
        KESSAI_ASSIGN_OR_RETURN(auto issuer,
                                AddIssuer(options.operator_auth, context, outbound, "operator"));
        issuers.operators.push_back(std::move(issuer));
    }
    auto signer = options.dev_issuer.key_file.empty()
                      ? jwt::Signer::Generate()
                      : jwt::Signer::FromFile(options.dev_issuer.key_file);
    if (!signer.ok()) return signer.status();
    KESSAI_ASSIGN_OR_RETURN(auto key_set, jwt::KeySet::Parse(signer->Jwks()));
    const auto keys = std::make_shared<transport::FixedIssuerKeys>(std::move(key_set));
    if (options.dev_issuer.enabled) {
        log::Warn("gateway.dev_issuer",
                  {{"issuer", options.dev_issuer.issuer}, {"note", "gives tokens to anybody"}});
        app::TrustedIssuer trusted;
        trusted.expected.issuer = options.dev_issuer.issuer;
        trusted.keys = keys;
        trusted.expected.audience = options.app_auth.audience;
        issuers.app.push_back(trusted);
        trusted.expected.audience = options.operator_auth.audience;
        issuers.operators.push_back(trusted);
    }
    transport::DevIssuerApi::Options wanted;
    wanted.issuer = options.dev_issuer.issuer;
    wanted.app_audience = options.app_auth.audience;
    wanted.operator_audience = options.operator_auth.audience;
    wanted.token_life = options.dev_issuer.token_life;
    auto& api = context.Own(std::make_unique<transport::DevIssuerApi>(
        std::move(wanted), std::move(*signer), context.clock()));
    handlers["dev_token"] = [&api](const auto& scope) { return api.AppToken(scope); };
    handlers["dev_operatorToken"] = [&api](const auto& scope) { return api.OperatorToken(scope); };
    handlers["dev_jwks"] = [&api](const auto& scope) { return api.Keys(scope); };
    return issuers;
}

}  // namespace kessai::gateway::wiring
