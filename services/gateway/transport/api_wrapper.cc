#include "transport/api_wrapper.h"

#include <string>
#include <utility>

#include "domain/partner_contract.h"
#include "transport/partner_api.h"
#include "transport/problem.h"

namespace kessai::gateway::transport {

namespace {

/// An IPv4 address, or the /64 that an IPv6 one is in: whoever has one of those has all of it.
std::string AddressKey(const net::IpAddress& address) {
    const auto& bytes = address.bytes();
    std::string key("a");
    key.append(reinterpret_cast<const char*>(bytes.data()), address.is_v4() ? 16 : 8);
    return key;
}

http::Response TooManyRequests(const RouteSpec& spec, const http::Request& request) {
    const Status limited(Code::kResourceExhausted, domain::reason::kRateLimited,
                         "too many requests; slow down");
    return spec.family == RouteFamily::kPartner
               ? PartnerRefusal(domain::PartnerOperation::kAny, limited)
               : Problem(limited, request.request_id);
}

/// Whether a body is declared as JSON; its parameters (charset) change nothing, as JSON is UTF-8.
bool IsJson(std::string_view content_type) {
    std::string_view type = content_type.substr(0, content_type.find(';'));
    while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
    return http::EqualsIgnoringCase(type, "application/json");
}

/// A browser sends another site's form to us without asking first, but no JSON.
Status CheckContentType(const RouteSpec& spec, const http::Request& request) {
    if (spec.family != RouteFamily::kApp && spec.family != RouteFamily::kOperator) {
        return OkStatus();
    }
    if (request.body.empty() || IsJson(request.Header("Content-Type"))) return OkStatus();
    return {Code::kInvalidArgument, domain::reason::kContentTypeUnsupported,
            "the body must be application/json, and Content-Type say so"};
}

}  // namespace

http::Handler ApiWrapper::Wrap(const RouteSpec& spec, ApiHandler handler) const {
    return [this, &spec, call = std::move(handler)](const http::Request& request) {
        return Handle(spec, call, request);
    };
}

bool ApiWrapper::AddressIsWithinRate(const http::Request& request) const {
    if (options_.address_rate.per_second <= 0) return true;
    return limiters_.Of(request.loop).Take(AddressKey(request.client), options_.address_rate);
}

net::Task<http::Response> ApiWrapper::Handle(const RouteSpec& spec, const ApiHandler& handler,
                                             const http::Request& request) const {
    if (!AddressIsWithinRate(request)) {
        telemetry_.OnLimited("address");
        co_return TooManyRequests(spec, request);
    }
    tracing::SpanContext parent;
    if (options_.take_traceparent) {
        if (const auto field = request.Header(tracing::kTraceparent); !field.empty()) {
            parent = tracing::ParseTraceparent(field).value_or(parent);
        }
    }
    tracing::Span span = tracer_.Start(spec.name, tracing::Kind::kServer, parent);
    RequestScope scope{request};
    if (span.recording()) {
        scope.traceparent = tracing::FormatTraceparent(span.context());
        span.SetAttribute("http.request.method", request.method_text);
        span.SetAttribute("http.route", spec.path);
        span.SetAttribute("kessai.request_id", request.request_id);
    }
    if (spec.authentication == Authentication::kOperator) {
        auto caller = operators_.Of(request.loop).Run(request.Header("Authorization"), spec.scope);
        if (!caller.ok()) co_return Problem(caller.status(), request.request_id);
        scope.caller = std::move(*caller);
    }
    if (const Status typed = CheckContentType(spec, request); !typed.ok()) {
        co_return Problem(typed, request.request_id);
    }
    http::Response response = co_await handler(scope);
    if (span.recording()) {
        span.SetAttribute("http.response.status_code", std::int64_t{response.status});
        if (response.status >= 500) {
            span.SetStatus(Status(Code::kInternal, response.reason, ""));
        }
    }
    co_return response;
}

}  // namespace kessai::gateway::transport
