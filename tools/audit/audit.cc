#include "audit.h"

#include "checks/payment_books.h"
#include "source/snapshot.h"
#include "spill/spill_space.h"

namespace kessai::audit {
namespace {

using enum Invariant;

Status CheckPayment(const AuditOptions& options, const Clock& clock, const SpillSpace& space,
                    AuditTimes& times, Report& report) {
    KESSAI_ASSIGN_OR_RETURN(const Snapshot snapshot, Snapshot::Open(options.payment, clock));
    times.snapshot_at = snapshot.taken_at();
    return CheckPaymentBooks(snapshot.session(), space, options.hasher, report).status();
}

}  // namespace

AuditTimes RunAudit(const AuditOptions& options, const Clock& clock, AuditObserver& observer,
                    Report& report) {
    const SteadyInstant begin = clock.SteadyNow();
    const SpillSpace space(options.work_directory, options.sorter_memory_bytes);
    AuditTimes times;
    observer.OnStep("reading the payment schema");
    if (const Status status = CheckPayment(options, clock, space, times, report); !status.ok()) {
        for (const Invariant invariant : {kM1, kM2, kM3, kM4, kM5}) {
            report.CouldNotCheck(invariant, status.ToString());
        }
    }
    for (const Invariant invariant : {kM6, kM7, kM8, kM9, kBacklog}) {
        report.CouldNotCheck(invariant, "this version does not check it");
    }
    times.took = std::chrono::duration_cast<Duration>(clock.SteadyNow() - begin);
    return times;
}

}  // namespace kessai::audit
