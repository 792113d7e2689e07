#include "transport/http_webhook_sender.h"

#include <string>
#include <utility>

#include "transport/file_notice.h"

namespace kessai::gateway::transport {

net::Task<domain::AttemptOutcome> HttpWebhookSender::Send(const domain::WebhookEndpoint& endpoint,
                                                          const domain::WebhookDelivery& delivery,
                                                          SteadyInstant deadline) {
    domain::AttemptOutcome outcome;
    outcome.started_at = clock_.Now();
    const SteadyInstant start = clock_.SteadyNow();
    auto url = http::Url::Parse(endpoint.url);
    if (!url.ok()) {
        outcome.error = "the endpoint's url can't be used";
        co_return outcome;
    }
    http::ClientRequest request;
    request.url = std::move(*url);
    request.body = BodyToSend(delivery, links_, outcome.started_at);
    request.deadline = deadline;
    request.fields = {
        {"Content-Type", "application/json"},
        {"User-Agent", "Kessai-Webhook/1"},
        {"Kessai-Delivery-Id", std::to_string(delivery.delivery_id)},
        {"Kessai-Attempt", std::to_string(delivery.attempts + 1)},
        {"Kessai-Signature",
         domain::SignWebhook(endpoint.secret, ToMicros(outcome.started_at) / 1'000'000,
                             request.body)},
    };
    auto answer = co_await client_.Send(std::move(request));
    outcome.took = std::chrono::duration_cast<Duration>(clock_.SteadyNow() - start);
    if (answer.ok()) {
        outcome.http_status = answer->status;
        if (!outcome.delivered()) {
            // Redirects are not followed: where they lead was not registered.
            outcome.error = "answered " + std::to_string(answer->status);
        }
    } else {
        outcome.error = std::string(answer.status().reason()) + ": " +
                        std::string(answer.status().message().substr(0, 200));
    }
    co_return outcome;
}

}  // namespace kessai::gateway::transport
