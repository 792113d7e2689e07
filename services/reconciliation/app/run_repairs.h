#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/order_repair.h"
#include "domain/repair.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::app {

class DiscrepancyChanges;

/// The actor of repairs that nobody ordered.
inline constexpr std::string_view kPolicyActor = "policy";

/// What is repaired by itself.
struct RepairPolicy {
    /// None that moves money: CheckPolicy.
    std::vector<domain::RepairKind> automatic{};
    /// A broken peer must not make a flood of repairs. A day is one in Japan.
    int automatic_max_per_day = 1'000;
    /// Of a discrepancy that is found again and again: then it is a person's.
    int automatic_max_per_discrepancy = 3;
    /// How long after it was carried out the difference may still be there.
    Duration patience = std::chrono::minutes(2);
};

/// INVALID_ARGUMENT when the policy would move money by itself.
Status CheckPolicy(const RepairPolicy& policy);

/// Use case: carry on what repairs have not ended, and order those that the policy orders by
/// itself.
///
/// What a repair put back may show that something else has to follow: the digests around a change,
/// and the totals that an event was counted in twice. Those are looked at before the repair ends,
/// and recorded with its end.
///
/// Each step of a repair is asked of the other service first, which does it once however often it
/// is asked, and then noted: so whoever is killed in between asks again. One replica at a time
/// should run it; two do no harm. One thread at a time.
class RunRepairs {
 public:
    /// Told of every repair that ended, and of one that could not be carried on now.
    using OnEnd = std::function<void(const domain::Repair&)>;
    using OnTrouble = std::function<void(const RepairName&, const Status&)>;

    RunRepairs(RepairPorts ports, RepairPolicy policy, OnEnd on_end, OnTrouble on_trouble)
        : ports_(ports),
          order_(ports),
          policy_(std::move(policy)),
          on_end_(std::move(on_end)),
          on_trouble_(std::move(on_trouble)) {}

    /// Carries each one on as far as it gets now. Refuses when they cannot be read.
    Status Run(const std::stop_token& stop);

 private:
    Status OrderAutomatic(const std::stop_token& stop);
    /// Looks at some discrepancies of a kind, and goes on behind them next time.
    Status OrderAutomatic(domain::RepairKind kind, domain::DiscrepancyKind about,
                          const std::stop_token& stop);
    /// What the policy would order of a discrepancy; nullopt: it is a person's, or its time has not
    /// come.
    Result<std::optional<domain::RepairWish>> WishOf(domain::RepairKind kind,
                                                     const OpenDiscrepancy& open);
    /// Whether a bucket of the day has a change whose rows are said to differ: its digests wait for
    /// that, and nobody has to be asked.
    Result<bool> HasDifferingRows(BusinessDate day, int bucket);
    /// It cannot be repaired so now: looked at again later, and later still.
    void LookLater(domain::RepairKind kind, const OpenDiscrepancy& open);
    void ForgetOld();
    Result<bool> TakeAutomatic();
    Status CarryOn(const domain::Repair& repair);
    /// What was seen with the end of a repair that brought a change back.
    struct Around {
        /// Digests that do not fit their rows, now that it is back.
        std::vector<domain::Finding> digests{};
        /// What is found of the change still.
        std::vector<domain::Finding> of_change{};
    };
    Result<std::optional<Around>> LookAround(const domain::Discrepancy& discrepancy,
                                             const domain::Repair& repair) const;
    Status RecordAround(Books& books, const domain::Discrepancy& repaired, const Around& around,
                        DiscrepancyChanges& changes) const;
    bool IsTimeToLook(const RepairName& name, const domain::Repair& repair);
    /// Stores what `move` gives if the repair is still as it was read, and `around` with it.
    Status Store(const domain::Repair& read,
                 const std::function<domain::RepairMove(const domain::Discrepancy&)>& move,
                 const std::optional<Around>& around = std::nullopt);

    struct Later {
        /// Of the discrepancy then.
        std::uint32_t step = 0;
        SteadyInstant at{};
        Duration wait{};
    };

    RepairPorts ports_;
    OrderRepair order_;
    const RepairPolicy policy_;
    const OnEnd on_end_;
    const OnTrouble on_trouble_;
    std::map<RepairName, SteadyInstant> looked_at_;
    std::map<std::pair<domain::RepairKind, domain::DiscrepancyId>, Later> later_;
    /// Buckets with such changes, by day; read once a round.
    std::map<BusinessDate, std::set<int>> differing_;
    /// Those that the policy has ordered all it may for, as far as it was said.
    std::set<domain::DiscrepancyId> worn_out_;
    /// The policy has ordered all it may today.
    bool brake_ = false;
    std::map<std::pair<domain::RepairKind, domain::DiscrepancyKind>, domain::DiscrepancyId> looked_;
};

/// Asks the peers for the effect of a pending repair; gives what was done, for its history.
Result<std::string> CarryOut(const RepairPorts& ports, const domain::Discrepancy& discrepancy,
                             const domain::Repair& repair);

/// Makes sure that a pending repair moves no money from now on, whatever call of it is still on the
/// way. False: it has.
Result<bool> GiveUp(const RepairPorts& ports, const domain::Discrepancy& discrepancy,
                    const domain::Repair& repair);

}  // namespace kessai::reconciliation::app
