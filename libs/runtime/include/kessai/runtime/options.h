#pragma once

#include <cstdint>
#include <string>

#include "kessai/config/schema.h"
#include "kessai/log/log.h"
#include "kessai/tracing/tracer.h"

namespace kessai::runtime {

/// The keys under `service`, which every service has.
struct ServiceOptions {
    /// How the service calls itself in logs, metrics and spans.
    std::string name;
    std::string admin_host = "127.0.0.1";
    std::uint16_t admin_port = 0;
    /// From the end of readiness to the end of accepting: at least what load balancers and clients
    /// need to hear of it.
    Duration drain_delay = std::chrono::seconds(5);
    /// For finishing what was accepted: at least the longest deadline of a call.
    Duration drain_timeout = std::chrono::seconds(20);
    /// For stopping all components after that.
    Duration stop_timeout = std::chrono::seconds(10);
};

/// What the runtime itself reads: sections `service`, `log` and `tracing`.
struct Options {
    ServiceOptions service;
    log::Options log;
    tracing::Options tracing;
};

void Describe(config::Schema& schema, Options& options);

}  // namespace kessai::runtime
