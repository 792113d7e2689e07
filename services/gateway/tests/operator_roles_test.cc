// Goal: every operation of the operator interface can be done by somebody, as the gateway is
// shipped. Method: the scopes of the route table against those of the default roles, both ways.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>

#include "options.h"
#include "transport/routes.h"

namespace kessai::gateway {
namespace {

std::set<std::string> ScopesOf(const std::string& text) {
    std::istringstream words(text);
    std::set<std::string> scopes;
    for (std::string scope; words >> scope;) scopes.insert(scope);
    return scopes;
}

std::set<std::string> ScopesOfRoutes() {
    std::set<std::string> scopes;
    for (const auto& spec : transport::AllRoutes()) {
        if (spec.authentication == transport::Authentication::kOperator) {
            scopes.emplace(spec.scope);
        }
    }
    return scopes;
}

// Nothing is out of everybody's reach, and nobody has a scope that opens nothing.
TEST(OperatorRolesTest, TogetherTheRolesHaveTheScopesOfTheRoutes) {
    std::set<std::string> given;
    const Options options;
    for (const auto& [role, text] : options.roles) given.merge(ScopesOf(text));
    EXPECT_EQ(given, ScopesOfRoutes());
}

TEST(OperatorRolesTest, AViewerChangesNothing) {
    const Options options;
    for (const auto& scope : ScopesOf(options.roles.at("viewer"))) {
        EXPECT_THAT(scope, ::testing::EndsWith(":read"));
    }
}

}  // namespace
}  // namespace kessai::gateway
