#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kessai/result/result.h"

namespace kessai::statementfile::internal {

/// The fields of one line (RFC 4180, but that a quoted field may not go over the line's end: a lost
/// quote would take other lines with it). Refuses with QUOTE_MALFORMED.
Result<std::vector<std::string>> SplitCsvLine(std::string_view line, char delimiter);

}  // namespace kessai::statementfile::internal
