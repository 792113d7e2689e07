#include "kessai/auth/principal.h"

#include <algorithm>

namespace kessai::auth {

std::string_view RoleName(Role role) {
    switch (role) {
        case Role::kNone:
            return "NONE";
        case Role::kMerchant:
            return "MERCHANT";
        case Role::kUser:
            return "USER";
        case Role::kOperator:
            return "OPERATOR";
        case Role::kService:
            return "SERVICE";
    }
    return "UNRECOGNIZED";
}

bool Principal::HasScope(std::string_view scope) const {
    return std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
}

}  // namespace kessai::auth
