#pragma once

#include <vector>

#include "app/authenticate_bearer.h"
#include "kessai/http/client.h"
#include "kessai/net/loop.h"
#include "kessai/runtime/main.h"
#include "options.h"
#include "transport/routes.h"

namespace kessai::gateway::wiring {

/// The loop for what leaves the house: webhooks, and issuers' keys.
struct Outbound {
    net::Loop& loop;
    http::Client& webhooks;
    http::Client& issuers;
};

Result<Outbound> BuildOutbound(const Options& options, runtime::Context& context);

/// Whose tokens are taken: for apps, and for operators.
struct Issuers {
    std::vector<app::TrustedIssuer> app;
    std::vector<app::TrustedIssuer> operators;
};

/// Adds the handlers of the development issuer, which are served if it is enabled.
Result<Issuers> BuildIssuers(const Options& options, runtime::Context& context, Outbound& outbound,
                             transport::ApiHandlers& handlers);

}  // namespace kessai::gateway::wiring
