#pragma once

#include <span>

#include "app/books.h"
#include "domain/hold_notice.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::app {

/// Use case: payout holds back a merchant's day, which is a discrepancy until it is released.
/// Thread safe; works in the caller's transaction.
class NoteHolds {
 public:
    /// It must outlive this.
    explicit NoteHolds(const Clock& clock) : clock_(clock) {}

    /// In the order in which payout told them, of each hold rising, none that was noted before.
    Status Apply(Books& books, std::span<const domain::HoldNotice> notices) const;

 private:
    Status ApplyEachOnce(Books& books, std::span<const domain::HoldNotice> notices) const;

    const Clock& clock_;
};

}  // namespace kessai::reconciliation::app
