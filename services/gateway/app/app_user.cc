#include "app/app_user.h"

#include <string>

#include "app/blocking.h"

namespace kessai::gateway::app {

namespace {
auth::PrincipalPtr UserPrincipal(const BearerIdentity& identity, std::int64_t user_id) {
    auto principal = std::make_shared<auth::Principal>();
    principal->role = auth::Role::kUser;
    principal->subject = identity.subject;
    principal->user_id = user_id;
    return principal;
}
}  // namespace

AuthenticateAppUser::AuthenticateAppUser(AuthenticateBearer& bearer, UserDirectory& users,
                                         rpc::WorkerPool& workers, net::Loop& loop)
    : bearer_(bearer), users_(users), workers_(workers), loop_(loop) {}

net::Task<Result<auth::PrincipalPtr>> AuthenticateAppUser::Run(std::string_view authorization) {
    auto verified = bearer_.Run(authorization);
    if (!verified.ok()) co_return verified.status();
    const std::shared_ptr<BearerIdentity> identity = std::move(*verified);
    if (identity->principal) co_return identity->principal;
    auto found = co_await RunBlocking(workers_, loop_, [this, &identity] {
        return users_.Find(identity->issuer, identity->subject);
    });
    if (!found.ok()) co_return found.status();
    if (!found->has_value()) {
        co_return Status(Code::kPermissionDenied, "SIGN_IN_REQUIRED", "sign in first");
    }
    identity->principal = UserPrincipal(*identity, **found);
    co_return identity->principal;
}

net::Task<Result<auth::PrincipalPtr>> AuthenticateAppUser::RunForSignIn(
    std::string_view authorization) {
    auto verified = bearer_.Run(authorization);
    if (!verified.ok()) co_return verified.status();
    const std::shared_ptr<BearerIdentity> identity = std::move(*verified);
    if (identity->principal) co_return identity->principal;
    auto user = co_await RunBlocking(workers_, loop_, [this, &identity] {
        return users_.FindOrCreate(identity->issuer, identity->subject);
    });
    if (!user.ok()) co_return user.status();
    identity->principal = UserPrincipal(*identity, *user);
    co_return identity->principal;
}

}  // namespace kessai::gateway::app
