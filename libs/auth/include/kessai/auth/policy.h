#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/auth/principal.h"
#include "kessai/auth/reason.h"
#include "kessai/result/result.h"

namespace google::protobuf {
class ServiceDescriptor;
}

namespace kessai::auth {

/// One way to be admitted: this role and, if not empty, this scope.
struct Grant {
    Role role = Role::kNone;
    std::string scope = {};
};

inline Grant Merchant(std::string scope = {}) {
    return {Role::kMerchant, std::move(scope)};
}
inline Grant User(std::string scope = {}) {
    return {Role::kUser, std::move(scope)};
}
inline Grant Operator(std::string scope) {
    return {Role::kOperator, std::move(scope)};
}
inline Grant AnyService(std::string scope = {}) {
    return {Role::kService, std::move(scope)};
}

/// Who may call one method.
struct MethodRule {
    enum class Token {
        /// The call carries one in its metadata.
        kInMetadata,
        /// Each message of the stream carries its own; the call itself is admitted by its peer's
        /// certificate (`peers`).
        kInMessages,
        /// Anybody with a connection.
        kNone,
    };
    /// The method's name, without its service.
    std::string method = {};
    /// Any one of these suffices.
    std::vector<Grant> grants = {};
    Token token = Token::kInMetadata;
    /// Names of client certificates (DNS or URI SAN) that may call; empty: all that may connect.
    /// Not applied on a server without TLS.
    std::vector<std::string> peers = {};

    /// PERMISSION_DENIED ROLE_NOT_ALLOWED unless one of the grants admits `principal`.
    Status Check(const Principal& principal) const;
};

/// The rules of one service, one a method. Immutable; thread safe.
///
///     const auth::MethodPolicy policy({
///         {"CreateCode", {auth::Merchant()}},
///         {"CloseDay", {auth::Operator("day:close")}},
///         {"Execute", {}, auth::MethodRule::Token::kInMessages, {"gateway.kessai"}},
///     });
class MethodPolicy {
 public:
    MethodPolicy(std::initializer_list<MethodRule> rules);
    explicit MethodPolicy(std::vector<MethodRule> rules);

    /// Null when there is none. Valid as long as the policy.
    const MethodRule* Find(std::string_view method) const;
    /// Precondition: there is a rule for `method`.
    const MethodRule& Get(std::string_view method) const;
    const std::vector<MethodRule>& rules() const { return rules_; }

    /// Refuses with INVALID_ARGUMENT POLICY_INCOMPLETE and all the offenders: methods without a
    /// rule, rules without a method, rules that admit nobody or appear twice, operators without a
    /// scope, streams with tokens in their messages that name no peer.
    Status CheckAgainst(const google::protobuf::ServiceDescriptor& service) const;

 private:
    std::vector<MethodRule> rules_;
};

}  // namespace kessai::auth
