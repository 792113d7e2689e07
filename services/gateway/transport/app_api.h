#pragma once

#include "app/app_user.h"
#include "app/payment_gateway.h"
#include "app/rate_limiter.h"
#include "kessai/http/message.h"
#include "transport/partner_api.h"
#include "transport/request_scope.h"

namespace kessai::gateway::transport {

/// The app interface, /app/v1: what a signed-in user sees and does.
class AppApi {
 public:
    AppApi(const PerLoop<app::AuthenticateAppUser>& authenticate,
           const PerLoop<app::RateLimiter>& limiters, app::Rate user_rate,
           PaymentGatewayOf payments);

    net::Task<http::Response> SignIn(const RequestScope& scope) const;
    net::Task<http::Response> GetWallet(const RequestScope& scope) const;
    net::Task<http::Response> TopUp(const RequestScope& scope) const;
    net::Task<http::Response> GetCode(const RequestScope& scope) const;
    net::Task<http::Response> PayCode(const RequestScope& scope) const;
    net::Task<http::Response> ListHistory(const RequestScope& scope) const;
    net::Task<http::Response> GetPayment(const RequestScope& scope) const;

 private:
    net::Task<Result<auth::PrincipalPtr>> Authenticate(const RequestScope& scope) const;

    const PerLoop<app::AuthenticateAppUser>& authenticate_;
    const PerLoop<app::RateLimiter>& limiters_;
    const app::Rate user_rate_;
    const PaymentGatewayOf payments_;
};

}  // namespace kessai::gateway::transport
