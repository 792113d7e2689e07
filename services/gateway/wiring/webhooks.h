#pragma once

#include "app/deliver_webhooks.h"
#include "app/periodic.h"
#include "app/webhook_directory.h"
#include "kessai/inbox/dead_letter_desk.h"
#include "kessai/rpc/worker_pool.h"
#include "kessai/runtime/main.h"
#include "options.h"
#include "transport/http_telemetry.h"
#include "wiring/issuers.h"
#include "wiring/storage.h"

namespace kessai::gateway::wiring {

struct Webhooks {
    app::WebhookDirectory& directory;
    app::Periodic& follow;
    app::DeliverWebhooks& deliver;
};

Result<Webhooks> BuildWebhooks(const Options& options, runtime::Context& context,
                               const Storage& storage, rpc::WorkerPool& workers, Outbound& outbound,
                               transport::HttpTelemetry& telemetry);

/// The consumers of what merchants are told, and the relay of what they could not read: returns the
/// desk of these.
const inbox::DeadLetterDesk& BuildConsumers(const Options& options, runtime::Context& context,
                                            const Storage& storage, Webhooks& webhooks);

}  // namespace kessai::gateway::wiring
