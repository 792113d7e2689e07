#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "app/plan_store.h"

namespace kessai::payout::app {

/// Puts merchants under a shared plan, or under none any more, from a day on. Thread safe.
class AssignFeePlan {
 public:
    static constexpr std::size_t kMerchantsMax = 500;

    AssignFeePlan(PlanStore& store, const Clock& clock) : store_(store), clock_(clock) {}

    struct Wish {
        domain::PlanId plan;
        BusinessDate effective_from;
        std::optional<BusinessDate> effective_to;
    };
    /// All of the merchants or, when one is refused, none. Gives each one's assignment, in order of
    /// merchant; doing the same again gives the first outcome.
    /// Refusals: INVALID_ARGUMENT FIELD_INVALID (no merchant, one twice, or too many), those of
    /// domain::Admit of the first merchant that has one, and of the database.
    Result<std::vector<domain::PlanAssignment>> Run(std::span<const domain::MerchantId> merchants,
                                                    const Wish& wish, std::string_view put_by);

 private:
    PlanStore& store_;
    const Clock& clock_;
};

}  // namespace kessai::payout::app
