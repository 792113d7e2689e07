#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/authenticate_bearer.h"

namespace kessai::gateway::app {

/// Which scopes each role of operators gives.
using RoleScopes = std::map<std::string, std::vector<std::string>, std::less<>>;

/// Finds out which operator a request comes from, and what roles let it do. One an event loop.
/// Refusals: those of AuthenticateBearer, PERMISSION_DENIED SCOPE_MISSING.
class AuthenticateOperator {
 public:
    AuthenticateOperator(AuthenticateBearer& bearer, const RoleScopes& roles)
        : bearer_(bearer), roles_(roles) {}

    Result<auth::PrincipalPtr> Run(std::string_view authorization, std::string_view scope);

 private:
    AuthenticateBearer& bearer_;
    const RoleScopes& roles_;
};

}  // namespace kessai::gateway::app
