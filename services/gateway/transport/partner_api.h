#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "app/authenticate_partner.h"
#include "app/payment_gateway.h"
#include "domain/partner_contract.h"
#include "kessai/http/message.h"
#include "kessai/http/router.h"
#include "transport/request_scope.h"

namespace kessai::gateway::transport {

struct PartnerApiOptions {
    /// What a code's QR image holds: "{codeId}" is replaced.
    std::string code_url_template = "https://localhost/qr/{codeId}";
    /// "{url}" is replaced by the percent-encoded url.
    std::string code_deeplink_template = "kessai://payment?link_key={url}";
};

/// Which payment service answers a route: one may be sent to another by configuration.
using PaymentGatewayOf = std::function<app::PaymentGateway&(const http::Request&)>;

/// The partner interface (endpoints 1, 2, 3, 5, 6, 7 and 8 of the contract): decodes, calls,
/// encodes.
class PartnerApi {
 public:
    PartnerApi(PartnerApiOptions options, const PerLoop<app::AuthenticatePartner>& authenticate,
               PaymentGatewayOf payments, const Clock& clock);

    net::Task<http::Response> CreateCode(const RequestScope& scope) const;
    net::Task<http::Response> DeleteCode(const RequestScope& scope) const;
    net::Task<http::Response> GetCodePayment(const RequestScope& scope) const;
    net::Task<http::Response> GetPayment(const RequestScope& scope) const;
    net::Task<http::Response> CancelPayment(const RequestScope& scope) const;
    net::Task<http::Response> RefundPayment(const RequestScope& scope) const;
    net::Task<http::Response> GetRefund(const RequestScope& scope) const;

 private:
    net::Task<Result<app::Partner>> Authenticate(const RequestScope& scope,
                                                 std::string_view partner_scope) const;
    net::Task<http::Response> PaymentDetails(const RequestScope& scope,
                                             domain::PartnerOperation operation,
                                             std::string_view partner_scope) const;

    const PartnerApiOptions options_;
    const PerLoop<app::AuthenticatePartner>& authenticate_;
    const PaymentGatewayOf payments_;
    const Clock& clock_;
};

/// Who sent a signed request, and that its credential has the scope.
net::Task<Result<app::Partner>> AuthenticateRequest(
    const PerLoop<app::AuthenticatePartner>& authenticate, const RequestScope& scope,
    std::string_view partner_scope);
/// The envelope's beginning, up to `"data":`; the caller writes the data and a closing brace.
http::Response BeginPartnerAnswer(const domain::PartnerResult& result);
/// The envelope around nothing: refusals, and answers without data.
http::Response PartnerEnvelope(const domain::PartnerResult& result);
/// A refusal in the contract's form.
http::Response PartnerRefusal(domain::PartnerOperation operation, const Status& refusal);
/// What the server itself refuses, in the contract's form.
http::Response PartnerFault(http::Fault fault, std::string_view detail,
                            std::string_view request_id);

}  // namespace kessai::gateway::transport
