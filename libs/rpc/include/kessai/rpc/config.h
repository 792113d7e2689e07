#pragma once

#include "kessai/config/schema.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/tls.h"

namespace kessai::rpc {

// Link kessai_rpc_config.

/// Where the server listens (listen_host and listen_port, put together) and its bounds.
void Describe(config::Schema& schema, ServerOptions& options);
/// The certificate files of a process, both as server and as client.
void Describe(config::Schema& schema, TlsFiles& options);

}  // namespace kessai::rpc
