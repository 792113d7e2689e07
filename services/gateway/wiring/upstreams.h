#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "app/payment_gateway.h"
#include "kessai/auth/token.h"
#include "kessai/rpc/channel.h"
#include "kessai/runtime/main.h"
#include "options.h"

namespace kessai::gateway::wiring {

/// The services behind: which answers a route, by the route's position in the table.
struct Upstreams {
    auth::TokenSigner* signer = nullptr;
    std::vector<app::PaymentGateway*> payments;
    std::vector<const rpc::Channel*> channels;
    /// To ask each about its dead letters, by its name.
    std::map<std::string, const rpc::Channel*, std::less<>> services;
};

Result<Upstreams> BuildUpstreams(const Options& options, runtime::Context& context);

}  // namespace kessai::gateway::wiring
