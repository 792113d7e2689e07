#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "kessai/result/result.h"

namespace kessai::gateway::app {

/// Which of our users an issuer's subject is. Once made, that never changes. Blocks; thread safe.
class UserDirectory {
 public:
    virtual ~UserDirectory() = default;
    /// Nothing when the subject never signed in.
    virtual Result<std::optional<std::int64_t>> Find(std::string_view issuer,
                                                     std::string_view subject) = 0;
    /// The user's id; made when there is none. Safe to run at once for the same subject anywhere.
    virtual Result<std::int64_t> FindOrCreate(std::string_view issuer,
                                              std::string_view subject) = 0;
};

}  // namespace kessai::gateway::app
