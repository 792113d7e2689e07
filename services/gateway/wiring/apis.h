#pragma once

#include "kessai/inbox/dead_letter_desk.h"
#include "kessai/rpc/worker_pool.h"
#include "kessai/runtime/main.h"
#include "options.h"
#include "transport/routes.h"
#include "wiring/loops.h"
#include "wiring/storage.h"
#include "wiring/upstreams.h"
#include "wiring/webhooks.h"

namespace kessai::gateway::wiring {

/// The handlers of all routes but the development issuer's. What is given must outlive the
/// context's services.
void BuildApis(const Options& options, runtime::Context& context, const Storage& storage,
               rpc::WorkerPool& workers, const Upstreams& upstreams, const LoopServices& loops,
               Webhooks& webhooks, const inbox::DeadLetterDesk& dead_letters,
               transport::ApiHandlers& handlers);

}  // namespace kessai::gateway::wiring
