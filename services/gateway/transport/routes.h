#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/http/router.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"
#include "transport/request_scope.h"

namespace kessai::gateway::transport {

/// Which service does the work of a route.
enum class Upstream : std::uint8_t { kGateway, kPayment, kPayout, kReconciliation };
/// How its callers prove who they are.
enum class Authentication : std::uint8_t { kNone, kPartner, kAppUser, kOperator };
/// The form of its errors; also the interface it belongs to.
enum class RouteFamily : std::uint8_t { kPublic, kPartner, kApp, kOperator };

/// A route as data. The OpenAPI document is compared with the list of them, in both directions.
struct RouteSpec {
    /// operationId; also its name in logs, metrics and configuration.
    std::string_view name;
    http::Method method;
    std::string_view path;
    /// Of the interface: a v2 of a route is a line of its own beside the v1.
    int version;
    RouteFamily family;
    Upstream upstream;
    Authentication authentication;
    /// What the credential or the operator must hold; empty: nothing.
    std::string_view scope;
    std::size_t body_bytes_max;
    /// From the request's first byte to the last moment an answer is worth something.
    std::chrono::seconds timeout;
    /// Only with dev_issuer.enabled.
    bool development_only = false;
};

std::span<const RouteSpec> AllRoutes();

std::string_view UpstreamName(Upstream upstream);  // "payment" and so on

/// The contracts that the services behind are called by, for rpc::CallTelemetry.
std::vector<std::string_view> UpstreamContracts();

/// "partner", "app", "operator", "public", as the router's families are called.
std::string_view FamilyName(RouteFamily family);

using ApiHandlers = std::map<std::string, ApiHandler, std::less<>>;

/// The families of errors, for a Router.
std::vector<std::unique_ptr<http::Family>> MakeFamilies();

/// The largest body that the route takes. `result_bytes_max`: of a bank's result file, whose body
/// is larger as JSON.
std::size_t BodyBytesMax(const RouteSpec& route, std::size_t result_bytes_max);

/// Adds every route of AllRoutes to `router`, each with its handler of that name behind `wrap`.
/// Development routes are added when `development` is set. Refuses with INTERNAL HANDLER_MISSING
/// and HANDLER_WITHOUT_ROUTE: the table and the handlers must fit each other.
/// `result_bytes_max`: as for BodyBytesMax.
Status AddRoutes(http::Router& router, const ApiHandlers& handlers, bool development,
                 std::size_t result_bytes_max,
                 const std::function<http::Handler(const RouteSpec&, ApiHandler)>& wrap);

}  // namespace kessai::gateway::transport
