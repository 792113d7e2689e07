#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include "app/plan_store.h"

namespace kessai::payout::app {

/// Fixes what tiers follow. Once a month is over and all of its days are closed, each merchant of a
/// plan with tiers gets its gross of the month written down, in force from the first day that can
/// have no changes yet: normally the second of the month after. Until then the month before counts,
/// and for one that had none, zero. So a day that may have changes never gets another tier, and
/// whoever computes a fee again finds the same one. A merchant that comes under such a plan later
/// gets the last such month at once, in the same way.
///
/// What comes to a merchant's closed day afterwards, because it was left open, counts no more.
/// Thread safe; any number of processes may do it.
class FixMonthVolumes {
 public:
    FixMonthVolumes(PlanStore& store, const Clock& clock) : store_(store), clock_(clock) {}

    /// Gives how many were fixed. Nothing to do costs three look-ups.
    Result<std::int64_t> RunOnce();

 private:
    /// A month and revision at which nobody lacked a volume.
    using Done = std::pair<BusinessDate, std::int64_t>;

    Result<std::int64_t> FixSome(BusinessDate month, std::span<const domain::MerchantId> merchants);

    PlanStore& store_;
    const Clock& clock_;
    std::mutex mutex_;
    std::optional<Done> done_;
};

}  // namespace kessai::payout::app
