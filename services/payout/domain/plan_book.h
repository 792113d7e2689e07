#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "domain/fee_plan.h"
#include "domain/plan_assignment.h"
#include "domain/timeline.h"

namespace kessai::payout::domain {

/// What a merchant's tier follows: its gross of a month, sales less returns, by the business days
/// that were closed when it was fixed. Never changed: a later month's takes its place.
struct MonthVolume {
    MerchantId merchant;
    /// The month's first day.
    BusinessDate month;
    std::int64_t volume = 0;
    /// The first day that it counts for: one without changes when it was fixed, so normally the
    /// second of the month after.
    BusinessDate effective_from;
    /// As of plans.
    std::int64_t revision = 0;

    bool operator==(const MonthVolume&) const = default;
};

/// All there is up to a revision, and above another.
struct PlanUpdates {
    std::int64_t revision = 0;
    std::vector<FeePlan> plans;
    std::vector<PlanAssignment> assignments;
    std::vector<MonthVolume> volumes;
};

/// Which plan a merchant is under on a day.
struct PlanInForce {
    /// Null: none.
    const FeePlan* plan = nullptr;
    /// When the merchant came under it: the first day of its own plan, or of its assignment (and of
    /// those to the same plan right before it).
    BusinessDate since;
};

/// The days of each version of several plans, by their days.
std::vector<Span<FeePlan>> SpansOfPlans(std::span<const FeePlan> versions);
/// The days of each assignment of one merchant, by their days.
std::vector<Span<PlanAssignment>> SpansOfAssignments(std::span<const PlanAssignment> assignments);

/// All plan versions, assignments and volumes, and what they say of a merchant and day. Not thread
/// safe.
class PlanBook {
 public:
    PlanBook() = default;
    PlanBook(const PlanBook&) = delete;
    PlanBook& operator=(const PlanBook&) = delete;
    PlanBook(PlanBook&&) = default;
    PlanBook& operator=(PlanBook&&) = default;

    /// They may come in any order; what is already there changes nothing.
    void Add(const FeePlan& plan);
    void Add(const PlanAssignment& assignment);
    void Add(const MonthVolume& volume);
    void Add(const PlanUpdates& updates);

    /// The merchant's own plan in force on `day`, else the shared one it is assigned to, else the
    /// default plan. The pointer lives as long as the book.
    PlanInForce Find(MerchantId merchant, BusinessDate day) const;
    const FeePlan* InForce(MerchantId merchant, BusinessDate day) const {
        return Find(merchant, day).plan;
    }
    /// Null when there is no such version.
    const FeePlan* Version(PlanId id, std::uint32_t version) const;

    /// The volume that the merchant's tier follows on `day`: of the latest month that was fixed for
    /// it by then; zero when none was.
    std::int64_t VolumeOn(MerchantId merchant, BusinessDate day) const {
        return FixedVolumeOn(merchant, day).value_or(0);
    }
    /// The same; nothing when none was.
    std::optional<std::int64_t> FixedVolumeOn(MerchantId merchant, BusinessDate day) const;

    /// The highest revision added; 0 when empty.
    std::int64_t revision() const { return revision_; }

 private:
    template <class Of>
    struct Period {
        BusinessDate from;
        BusinessDate to;
        BusinessDate since;
        Of of;
    };
    struct OfPlan {
        std::vector<const FeePlan*> versions;
        std::vector<Period<const FeePlan*>> timeline;
    };
    struct OfMerchant {
        std::vector<const FeePlan*> versions;
        /// Which version each day belongs to: in order of days, without overlap.
        std::vector<Period<const FeePlan*>> timeline;
        std::vector<const PlanAssignment*> assignments;
        std::vector<Period<PlanId>> assigned;
        /// By the day they count from.
        std::vector<const MonthVolume*> volumes;
    };
    template <class Of>
    static const Period<Of>* PeriodOf(const std::vector<Period<Of>>& timeline, BusinessDate day);
    static std::vector<Period<const FeePlan*>> TimelineOf(
        const std::vector<const FeePlan*>& versions);

    /// What pointers point into: nothing is moved or erased.
    std::deque<FeePlan> plans_;
    std::deque<PlanAssignment> assignments_;
    std::deque<MonthVolume> volumes_;

    std::map<std::pair<PlanId, std::uint32_t>, const FeePlan*> by_version_;
    std::unordered_map<MerchantId, OfMerchant> merchants_;
    std::unordered_map<PlanId, OfPlan> shared_;
    std::int64_t revision_ = 0;
};

}  // namespace kessai::payout::domain
