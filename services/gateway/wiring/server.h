#pragma once

#include "kessai/runtime/main.h"
#include "options.h"
#include "transport/http_telemetry.h"
#include "transport/routes.h"
#include "wiring/loops.h"

namespace kessai::gateway::wiring {

/// The server of the interfaces, and its certificate, which is read again when it changes.
Status BuildServer(const Options& options, runtime::Context& context, const LoopServices& loops,
                   transport::HttpTelemetry& telemetry, const transport::ApiHandlers& handlers);

}  // namespace kessai::gateway::wiring
