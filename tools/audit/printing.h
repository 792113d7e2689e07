#pragma once

#include <string>

#include "audit.h"
#include "report.h"

namespace kessai::audit {

/// The exit code that `kUsage` promises.
int ExitCode(const Report& report);

/// For people: a line an invariant with what was looked at and found, its findings below it, and
/// the verdict at the end.
std::string AsText(const Report& report, const AuditTimes& times);

/// For programs, one object without line breaks:
///
///     {"verdict": "clean" | "found" | "incomplete", "exit_code": 0, "found": 0,
///      "snapshot_at_us": …, "waited_ms": …, "took_ms": …,
///      "invariants": {"M1": {"found": 2, "looked_at": {"journals": 12, …},
///                            "findings": [{"what": "posting's amount", "count": 2,
///                                          "examples": [{"subject": {"object": 7, "version": 1,
///                                          …},
///                                                        "expected": "-700", "found": "700"}]}],
///                            "not_checked": ["…"], "notes": ["…"]}, …}}
std::string AsJson(const Report& report, const AuditTimes& times);

}  // namespace kessai::audit
