#include "transport/routes.h"

#include <array>
#include <utility>

#include "transport/partner_api.h"
#include "transport/problem.h"

namespace kessai::gateway::transport {

namespace {

using std::chrono::seconds;
using M = http::Method;
using F = RouteFamily;
using U = Upstream;
using A = Authentication;

// Bodies: most requests are below a kilobyte; an order with a hundred items and metadata is not.
constexpr std::size_t kNoBody = 1'024;  // some SDKs send "{}" where nothing is asked for
constexpr std::size_t kSmall = 8 * 1'024;
constexpr std::size_t kOrder = 64 * 1'024;
// The contract recommends clients 30 s for POST and 15 s for the others: ours end before.
constexpr seconds kWrite{20};
constexpr seconds kRead{10};

constexpr RouteSpec kRoutes[] = {
    // The partner interface
    {"v2_createDynamicQRCode", M::kPost, "/v2/codes", 2, F::kPartner, U::kPayment, A::kPartner,
     "codes", kOrder, kWrite},
    {"v2_deleteDynamicQRCode", M::kDelete, "/v2/codes/{codeId}", 2, F::kPartner, U::kPayment,
     A::kPartner, "codes", kNoBody, kRead},
    {"v2_getQRPaymentDetails", M::kGet, "/v2/codes/payments/{merchantPaymentId}", 2, F::kPartner,
     U::kPayment, A::kPartner, "codes", kNoBody, kRead},
    {"v2_getPaymentDetail", M::kGet, "/v2/payments/{merchantPaymentId}", 2, F::kPartner,
     U::kPayment, A::kPartner, "payments", kNoBody, kRead},
    {"v2_cancelPayment", M::kDelete, "/v2/payments/{merchantPaymentId}", 2, F::kPartner,
     U::kPayment, A::kPartner, "payments", kNoBody, kRead},
    {"v2_createRefundPayment", M::kPost, "/v2/refunds", 2, F::kPartner, U::kPayment, A::kPartner,
     "refunds", kSmall, kWrite},
    // The Python SDK asks for, and signs, the slash.
    {"v2_createRefundPaymentSlash", M::kPost, "/v2/refunds/", 2, F::kPartner, U::kPayment,
     A::kPartner, "refunds", kSmall, kWrite},
    {"v2_getRefundDetails", M::kGet, "/v2/refunds/{merchantRefundId}", 2, F::kPartner, U::kPayment,
     A::kPartner, "refunds", kNoBody, kRead},
};

}  // namespace

std::span<const RouteSpec> AllRoutes() {
    return kRoutes;
}

std::string_view UpstreamName(Upstream upstream) {
    switch (upstream) {
        case Upstream::kGateway:
            return "gateway";
        case Upstream::kPayment:
            return "payment";
        case Upstream::kPayout:
            return "payout";
        case Upstream::kReconciliation:
            return "reconciliation";
    }
    return "gateway";
}

std::string_view FamilyName(RouteFamily family) {
    switch (family) {
        case RouteFamily::kPublic:
            return "public";
        case RouteFamily::kPartner:
            return "partner";
        case RouteFamily::kApp:
            return "app";
        case RouteFamily::kOperator:
            return "operator";
    }
    return "public";
}

std::vector<std::unique_ptr<http::Family>> MakeFamilies() {
    std::vector<std::unique_ptr<http::Family>> families;
    const auto add = [&](RouteFamily family, const char* prefix, auto refuse) {
        auto made = std::make_unique<http::Family>();
        made->name = FamilyName(family);
        made->prefix = prefix;
        made->refuse = refuse;
        families.push_back(std::move(made));
    };
    add(RouteFamily::kPublic, "", ProblemFault);
    add(RouteFamily::kPartner, "/v2/", PartnerFault);
    add(RouteFamily::kApp, "/app/", ProblemFault);
    add(RouteFamily::kOperator, "/operator/", ProblemFault);
    return families;
}

Status AddRoutes(http::Router& router, const ApiHandlers& handlers, bool development,
                 const std::function<http::Handler(const RouteSpec&, ApiHandler)>& wrap) {
    std::size_t used = 0;
    for (const RouteSpec& spec : AllRoutes()) {
        const auto handler = handlers.find(spec.name);
        if (handler != handlers.end()) ++used;
        if (spec.development_only && !development) continue;
        if (handler == handlers.end()) {
            return {Code::kInternal, "HANDLER_MISSING", std::string(spec.name)};
        }
        http::Route route;
        route.name = spec.name;
        route.method = spec.method;
        route.path = spec.path;
        route.family = router.FindFamily(FamilyName(spec.family));
        route.body_bytes_max = spec.body_bytes_max;
        route.timeout = spec.timeout;
        route.handler = wrap(spec, handler->second);
        KESSAI_RETURN_IF_ERROR(router.Add(std::move(route)));
    }
    if (used != handlers.size()) {
        return {Code::kInternal, "HANDLER_WITHOUT_ROUTE", "a handler has no line in the table"};
    }
    return OkStatus();
}

}  // namespace kessai::gateway::transport
