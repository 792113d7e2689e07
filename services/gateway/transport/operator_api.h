#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "app/credential_store.h"
#include "app/id_source.h"
#include "app/manage_credentials.h"
#include "app/payment_gateway.h"
#include "app/webhook_store.h"
#include "kessai/http/message.h"
#include "kessai/rpc/worker_pool.h"
#include "kessai/time/clock.h"
#include "transport/partner_api.h"
#include "transport/request_scope.h"

namespace kessai::gateway::transport {

/// The operator interface over what the gateway keeps and the payment service does: merchants, API
/// credentials, webhook endpoints and deliveries, the business day. Callers come authenticated,
/// with the route's scope checked.
class OperatorApi {
 public:
    struct Options {
        /// Development: endpoints by http and at private addresses.
        bool allow_private_webhooks = false;
    };
    struct Services {
        app::CredentialStore& credentials;
        app::WebhookStore& webhooks;
        app::IdSource& ids;
        rpc::WorkerPool& workers;
        PaymentGatewayOf payments;
        const Clock& clock;
        /// A credential was made or revoked here.
        std::function<void(const std::string& api_key)> on_credential_changed;
        /// Endpoints or deliveries were changed here.
        std::function<void()> on_webhooks_changed;
    };

    OperatorApi(Options options, Services services);

    net::Task<http::Response> PutMerchant(const RequestScope& scope) const;
    net::Task<http::Response> GetMerchant(const RequestScope& scope) const;

    net::Task<http::Response> IssueCredential(const RequestScope& scope) const;
    net::Task<http::Response> ListCredentials(const RequestScope& scope) const;
    net::Task<http::Response> RevokeCredential(const RequestScope& scope) const;

    net::Task<http::Response> PutWebhookEndpoint(const RequestScope& scope) const;
    net::Task<http::Response> ListWebhookEndpoints(const RequestScope& scope) const;
    net::Task<http::Response> DeleteWebhookEndpoint(const RequestScope& scope) const;
    net::Task<http::Response> TestWebhookEndpoint(const RequestScope& scope) const;
    net::Task<http::Response> ListWebhookDeliveries(const RequestScope& scope) const;
    net::Task<http::Response> GetWebhookAttempts(const RequestScope& scope) const;
    net::Task<http::Response> Redeliver(const RequestScope& scope) const;

    net::Task<http::Response> GetDay(const RequestScope& scope) const;
    net::Task<http::Response> CloseDay(const RequestScope& scope) const;
    net::Task<http::Response> RepublishEvents(const RequestScope& scope) const;

 private:
    const Options options_;
    const Services services_;
};

/// {date} of the path ("2026-11-22", or "today" for 0) as yyyymmdd. INVALID_ARGUMENT
/// FIELD_MALFORMED.
Result<std::int32_t> PathDate(const http::Request& request);
/// A positive id of the path. NOT_FOUND with `reason`.
Result<std::int64_t> PathId(const http::Request& request, std::string_view name,
                            std::string_view reason);

}  // namespace kessai::gateway::transport
