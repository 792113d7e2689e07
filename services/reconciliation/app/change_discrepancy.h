#pragma once

#include "app/books.h"
#include "domain/discrepancy.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::app {

/// Use case: an operator moves a discrepancy to another state and says why. An order given again
/// changes nothing. Refusals: NOT_FOUND DISCREPANCY_UNKNOWN, and those of domain::Carry.
class ChangeDiscrepancy {
 public:
    /// Both must outlive it.
    ChangeDiscrepancy(Transactions& transactions, const Clock& clock)
        : transactions_(transactions), clock_(clock) {}

    Status Run(domain::DiscrepancyId id, const domain::Order& order);

 private:
    Transactions& transactions_;
    const Clock& clock_;
};

}  // namespace kessai::reconciliation::app
