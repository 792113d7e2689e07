#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "app/books.h"
#include "app/count_matches.h"
#include "app/look_again.h"
#include "app/repair_peers.h"
#include "domain/repair.h"
#include "kessai/digest/row_hash.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::app {

/// Everything that repairs work with; all must outlive it.
struct RepairPorts {
    Transactions& transactions;
    RepairPeers& peers;
    const LookAgain& look;
    CountMatches& count;
    const digest::RowHasher& hasher;
    const Clock& clock;
};

/// What a repair would do.
struct RepairPlan {
    /// For people: "payment publishes its event of …".
    std::string what{};
    /// What whoever decides should look at first; empty: nothing. The policy never orders what has
    /// one.
    std::string warning{};
    domain::CorrectionLeg leg{};
    domain::CorrectionLeg other_leg{};
};

/// Finds out what a repair would do, changing nothing: the peers are asked as by the repair itself,
/// without effect. REPAIR_NOT_ALLOWED where it could not help, and what the peers refuse.
Result<RepairPlan> PlanRepair(const RepairPorts& ports, const domain::Discrepancy& discrepancy,
                              const domain::RepairWish& wish);

/// What the journals of a discrepancy have given each merchant so far, in minor units, as payout's
/// ledger has it. Whom they gave nothing in the end is not named.
Result<std::map<domain::MerchantId, std::int64_t>> GivenBy(const RepairPorts& ports,
                                                           domain::DiscrepancyId id);

/// Use cases: an operator has a discrepancy repaired, decides on another one's wish, or gives it to
/// somebody. Each again changes nothing. What was ordered is carried out by RunRepairs. Thread
/// safe.
class OrderRepair {
 public:
    explicit OrderRepair(RepairPorts ports) : ports_(ports) {}

    /// What it would do. The refusals of Request.
    Result<RepairPlan> Preview(domain::DiscrepancyId id, const domain::RepairWish& wish) const;
    /// The same wish again gives the same repair. NOT_FOUND DISCREPANCY_UNKNOWN, those of
    /// domain::CheckWish and of PlanRepair.
    Result<domain::Repair> Request(domain::DiscrepancyId id, const domain::RepairWish& wish) const;
    /// NOT_FOUND DISCREPANCY_UNKNOWN, REPAIR_UNKNOWN, those of domain::Decide, and
    /// FAILED_PRECONDITION BOOKS_MOVED when another difference was found since than it was asked
    /// for.
    Result<domain::Repair> Decide(RepairName name, const domain::Decision& decision) const;
    /// Empty: nobody's. NOT_FOUND DISCREPANCY_UNKNOWN; INVALID_ARGUMENT FIELD_INVALID.
    Status Assign(domain::DiscrepancyId id, std::string_view owner,
                  const domain::Order& order) const;

 private:
    RepairPorts ports_;
};

}  // namespace kessai::reconciliation::app
