#include "kessai/auth/policy.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <set>
#include <utility>

namespace kessai::auth {
namespace {

void CheckRule(const MethodRule& rule, const google::protobuf::MethodDescriptor& method,
               std::string& offenders) {
    const auto offend = [&](std::string_view what) {
        offenders += "; " + rule.method + " " + std::string(what);
    };
    switch (rule.token) {
        case MethodRule::Token::kInMetadata:
            if (rule.grants.empty()) offend("admits nobody");
            break;
        case MethodRule::Token::kInMessages:
            if (!method.client_streaming()) offend("is no stream of the caller's messages");
            if (rule.peers.empty()) offend("names no peer");
            [[fallthrough]];
        case MethodRule::Token::kNone:
            if (!rule.grants.empty()) offend("has grants that nothing checks");
            break;
    }
    for (const Grant& grant : rule.grants) {
        if (grant.role == Role::kNone) offend("grants to no role");
        if (grant.role == Role::kOperator && grant.scope.empty()) {
            offend("admits operators without a scope");
        }
    }
}

}  // namespace

Status MethodRule::Check(const Principal& principal) const {
    const bool admitted = std::any_of(grants.begin(), grants.end(), [&](const Grant& grant) {
        return grant.role == principal.role &&
               (grant.scope.empty() || principal.HasScope(grant.scope));
    });
    if (admitted) return {};
    return Status(Code::kPermissionDenied, reason::kRoleNotAllowed,
                  method + " is not for role " + std::string(RoleName(principal.role)) +
                      " with this token's scopes");
}

MethodPolicy::MethodPolicy(std::initializer_list<MethodRule> rules)
    : MethodPolicy(std::vector<MethodRule>(rules)) {}

MethodPolicy::MethodPolicy(std::vector<MethodRule> rules) : rules_(std::move(rules)) {}

const MethodRule* MethodPolicy::Find(std::string_view method) const {
    const auto found = std::find_if(rules_.begin(), rules_.end(),
                                    [&](const MethodRule& rule) { return rule.method == method; });
    return found == rules_.end() ? nullptr : &*found;
}

const MethodRule& MethodPolicy::Get(std::string_view method) const {
    const MethodRule* rule = Find(method);
    KESSAI_CHECK(rule != nullptr, "no rule for method " + std::string(method));
    return *rule;
}

Status MethodPolicy::CheckAgainst(const google::protobuf::ServiceDescriptor& service) const {
    std::string offenders;
    std::set<std::string> seen;
    for (const MethodRule& rule : rules_) {
        const auto* method = service.FindMethodByName(rule.method);
        if (method == nullptr) {
            offenders += "; " + rule.method + " is no method of it";
            continue;
        }
        if (!seen.insert(rule.method).second) offenders += "; " + rule.method + " has two rules";
        CheckRule(rule, *method, offenders);
    }
    for (int i = 0; i < service.method_count(); ++i) {
        const std::string& name = service.method(i)->name();
        if (!seen.contains(name)) offenders += "; " + name + " has no rule";
    }
    if (offenders.empty()) return {};
    return Status(Code::kInvalidArgument, "POLICY_INCOMPLETE",
                  "rules of " + service.full_name() + ": " + offenders.substr(2));
}

}  // namespace kessai::auth
