#include "app/authenticate_operator.h"

#include <set>

namespace kessai::gateway::app {

Result<auth::PrincipalPtr> AuthenticateOperator::Run(std::string_view authorization,
                                                     std::string_view scope) {
    KESSAI_ASSIGN_OR_RETURN(const std::shared_ptr<BearerIdentity> identity,
                            bearer_.Run(authorization));
    if (!identity->principal) {
        std::set<std::string> scopes;
        for (const auto& role : identity->roles) {
            const auto found = roles_.find(role);
            if (found != roles_.end()) scopes.insert(found->second.begin(), found->second.end());
        }
        auto principal = std::make_shared<auth::Principal>();
        principal->role = auth::Role::kOperator;
        principal->subject = identity->subject;
        principal->scopes.assign(scopes.begin(), scopes.end());
        identity->principal = std::move(principal);
    }
    if (!scope.empty() && !identity->principal->HasScope(scope)) {
        return Status(Code::kPermissionDenied, "SCOPE_MISSING",
                      "the scope " + std::string(scope) + " is needed");
    }
    return identity->principal;
}

}  // namespace kessai::gateway::app
