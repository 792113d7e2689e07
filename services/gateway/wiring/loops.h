#pragma once

#include <vector>

#include "app/app_user.h"
#include "app/authenticate_operator.h"
#include "app/authenticate_partner.h"
#include "kessai/net/loop.h"
#include "kessai/rpc/worker_pool.h"
#include "kessai/runtime/main.h"
#include "options.h"
#include "transport/http_telemetry.h"
#include "transport/request_scope.h"
#include "wiring/issuers.h"
#include "wiring/storage.h"

namespace kessai::gateway::wiring {

/// Event loops, and what each has of its own.
struct LoopServices {
    transport::PerLoop<app::CredentialCache> credentials;
    transport::PerLoop<app::AuthenticatePartner> partners;
    transport::PerLoop<app::AuthenticateAppUser> app_users;
    transport::PerLoop<app::AuthenticateOperator> operators;
    transport::PerLoop<app::RateLimiter> limiters;
    std::vector<net::Loop*> loops;
};

/// Adds one of `https.loops`. `roles` must outlive the services.
Status AddLoop(const Options& options, runtime::Context& context, const Storage& storage,
               rpc::WorkerPool& workers, const Issuers& issuers, const app::RoleScopes& roles,
               transport::HttpTelemetry& telemetry, int number, LoopServices& services);

/// Has every loop forget credentials that another gateway changed.
void FollowCredentials(runtime::Context& context, const Storage& storage,
                       const LoopServices& loops);

}  // namespace kessai::gateway::wiring
