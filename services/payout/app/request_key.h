#pragma once

#include <string_view>

#include "kessai/result/result.h"

namespace kessai::payout::app {

/// What a caller may make a request unique by: 1 to 48 of letters, digits and . _ : -
/// INVALID_ARGUMENT FIELD_INVALID.
Status CheckRequestKey(std::string_view key);

}  // namespace kessai::payout::app
