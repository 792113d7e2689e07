#pragma once

#include <memory>

#include "app/deliver_webhooks.h"
#include "kessai/http/client.h"
#include "kessai/time/clock.h"

namespace kessai::gateway::transport {

/// Posts notifications over HTTPS, signed by the endpoint's secret. Its loop's thread only.
class HttpWebhookSender final : public app::WebhookSender {
 public:
    /// `client` belongs to the same loop.
    HttpWebhookSender(http::Client& client, const Clock& clock) : client_(client), clock_(clock) {}

    net::Task<domain::AttemptOutcome> Send(const domain::WebhookEndpoint& endpoint,
                                           const domain::WebhookDelivery& delivery,
                                           SteadyInstant deadline) override;

 private:
    http::Client& client_;
    const Clock& clock_;
};

}  // namespace kessai::gateway::transport
