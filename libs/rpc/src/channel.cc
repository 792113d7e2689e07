#include "kessai/rpc/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "channel_state.h"
#include "grpc_process.h"
#include "grpc_time.h"
#include "kessai/rpc/reason.h"
#include "tls_credentials.h"

namespace kessai::rpc {
namespace {

std::string Seconds(Duration duration) {
    return std::to_string(static_cast<double>(duration.count()) / 1e6) + "s";
}

grpc::ChannelArguments Arguments(const ChannelOptions& options, const std::string& service_config) {
    grpc::ChannelArguments arguments;
    arguments.SetServiceConfigJSON(service_config);
    // A TXT record must not change how we call.
    arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, options.retried_methods.empty() ? 0 : 1);
    arguments.SetInt(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
                     static_cast<int>(options.receive_bytes_max));
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, ToMs(options.connect_timeout));
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS,
                     ToMs(options.reconnect_backoff_initial));
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, ToMs(options.reconnect_backoff_max));
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, ToMs(options.keepalive_interval));
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, ToMs(options.keepalive_timeout));
    arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    // Traffic inside never goes through a proxy that the environment names.
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    if (options.tls) {
        const std::string name =
            options.server_name.empty() ? HostOfTarget(options.target) : options.server_name;
        arguments.SetSslTargetNameOverride(name);
        arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, name);
    }
    return arguments;
}

}  // namespace

std::string HostOfTarget(const std::string& target) {
    std::string host = target;
    if (const auto scheme = host.find("://"); scheme != std::string::npos) {
        const auto path = host.find('/', scheme + 3);
        host.erase(0, path == std::string::npos ? scheme + 3 : path + 1);
    }
    host.erase(std::min(host.find(','), host.size()));
    if (!host.empty() && host.front() == '[') {
        host.erase(std::min(host.find(']'), host.size()));
        host.erase(0, 1);
        return host;
    }
    host.erase(std::min(host.rfind(':'), host.size()));
    if (!host.empty() && host.back() == '.') host.pop_back();
    return host;
}

Result<std::string> ServiceConfig(const ChannelOptions& options) {
    nlohmann::json config;
    config["loadBalancingConfig"] = {{{"round_robin", nlohmann::json::object()}}};
    nlohmann::json names = nlohmann::json::array();
    for (const std::string& method : options.retried_methods) {
        const auto slash = method.rfind('/');
        if (method.size() < 2 || method.front() != '/' || slash == 0) {
            return Status(Code::kInvalidArgument, "METHOD_MALFORMED",
                          "a retried method is /service/ or /service/method: " + method);
        }
        nlohmann::json name{{"service", method.substr(1, slash - 1)}};
        if (slash + 1 < method.size()) name["method"] = method.substr(slash + 1);
        names.push_back(std::move(name));
    }
    if (!names.empty() && options.tries_max > 1) {
        // CANCELLED, too: our callers don't cancel, but a server that is being stopped resets the
        // calls that cross its GOAWAY.
        config["methodConfig"] = {{{"name", names},
                                   {"retryPolicy",
                                    {{"maxAttempts", options.tries_max},
                                     {"initialBackoff", Seconds(options.backoff_initial)},
                                     {"maxBackoff", Seconds(options.backoff_max)},
                                     {"backoffMultiplier", 2},
                                     {"retryableStatusCodes", {"UNAVAILABLE", "CANCELLED"}}}}}};
        config["retryThrottling"] = {{"maxTokens", options.retry_tokens},
                                     {"tokenRatio", options.retry_token_ratio}};
    }
    return config.dump();
}

Result<Channel> Channel::Create(ChannelOptions options, const Clock& clock,
                                CallObserver* observer) {
    PrepareGrpc();
    std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
    if (options.tls) {
        KESSAI_RETURN_IF_ERROR(options.tls->Check());
        credentials = ClientTls(*options.tls);
    }
    KESSAI_ASSIGN_OR_RETURN(const std::string service_config, ServiceConfig(options));
    auto state = std::make_shared<State>();
    state->grpc =
        grpc::CreateCustomChannel(options.target, credentials, Arguments(options, service_config));
    state->options = std::move(options);
    state->clock = &clock;
    state->observer = observer;
    return Channel(std::move(state));
}

bool Channel::Ready() const {
    return state_->grpc->GetState(true) == GRPC_CHANNEL_READY;
}

Status Channel::WaitReady(Duration timeout) const {
    if (state_->grpc->WaitForConnected(DeadlineIn(timeout))) return {};
    return Status(Code::kUnavailable, reason::kNotSent,
                  "no connection to " + state_->options.target);
}

const std::shared_ptr<grpc::Channel>& Channel::grpc_channel() const {
    return state_->grpc;
}

}  // namespace kessai::rpc
