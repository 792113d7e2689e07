#pragma once

#include "kessai/time/clock.h"

namespace kessai::gateway::wiring {

/// How often a gateway looks for what others changed: merchants' credentials and endpoints.
inline constexpr Duration kFollowChangesEvery = std::chrono::seconds(2);

}  // namespace kessai::gateway::wiring
