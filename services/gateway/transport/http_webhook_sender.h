#pragma once

#include <memory>

#include "app/deliver_webhooks.h"
#include "domain/file_links.h"
#include "kessai/http/client.h"
#include "kessai/time/clock.h"

namespace kessai::gateway::transport {

/// Posts notifications over HTTPS, signed by the endpoint's secret. Its loop's thread only.
class HttpWebhookSender final : public app::WebhookSender {
 public:
    /// `client` belongs to the same loop. `links`: what is told of a file has a fresh one at each
    /// attempt.
    HttpWebhookSender(http::Client& client, const domain::FileLinks& links, const Clock& clock)
        : client_(client), links_(links), clock_(clock) {}

    net::Task<domain::AttemptOutcome> Send(const domain::WebhookEndpoint& endpoint,
                                           const domain::WebhookDelivery& delivery,
                                           SteadyInstant deadline) override;

 private:
    http::Client& client_;
    const domain::FileLinks& links_;
    const Clock& clock_;
};

}  // namespace kessai::gateway::transport
