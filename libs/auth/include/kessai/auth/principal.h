#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/time/clock.h"

namespace kessai::auth {

/// What kind of caller acts; numbers as in kessai/auth/v1/internal_token.proto.
enum class Role : std::uint8_t {
    kNone = 0,
    /// A merchant's or partner's API credential.
    kMerchant = 1,
    /// A signed-in app user.
    kUser = 2,
    /// A person of the operator; scopes say what they may do.
    kOperator = 3,
    /// Another service.
    kService = 4,
};

/// "MERCHANT" and so on; never fails.
std::string_view RoleName(Role role);

/// Who a call acts for, as its internal token says. A plain value.
struct Principal {
    Role role = Role::kNone;
    /// The API key, the issuer's subject, the operator's or the service's name: for logs and audit.
    std::string subject = {};
    /// For whom a merchant's credential acts; 0 otherwise.
    std::int64_t merchant_id = 0;
    /// The signed-in app user; 0 otherwise.
    std::int64_t user_id = 0;
    /// For example "payment:write", "day:close".
    std::vector<std::string> scopes = {};

    bool HasScope(std::string_view scope) const;

    friend bool operator==(const Principal&, const Principal&) = default;
};

using PrincipalPtr = std::shared_ptr<const Principal>;

}  // namespace kessai::auth
