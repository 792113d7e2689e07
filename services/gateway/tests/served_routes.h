#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <map>
#include <string>

#include "kessai/http/router.h"
#include "kessai/testing/matchers.h"
#include "transport/request_scope.h"
#include "transport/routes.h"

namespace kessai::gateway {

template <class Api>
using RouteMembers =
    std::map<std::string, net::Task<http::Response> (Api::*)(const transport::RequestScope&) const>;

/// Serves each member of `api` under the route that it is named with, in the name of `caller`,
/// which is looked at with each request. All must outlive the router.
/// `result_bytes_max`: as for AddRoutes; what the gateway has without a setting.
template <class Api>
void ServeRoutes(http::Router& router, const Api& api, const RouteMembers<Api>& members,
                 const auth::PrincipalPtr& caller,
                 std::size_t result_bytes_max = std::size_t{3} << 20) {
    std::size_t added = 0;
    for (const auto& spec : transport::AllRoutes()) {
        const auto found = members.find(std::string(spec.name));
        if (found == members.end()) continue;
        http::Route route;
        route.name = spec.name;
        route.method = spec.method;
        route.path = spec.path;
        route.family = router.FindFamily(transport::FamilyName(spec.family));
        route.body_bytes_max = transport::BodyBytesMax(spec, result_bytes_max);
        route.timeout = spec.timeout;
        route.handler = [&api, &caller, member = found->second](
                            const http::Request& request) -> net::Task<http::Response> {
            const transport::RequestScope scope{.request = request, .caller = caller};
            co_return co_await (api.*member)(scope);
        };
        EXPECT_OK(router.Add(std::move(route)));
        ++added;
    }
    EXPECT_EQ(added, members.size()) << "a name is no route's";
}

}  // namespace kessai::gateway
