#pragma once

#include <string_view>

#include "app/plan_store.h"

namespace kessai::payout::app {

/// Puts a new plan, or a new version of one (`plan.id`), see domain::Admit. Putting the same again
/// gives the first outcome. Thread safe.
class PutFeePlan {
 public:
    PutFeePlan(PlanStore& store, const Clock& clock) : store_(store), clock_(clock) {}

    /// Refusals: those of domain::Admit, and of the database.
    Result<domain::FeePlan> Run(const domain::FeePlan& plan, std::string_view put_by);

 private:
    PlanStore& store_;
    const Clock& clock_;
};

}  // namespace kessai::payout::app
