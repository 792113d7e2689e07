#pragma once

#include "app/authenticate_operator.h"
#include "app/rate_limiter.h"
#include "kessai/http/router.h"
#include "kessai/tracing/tracer.h"
#include "transport/http_telemetry.h"
#include "transport/request_scope.h"
#include "transport/routes.h"

namespace kessai::gateway::transport {

/// What happens to every request around its handler: the address's rate, a span, and for operators
/// who they are and whether their roles allow the route.
class ApiWrapper {
 public:
    struct Options {
        app::Rate address_rate;
        /// Continue the caller's trace, instead of beginning one of our own.
        bool take_traceparent = true;
    };

    /// References outlive the routes.
    ApiWrapper(Options options, tracing::Tracer& tracer, HttpTelemetry& telemetry,
               const PerLoop<app::RateLimiter>& limiters,
               const PerLoop<app::AuthenticateOperator>& operators)
        : options_(options),
          tracer_(tracer),
          telemetry_(telemetry),
          limiters_(limiters),
          operators_(operators) {}

    /// `spec` outlives the handler: a line of the table.
    http::Handler Wrap(const RouteSpec& spec, ApiHandler handler) const;

 private:
    net::Task<http::Response> Handle(const RouteSpec& spec, const ApiHandler& handler,
                                     const http::Request& request) const;
    /// The answer when the address has asked too often, else nothing.
    bool AddressIsWithinRate(const http::Request& request) const;

    const Options options_;
    tracing::Tracer& tracer_;
    HttpTelemetry& telemetry_;
    const PerLoop<app::RateLimiter>& limiters_;
    const PerLoop<app::AuthenticateOperator>& operators_;
};

}  // namespace kessai::gateway::transport
