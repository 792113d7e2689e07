#pragma once

#include <map>
#include <string>

#include "kessai/result/result.h"
#include "model/history_rows.h"

namespace kessai::audit {

/// The ends of the audit trail's slots, by slot, as an audit saw them.
using TrailEnds = std::map<int, AuditHeadRow>;

/// What an earlier audit left in `path`: a line a slot, its number, the number of its last anchor,
/// and that one's hash. Nothing if there is no such file. INVALID_ARGUMENT TRAIL_ENDS_INVALID, and
/// NOT_FOUND FILE_UNREADABLE for one that cannot be read.
Result<TrailEnds> ReadTrailEnds(const std::string& path);

/// Replaces it, durably: it is the old file or the new one. INTERNAL FILE_NOT_WRITTEN.
Status WriteTrailEnds(const std::string& path, const TrailEnds& ends);

}  // namespace kessai::audit
