#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <memory>
#include <string>

#include "kessai/rpc/channel.h"

namespace kessai::rpc {

struct Channel::State {
    ChannelOptions options;
    const Clock* clock = nullptr;
    CallObserver* observer = nullptr;
    std::shared_ptr<grpc::Channel> grpc;
};

/// The service configuration in JSON
/// (https://github.com/grpc/grpc/blob/master/doc/service_config.md): round robin, and retries for
/// the methods that may be sent again. Refuses a malformed method.
Result<std::string> ServiceConfig(const ChannelOptions& options);

/// "dns:///payment.svc.:7443" → "payment.svc": the name a certificate is expected to have.
std::string HostOfTarget(const std::string& target);

}  // namespace kessai::rpc
