#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "app/books.h"
#include "domain/discrepancy.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::app {

/// Gathers what one transaction does to discrepancies, so that it is stored and published at once.
/// Each discrepancy is touched once.
class DiscrepancyChanges {
 public:
    explicit DiscrepancyChanges(Instant now) : now_(now) {}

    /// Found by events, or by run `run` of `day` (0: by events). Known ones get a step only if
    /// there is something new. Locks them.
    Status AddFindings(Books& books, std::span<const domain::Finding> findings,
                       const domain::DayRun* run);
    /// `discrepancy`, which is locked, is gone.
    void AddGone(const domain::Discrepancy& discrepancy, std::string_view why);
    void Add(DiscrepancyChange change) { changes_.push_back(std::move(change)); }

    Status Store(Books& books) const;

 private:
    Instant now_;
    std::vector<DiscrepancyChange> changes_;
};

}  // namespace kessai::reconciliation::app
