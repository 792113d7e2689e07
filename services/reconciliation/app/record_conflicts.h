#pragma once

#include <span>

#include "app/books.h"
#include "domain/discrepancy.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::app {

/// Use case: a side told of the same twice and differently, and the second was not applied. Thread
/// safe; works in the caller's transaction.
class RecordConflicts {
 public:
    /// It must outlive this.
    explicit RecordConflicts(const Clock& clock) : clock_(clock) {}

    Status Apply(Books& books, std::span<const domain::Finding> findings) const;

 private:
    const Clock& clock_;
};

}  // namespace kessai::reconciliation::app
