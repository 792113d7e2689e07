#pragma once

#include <string_view>

namespace kessai::runtime {

/// What this binary was built from.
struct BuildInfo {
    std::string_view version;
    /// The first twelve digits of the commit, or "unknown".
    std::string_view commit;
    std::string_view build_type;
};

const BuildInfo& ThisBuild();

}  // namespace kessai::runtime
