#pragma once

#include <cstdint>
#include <optional>

#include "checks/in_flight.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "model/event_record.h"
#include "model/hold_rows.h"
#include "report.h"
#include "source/hold_tables.h"
#include "source/inbox_tables.h"
#include "source/paged.h"
#include "spill/sorter.h"

namespace kessai::audit {

/// Where a step's event stands. Without the topic nothing is known of it.
struct ToldStep {
    bool topic_was_read = false;
    /// It waits in payout's outbox.
    bool is_unsent = false;
    /// Its first occurrence; none: it is missing.
    std::optional<EventRecord> event;
};

/// M8 of merchants held back: reconciliation has noted every step that it has passed, and has an
/// unsettled discrepancy (or one that an operator accepted) of each merchant and day that is held,
/// of none that is released, and of nobody else. One thread at a time.
class HeldDiscrepanciesCheck {
 public:
    /// `reconciliation` is a snapshot, and `passed` its offsets in payout's topic. `payout_now` is
    /// asked for what came after payout's snapshot.
    HeldDiscrepanciesCheck(mysql::Session& reconciliation, ConsumerOffsets passed,
                           mysql::Session& payout_now, const SpillSpace& space,
                           std::int64_t began_at_us, Report& report);

    /// The last step of a hold, and its event. Holds come by their numbers.
    void Follow(const HoldStepRow& last, const ToldStep& told);
    Status Finish();

 private:
    std::uint32_t TakeNoted(std::int64_t object);
    KnownHold::State Judge(const HoldStepRow& last, const ToldStep& told);
    Status Compare(const KnownHold* known, const HeldDiscrepancyRow* discrepancy);

    mysql::Session& reconciliation_;
    const ConsumerOffsets passed_;
    mysql::Session& payout_now_;
    const std::int64_t began_at_us_;
    Report& report_;
    Paged<NotedHoldTable> noted_;
    Sorter<KnownHold> known_;
    InFlight in_flight_;
};

}  // namespace kessai::audit
