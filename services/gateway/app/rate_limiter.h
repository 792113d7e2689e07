#pragma once

#include <string_view>

namespace kessai::gateway::app {

struct Rate {
    double per_second = 0;
    /// What may come at once after a pause.
    double burst = 0;
};

/// Says at once whether one more request of `key` fits its rate over all gateways. One an event
/// loop.
class RateLimiter {
 public:
    virtual ~RateLimiter() = default;
    virtual bool Take(std::string_view key, const Rate& rate) = 0;
};

}  // namespace kessai::gateway::app
