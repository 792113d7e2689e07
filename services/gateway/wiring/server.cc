#include "wiring/server.h"

#include <chrono>
#include <memory>
#include <utility>

#include "app/periodic.h"
#include "kessai/http/server.h"
#include "kessai/log/log.h"
#include "kessai/net/tls.h"
#include "transport/api_wrapper.h"

namespace kessai::gateway::wiring {

Status BuildServer(const Options& options, runtime::Context& context, const LoopServices& loops,
                   transport::HttpTelemetry& telemetry, const transport::ApiHandlers& handlers) {
    transport::ApiWrapper::Options wrapper_options;
    wrapper_options.address_rate = {options.limits.address_per_second,
                                    options.limits.address_burst};
    wrapper_options.take_traceparent = options.https.take_traceparent;
    const auto& wrapper = context.Own(std::make_unique<transport::ApiWrapper>(
        wrapper_options, context.tracer(), telemetry, loops.limiters, loops.operators));
    auto& router = context.Own(std::make_unique<http::Router>(transport::MakeFamilies()));
    KESSAI_RETURN_IF_ERROR(transport::AddRoutes(
        router, handlers, options.dev_issuer.enabled, options.limits.result_bytes_max,
        [&wrapper](const transport::RouteSpec& spec, transport::ApiHandler handler) {
            return wrapper.Wrap(spec, std::move(handler));
        }));

    http::Server::Options server_options;
    server_options.limits = options.https.limits;
    // Longer than a busy caller leaves its connection alone, far shorter than
    // service.drain_timeout.
    server_options.limits.drain_idle = std::chrono::seconds(1);
    for (const auto& network : options.https.trusted_proxies) {
        KESSAI_ASSIGN_OR_RETURN(const auto parsed, net::IpNetwork::Parse(network));
        server_options.trusted_proxies.push_back(parsed);
    }
    if (!options.https.plain) {
        KESSAI_ASSIGN_OR_RETURN(server_options.tls,
                                net::TlsServerContext::Load({.cert_file = options.https.cert_file,
                                                             .key_file = options.https.key_file}));
        const auto tls = server_options.tls;
        context.Keep(context.metrics().AddCallbackGauge(
            {.name = "kessai_gateway_certificate_expiry_seconds",
             .help = "When the certificate that callers see ends, since 1970"},
            [tls] { return static_cast<double>(tls->expires_at_s()); }));
        auto& reload = context.Own(
            std::make_unique<app::Periodic>("tls-reload", options.https.reload_every, [tls] {
                const auto changed = tls->ReloadIfChanged();
                if (!changed.ok()) {
                    log::Error("gateway.certificate", {{"status", changed.status()}});
                } else if (*changed) {
                    log::Info("gateway.certificate", {{"expires_at_s", tls->expires_at_s()}});
                }
            }));
        context.Add({.name = "certificate",
                     .start = [&reload]() -> Status {
                         reload.Start();
                         return OkStatus();
                     },
                     .stop = [&reload] { reload.Stop(); }});
    }
    auto& server = context.Own(
        std::make_unique<http::Server>(std::move(server_options), router, loops.loops, telemetry));
    context.Keep(context.metrics().AddCallbackGauge(
        {.name = "kessai_gateway_requests_in_flight", .help = "Requests being handled"},
        [&server] { return static_cast<double>(server.requests_in_flight()); }));
    context.Keep(context.metrics().AddCallbackGauge(
        {.name = "kessai_gateway_buffered_bytes",
         .help = "What bodies hold of https.buffered_bytes_max"},
        [&server] { return static_cast<double>(server.buffered_bytes()); }));
    context.Add(
        {.name = "https",
         .start = [&server, &https = options.https]() -> Status {
             KESSAI_RETURN_IF_ERROR(server.Listen(https.host, https.port));
             log::Info("gateway.listening", {{"host", https.host}, {"port", server.port()}});
             return OkStatus();
         },
         .drain =
             [&server, &clock = context.clock()](SteadyInstant deadline) {
                 server.Drain(std::chrono::duration_cast<Duration>(deadline - clock.SteadyNow()));
             }});
    return OkStatus();
}

}  // namespace kessai::gateway::wiring
