#pragma once

#include <cstdint>
#include <string_view>

#include "kessai/net/task.h"

namespace kessai::gateway::app {

enum class NonceVerdict : std::uint8_t {
    /// Not seen in the window.
    kFresh,
    /// The very same signed request: an HTTP stack sent its bytes again.
    kRepeat,
    /// The nonce was used for another request.
    kReused,
    /// The memory is not there.
    kUnknown,
};

/// Remembers which nonce was used for which request, for as long as its signature is taken. One an
/// event loop.
class NonceMemory {
 public:
    virtual ~NonceMemory() = default;
    virtual net::Task<NonceVerdict> Remember(std::string_view api_key, std::string_view nonce,
                                             std::string_view epoch, std::string_view mac) = 0;
};

}  // namespace kessai::gateway::app
