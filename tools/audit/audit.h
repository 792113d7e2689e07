#pragma once

#include "kessai/time/clock.h"
#include "options.h"
#include "report.h"

namespace kessai::audit {

/// How an audit went, beside what it found.
struct AuditTimes {
    /// The payment database's clock: changes committed before are what was checked. The epoch when
    /// it could not be reached.
    Instant snapshot_at;
    /// How long it waited for them to arrive downstream.
    Duration waited{};
    Duration took{};
};

/// Told what is being done, in a few words.
class AuditObserver {
 public:
    virtual ~AuditObserver() = default;
    virtual void OnStep(std::string_view text) = 0;
};

/// Audits a platform that may be running. What cannot be read is in the report, by invariant.
AuditTimes RunAudit(const AuditOptions& options, const Clock& clock, AuditObserver& observer,
                    Report& report);

}  // namespace kessai::audit
