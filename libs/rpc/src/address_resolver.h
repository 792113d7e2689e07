#pragma once

#include <string>
#include <vector>

#include "kessai/result/result.h"

namespace kessai::rpc {

struct HostPort {
    std::string host;
    std::string port;
};

/// "dns:///a.b.:7443", "10.0.0.1:1,10.0.0.2:1", "[::1]:5", "ipv4:127.0.0.1:5": its hosts and ports.
/// INVALID_ARGUMENT TARGET_MALFORMED.
Result<std::vector<HostPort>> ParseTarget(const std::string& target);

/// All addresses of all of them by the system's resolver, as gRPC writes them
/// ("ipv4:10.0.0.1:7443"), sorted, each once. Blocks. UNAVAILABLE NAME_UNRESOLVED when one has
/// none.
Result<std::vector<std::string>> ResolveAddresses(const std::vector<HostPort>& hosts);

/// Whether there is nothing to ask a resolver.
bool AllNumeric(const std::vector<HostPort>& hosts);

}  // namespace kessai::rpc
