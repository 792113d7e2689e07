#pragma once

#include <memory>
#include <string_view>

#include "app/authenticate_bearer.h"
#include "app/payment_gateway.h"
#include "app/user_directory.h"
#include "kessai/net/task.h"
#include "kessai/rpc/worker_pool.h"

namespace kessai::gateway::app {

/// Finds out which of our users an app request comes from. One an event loop. Refusals: those of
/// AuthenticateBearer, PERMISSION_DENIED SIGN_IN_REQUIRED, and what the database refuses.
class AuthenticateAppUser {
 public:
    AuthenticateAppUser(AuthenticateBearer& bearer, UserDirectory& users, rpc::WorkerPool& workers,
                        net::Loop& loop);

    net::Task<Result<auth::PrincipalPtr>> Run(std::string_view authorization);

    /// The same for somebody who may never have been here: makes the user.
    net::Task<Result<auth::PrincipalPtr>> RunForSignIn(std::string_view authorization);

 private:
    AuthenticateBearer& bearer_;
    UserDirectory& users_;
    rpc::WorkerPool& workers_;
    net::Loop& loop_;
};

}  // namespace kessai::gateway::app
