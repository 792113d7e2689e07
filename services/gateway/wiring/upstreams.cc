#include "wiring/upstreams.h"

#include <memory>
#include <tuple>
#include <utility>

#include "kessai/auth/key_ring.h"
#include "kessai/rpc/telemetry.h"
#include "transport/grpc_payment_gateway.h"
#include "transport/operator_ledger_api.h"
#include "transport/routes.h"

namespace kessai::gateway::wiring {
namespace {

Result<transport::GrpcPaymentGateway*> AddPaymentGateway(
    const Options& options, runtime::Context& context, auth::TokenSigner& signer,
    rpc::CallObserver& calls, const std::string& target, const std::string& server_name) {
    transport::GrpcPaymentGateway::Options wanted;
    wanted.target = target;
    wanted.server_name = server_name;
    wanted.tls = options.tls;
    wanted.open_max = options.upstreams.open_commands_max;
    wanted.hold = options.upstreams.gather;
    KESSAI_ASSIGN_OR_RETURN(auto made, transport::GrpcPaymentGateway::Create(
                                           std::move(wanted), signer, context.clock(), &calls));
    auto& gateway = context.Own(std::move(made));
    context.Add({.name = "payment at " + target,
                 .start = [&gateway] { return gateway.Start(); },
                 .ready = [&gateway]() -> Status {
                     return gateway.Ready() ? OkStatus()
                                            : Status(Code::kUnavailable, "PAYMENT_NOT_REACHED",
                                                     "no stream to the payment service yet");
                 },
                 .stop = [&gateway] { gateway.Stop(std::chrono::seconds(5)); }});
    return &gateway;
}

void ExposeCommands(runtime::Context& context, transport::GrpcPaymentGateway& gateway) {
    auto& registry = context.metrics();
    context.Keep(registry.AddCallbackGauge(
        {.name = "kessai_gateway_commands_open", .help = "Commands sent and not answered yet"},
        [&gateway] { return static_cast<double>(gateway.counts().open); }));
    context.Keep(registry.AddCallbackGauge(
        {.name = "kessai_gateway_command_streams", .help = "Streams that take commands"},
        [&gateway] { return static_cast<double>(gateway.counts().streams); }));
    const auto counter = [&](const char* name, const char* help, auto read) {
        context.Keep(registry.AddCallbackCounter({.name = name, .help = help}, [&gateway, read] {
            return static_cast<double>(read(gateway.counts()));
        }));
    };
    counter("kessai_gateway_commands_sent_total", "Commands sent to payment",
            [](const auto& counts) { return counts.sent; });
    counter("kessai_gateway_command_messages_total", "Messages they were sent in",
            [](const auto& counts) { return counts.messages_out; });
    counter("kessai_gateway_command_retries_total", "Commands sent again",
            [](const auto& counts) { return counts.retries; });
    counter("kessai_gateway_command_retry_budget_exhausted_total",
            "Commands not sent again because too many were",
            [](const auto& counts) { return counts.budget_exhausted; });
    counter("kessai_gateway_outcomes_unknown_total",
            "Requests answered without knowing whether their command was done",
            [](const auto& counts) { return counts.outcomes_unknown; });
}

Result<const rpc::Channel*> AddChannel(const Options& options, runtime::Context& context,
                                       rpc::CallObserver& calls, const std::string& target,
                                       const std::string& server_name) {
    rpc::ChannelOptions wanted;
    wanted.target = target;
    wanted.server_name = server_name;
    wanted.tls = options.tls;
    wanted.retried_methods = transport::RepeatableOperatorMethods();
    KESSAI_ASSIGN_OR_RETURN(auto made,
                            rpc::Channel::Create(std::move(wanted), context.clock(), &calls));
    return &context.Own(std::make_unique<rpc::Channel>(std::move(made)));
}

}  // namespace

Result<Upstreams> BuildUpstreams(const Options& options, runtime::Context& context) {
    KESSAI_ASSIGN_OR_RETURN(auto key_file,
                            auth::KeyRingFile::Open({.path = options.internal_token_key_file}));
    const auto& keys = context.Own(std::move(key_file));
    Upstreams upstreams;
    upstreams.signer = &context.Own(std::make_unique<auth::TokenSigner>(keys, context.clock()));
    auto& calls = context.Own(std::make_unique<rpc::CallTelemetry>(
        context.metrics(), transport::UpstreamContracts(), &context.tracer(), rpc::Side::kClient));

    const auto routes = transport::AllRoutes();
    upstreams.payments.resize(routes.size());
    upstreams.channels.resize(routes.size());
    std::map<std::string, app::PaymentGateway*> payments;
    std::map<std::string, const rpc::Channel*> channels;
    for (std::size_t i = 0; i < routes.size(); ++i) {
        const transport::RouteSpec& spec = routes[i];
        if (spec.upstream == transport::Upstream::kGateway) continue;
        std::string target;
        std::string server_name;
        const auto other = options.upstreams.routes.find(std::string(spec.name));
        if (other != options.upstreams.routes.end()) {
            target = options.upstreams.others.at(other->second);
        } else if (spec.upstream == transport::Upstream::kPayment) {
            target = options.upstreams.payment;
            server_name = options.upstreams.payment_server_name;
        } else if (spec.upstream == transport::Upstream::kPayout) {
            target = options.upstreams.payout;
            server_name = options.upstreams.payout_server_name;
        } else {
            target = options.upstreams.reconciliation;
            server_name = options.upstreams.reconciliation_server_name;
        }
        if (spec.upstream == transport::Upstream::kPayment) {
            auto& gateway = payments[target];
            if (gateway == nullptr) {
                KESSAI_ASSIGN_OR_RETURN(transport::GrpcPaymentGateway * made,
                                        AddPaymentGateway(options, context, *upstreams.signer,
                                                          calls, target, server_name));
                if (payments.size() == 1) ExposeCommands(context, *made);
                gateway = made;
            }
            upstreams.payments[i] = gateway;
        }
        auto& channel = channels[target];
        if (channel == nullptr) {
            KESSAI_ASSIGN_OR_RETURN(channel,
                                    AddChannel(options, context, calls, target, server_name));
        }
        upstreams.channels[i] = channel;
    }
    const auto& to = options.upstreams;
    const std::tuple<const char*, const std::string&, const std::string&> services[] = {
        {"payment", to.payment, to.payment_server_name},
        {"payout", to.payout, to.payout_server_name},
        {"reconciliation", to.reconciliation, to.reconciliation_server_name}};
    for (const auto& [name, target, server_name] : services) {
        auto& channel = channels[target];
        if (channel == nullptr) {
            KESSAI_ASSIGN_OR_RETURN(channel,
                                    AddChannel(options, context, calls, target, server_name));
        }
        upstreams.services.emplace(name, channel);
    }
    return upstreams;
}

}  // namespace kessai::gateway::wiring
