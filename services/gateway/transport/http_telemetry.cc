#include "transport/http_telemetry.h"

#include <set>
#include <string>

#include "domain/partner_contract.h"
#include "kessai/log/log.h"
#include "transport/problem.h"
#include "transport/routes.h"

namespace kessai::gateway::transport {

namespace {

using metrics::Label;

/// Positions are those of the router: by the table, then one for what found no route.
std::vector<std::string> RouteNames() {
    std::vector<std::string> names;
    for (const RouteSpec& spec : AllRoutes()) names.emplace_back(spec.name);
    names.emplace_back("none");
    return names;
}

/// Every reason that an answer can be logged with: the partner contract's, those of problems, and
/// the HTTP server's own.
std::vector<std::string> RefusalReasons() {
    std::set<std::string> reasons;
    for (const auto code : domain::PartnerCodes()) reasons.emplace(code);
    for (const auto reason : ProblemReasons()) reasons.emplace(reason);
    for (const auto fault :
         {http::Fault::kMalformed, http::Fault::kNotFound, http::Fault::kMethodNotAllowed,
          http::Fault::kTooSlow, http::Fault::kBodyTooLarge, http::Fault::kHeaderTooLarge,
          http::Fault::kInternal, http::Fault::kNotImplemented, http::Fault::kOverloaded,
          http::Fault::kVersion}) {
        reasons.emplace(http::NameOf(fault));
    }
    return {reasons.begin(), reasons.end()};
}

constexpr std::string_view kClassNames[] = {"2xx", "3xx", "4xx", "5xx", "other"};

std::size_t ClassOf(int status) {
    const int hundred = status / 100;
    return hundred >= 2 && hundred <= 5 ? static_cast<std::size_t>(hundred - 2) : 4;
}

}  // namespace

HttpTelemetry::HttpTelemetry(Options options, metrics::Registry& registry)
    : options_(options),
      refusals_(registry.AddCounters(
          {.name = "kessai_gateway_refusals_total", .help = "Requests refused, by reason"},
          {Label{"reason", RefusalReasons()}})),
      connections_(
          registry.AddGauge({.name = "kessai_gateway_connections", .help = "Connections open"})),
      refused_connections_(registry.AddCounters(
          {.name = "kessai_gateway_connections_refused_total",
           .help = "Connections closed before a request, by the bound that was reached"},
          {Label{"bound", {"connections", "address", "handshakes", "draining"}}})),
      handshakes_(registry.AddCounters(
          {.name = "kessai_gateway_tls_handshakes_total", .help = "TLS handshakes, by outcome"},
          {Label{"outcome", {"full", "resumed", "failed"}}})),
      nonces_(registry.AddCounters(
          {.name = "kessai_gateway_nonces_total",
           .help = "Nonces of signed requests; unknown: there was no memory to ask"},
          {Label{"verdict", {"fresh", "repeat", "reused", "unknown"}}})),
      limited_(registry.AddCounters(
          {.name = "kessai_gateway_rate_limited_total", .help = "Requests beyond a rate"},
          {Label{"limit", {"address"}}})),
      attempts_(registry.AddCounters(
          {.name = "kessai_gateway_webhook_attempts_total",
           .help = "Attempts to deliver a webhook, and what became of the delivery"},
          {Label{"state", {"delivered", "pending", "dead"}}})),
      attempt_seconds_(registry.AddHistogram(
          {.name = "kessai_gateway_webhook_attempt_seconds", .help = "Time of an attempt"},
          metrics::kLatency)),
      deliveries_in_flight_(registry.AddGauge(
          {.name = "kessai_gateway_webhook_attempts_in_flight", .help = "Attempts under way"})),
      delivery_store_failures_(
          registry.AddCounter({.name = "kessai_gateway_webhook_store_failures_total",
                               .help = "Times the deliveries could not be read or recorded"})),
      redis_connections_(registry.AddGauge(
          {.name = "kessai_gateway_redis_connections", .help = "Connections to Redis that work"})),
      redis_losses_(registry.AddCounter({.name = "kessai_gateway_redis_failures_total",
                                         .help = "Connections to Redis lost or not made"})) {
    const auto names = RouteNames();
    const auto requests = registry.AddCounters(
        {.name = "kessai_gateway_requests_total", .help = "Requests answered"},
        {Label{"route", names},
         Label{"class", std::vector<std::string>(std::begin(kClassNames), std::end(kClassNames))}});
    const auto seconds =
        registry.AddHistograms({.name = "kessai_gateway_request_seconds",
                                .help = "From a request's first byte to its answer's last"},
                               {Label{"route", names}}, metrics::kLatency);
    for (const auto& name : names) {
        PerRoute& route = routes_.emplace_back();
        for (std::size_t i = 0; i < kClasses; ++i) {
            route.by_class[i] = &requests.With({name, kClassNames[i]});
        }
        route.seconds = &seconds.With(name);
    }
}

HttpTelemetry::PerRoute& HttpTelemetry::Of(const http::Route* route) {
    return route == nullptr ? routes_.back() : routes_[route->index];
}

void HttpTelemetry::OnExchange(const http::Exchange& exchange) {
    const http::Request& request = exchange.request;
    const http::Response& response = exchange.response;
    PerRoute& route = Of(request.route);
    route.by_class[ClassOf(response.status)]->Add();
    route.seconds->Observe(exchange.took);
    if (!response.reason.empty()) refusals_.With(response.reason).Add();

    const bool ordinary = response.status < 400 && exchange.took < options_.slow_after;
    if (ordinary && options_.log_one_in > 1 &&
        log_turn_.fetch_add(1, std::memory_order_relaxed) % options_.log_one_in != 0) {
        return;
    }
    const std::string_view name =
        request.route != nullptr ? std::string_view(request.route->name) : "none";
    const std::string client = request.client.ToString();
    const auto level = response.status >= 500 ? log::Level::kWarn : log::Level::kInfo;
    if (!log::Enabled(level)) return;
    log::Context context;
    context.SetRequestId(request.request_id);
    const log::Fields fields{{"route", name},
                             {"method", request.method_text},
                             {"status", response.status},
                             {"took", exchange.took},
                             {"request_bytes", request.body.size()},
                             {"response_bytes", exchange.response_bytes},
                             {"client", client},
                             {"subject", response.subject},
                             {"reason", response.reason},
                             {"cause", response.cause}};
    if (level == log::Level::kWarn) {
        log::Warn(context, "http.request", fields);
    } else {
        log::Info(context, "http.request", fields);
    }
}

void HttpTelemetry::OnConnectionRefused(http::Refused why) {
    refused_connections_.At(static_cast<std::size_t>(why)).Add();
}

void HttpTelemetry::OnHandshake(bool succeeded, bool resumed) {
    handshakes_.At(!succeeded ? 2 : resumed ? 1 : 0).Add();
}

void HttpTelemetry::OnNonce(app::NonceVerdict verdict) {
    nonces_.At(static_cast<std::size_t>(verdict)).Add();
}

void HttpTelemetry::OnAttempt(const domain::AttemptOutcome& outcome, domain::DeliveryState state) {
    attempts_
        .At(state == domain::DeliveryState::kDelivered ? 0
            : state == domain::DeliveryState::kPending ? 1
                                                       : 2)
        .Add();
    attempt_seconds_.Observe(outcome.took);
}

void HttpTelemetry::OnStoreFailure(const Status& why) {
    delivery_store_failures_.Add();
    static log::Limit limit(std::chrono::seconds(10));
    if (limit.Allow()) log::Warn("webhooks.store_failed", {{"status", why}});
}

void HttpTelemetry::OnDown(const Status& why) {
    redis_connections_.Subtract();
    OnConnectFailed(why);
}

void HttpTelemetry::OnConnectFailed(const Status& why) {
    redis_losses_.Add();
    static log::Limit limit(std::chrono::seconds(10));
    if (limit.Allow()) log::Warn("redis.down", {{"status", why}});
}

}  // namespace kessai::gateway::transport
