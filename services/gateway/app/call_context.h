#pragma once

#include <string>

#include "kessai/auth/principal.h"
#include "kessai/net/loop.h"
#include "kessai/time/clock.h"

namespace kessai::gateway::app {

/// What goes along with a request to a service behind.
struct CallContext {
    /// Whom it acts for.
    auth::PrincipalPtr caller;
    /// When the answer is no longer of use.
    SteadyInstant deadline{};
    /// W3C trace context; empty when the request is not traced.
    std::string traceparent;
    /// Where the caller waits, and goes on.
    net::Loop* loop = nullptr;
};

}  // namespace kessai::gateway::app
