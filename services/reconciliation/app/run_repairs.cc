#include "app/run_repairs.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "app/discrepancy_changes.h"
#include "kessai/faults/fault_point.h"
#include "kessai/time/business_date.h"

namespace kessai::reconciliation::app {

namespace {

using domain::Discrepancy;
using domain::DiscrepancyKind;
using domain::Repair;
using domain::RepairKind;
using domain::RepairState;

constexpr int kRepairsPerPage = 200;
/// Between two looks at what a repair should have ended.
constexpr Duration kLookEveryMax = std::chrono::seconds(30);
/// Looked at for the policy in one round, of each kind.
constexpr int kAutomaticPerRound = 100;

/// What the policy tries a kind of repair against.
std::vector<DiscrepancyKind> AutomaticFor(RepairKind kind) {
    switch (kind) {
        case RepairKind::kPublishAgain:
            return {DiscrepancyKind::kPaymentEventMissing, DiscrepancyKind::kPayoutEventMissing,
                    DiscrepancyKind::kReleaseEventMissing};
        case RepairKind::kAccrueAgain:
            return {DiscrepancyKind::kMissingInPayout};
        case RepairKind::kRecomputeTotal:
            return {DiscrepancyKind::kDigestDiffers};
        case RepairKind::kCorrectingJournal:
            return {};
    }
    return {};
}

}  // namespace

Status CheckPolicy(const RepairPolicy& policy) {
    for (const RepairKind kind : policy.automatic) {
        if (!domain::IsSafe(kind)) {
            return Status(Code::kInvalidArgument, "POLICY_MOVES_MONEY",
                          std::string(domain::KindName(kind)) +
                              " moves money: two operators decide on it, never the policy");
        }
    }
    return OkStatus();
}

Status RunRepairs::Run(const std::stop_token& stop) {
    KESSAI_RETURN_IF_ERROR(OrderAutomatic(stop));
    RepairName after;
    while (true) {
        std::vector<Repair> page;
        KESSAI_RETURN_IF_ERROR(ports_.transactions.Run([&](Books& books) -> Status {
            KESSAI_ASSIGN_OR_RETURN(page, books.repairs.Unfinished(after, kRepairsPerPage));
            return OkStatus();
        }));
        for (const Repair& repair : page) {
            if (stop.stop_requested()) return OkStatus();
            const Status status = CarryOn(repair);
            if (!status.ok()) on_trouble_({repair.discrepancy, repair.number}, status);
            after = {repair.discrepancy, repair.number};
        }
        if (page.size() < static_cast<std::size_t>(kRepairsPerPage)) return OkStatus();
    }
}

Status RunRepairs::OrderAutomatic(const std::stop_token& stop) {
    for (const RepairKind kind : policy_.automatic) {
        for (const DiscrepancyKind about : AutomaticFor(kind)) {
            if (stop.stop_requested()) return OkStatus();
            KESSAI_RETURN_IF_ERROR(OrderAutomatic(kind, about, stop));
        }
    }
    return OkStatus();
}

// What cannot be repaired so is looked at again in a later round, when the books may have moved;
// it takes nothing of the day's number.
Status RunRepairs::OrderAutomatic(RepairKind kind, DiscrepancyKind about,
                                  const std::stop_token& stop) {
    domain::DiscrepancyId& after = looked_[{kind, about}];
    std::vector<domain::DiscrepancyId> page;
    KESSAI_RETURN_IF_ERROR(ports_.transactions.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(page,
                                books.repairs.WithoutRepair(about, after, kAutomaticPerRound));
        return OkStatus();
    }));
    const domain::RepairWish wish{
        .kind = kind, .actor = std::string(kPolicyActor), .reason = "repairs.automatic has it"};
    for (const domain::DiscrepancyId id : page) {
        if (stop.stop_requested()) return OkStatus();
        const auto plan = order_.Preview(id, wish);
        if (plan.ok()) {
            KESSAI_ASSIGN_OR_RETURN(const bool taken, TakeAutomatic());
            if (!taken) {
                if (!std::exchange(brake_, true)) {
                    on_trouble_({id, 0}, Status(Code::kResourceExhausted, "AUTOMATIC_MAX_REACHED",
                                                "the policy has ordered all it may today: "
                                                "operators order the rest"));
                }
                return OkStatus();
            }
            brake_ = false;
            const auto repair = order_.Request(id, wish);
            if (!repair.ok()) on_trouble_({id, 0}, repair.status());
        } else if (!IsForGood(plan.status())) {
            on_trouble_({id, 0}, plan.status());
        }
        after = id;
    }
    if (page.size() < static_cast<std::size_t>(kAutomaticPerRound)) after = {};
    return OkStatus();
}

Result<bool> RunRepairs::TakeAutomatic() {
    bool taken = false;
    KESSAI_RETURN_IF_ERROR(ports_.transactions.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(taken,
                                books.repairs.TakeAutomatic(BusinessDate::OfJst(ports_.clock.Now()),
                                                            policy_.automatic_max_per_day));
        return OkStatus();
    }));
    return taken;
}

Status RunRepairs::CarryOn(const Repair& read) {
    Repair repair = read;
    Discrepancy discrepancy;
    KESSAI_RETURN_IF_ERROR(ports_.transactions.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(discrepancy, books.discrepancies.Find(repair.discrepancy));
        return OkStatus();
    }));
    const auto end = [&](RepairState state, std::string why) {
        return Store(repair, [this, &repair, state, why = std::move(why)](const Discrepancy& now) {
            return domain::End(now, repair, state, why, ports_.clock.Now());
        });
    };
    // A late event, or a run.
    if (discrepancy.state() == domain::DiscrepancyState::kRepaired) {
        if (repair.kind != RepairKind::kCorrectingJournal) {
            return end(RepairState::kRepaired,
                       "the difference is gone: " + discrepancy.latest.note);
        }
        // Money that was approved moves only if it has begun to.
        if (repair.state == RepairState::kPending) {
            KESSAI_ASSIGN_OR_RETURN(const bool given_up, GiveUp(ports_, discrepancy, repair));
            if (given_up) {
                return end(RepairState::kFailed, "nothing was posted, the difference is gone: " +
                                                     discrepancy.latest.note);
            }
        }
    }
    if (repair.state == RepairState::kPending) {
        KESSAI_FAULT_POINT("reconciliation.repair.before_effect");
        const auto done = CarryOut(ports_, discrepancy, repair);
        KESSAI_FAULT_POINT("reconciliation.repair.after_effect");
        if (!done.ok()) {
            if (!IsForGood(done.status())) return done.status();
            // An earlier try may be on the way, or have come through: then it goes on.
            KESSAI_ASSIGN_OR_RETURN(const bool given_up, GiveUp(ports_, discrepancy, repair));
            if (!given_up) return done.status();
            return end(RepairState::kFailed, done.status().ToString());
        }
        KESSAI_RETURN_IF_ERROR(Store(repair, [&](const Discrepancy& now) {
            domain::RepairMove move = domain::CarriedOut(now, repair, *done, ports_.clock.Now());
            return move;
        }));
        KESSAI_FAULT_POINT("reconciliation.repair.after_carried_out");
        std::vector<Repair> stored;
        KESSAI_RETURN_IF_ERROR(ports_.transactions.Run([&](Books& books) -> Status {
            KESSAI_ASSIGN_OR_RETURN(stored, books.repairs.Of(repair.discrepancy));
            return OkStatus();
        }));
        for (const Repair& one : stored) {
            if (one.number == repair.number) repair = one;
        }
        if (repair.state != RepairState::kVerifying) return OkStatus();
    }
    const RepairName name{repair.discrepancy, repair.number};
    if (!IsTimeToLook(name, repair)) return OkStatus();
    const auto look = ports_.look.Run(discrepancy, repair);
    // A day's books are shown when it is closed.
    if (look.status().reason() == "DAY_OPEN") return OkStatus();
    if (!look.ok()) return look.status();
    if (look->gone) return end(RepairState::kRepaired, look->seen);
    if (ports_.clock.Now() - repair.carried_out_at < policy_.patience) return OkStatus();
    return end(RepairState::kWithoutEffect, "REPAIR_WITHOUT_EFFECT, still there: " + look->seen);
}

// What has not been seen soon comes later, if at all: a look costs questions to both books.
bool RunRepairs::IsTimeToLook(const RepairName& name, const Repair& repair) {
    const SteadyInstant now = ports_.clock.SteadyNow();
    const auto looked = looked_at_.find(name);
    if (looked != looked_at_.end()) {
        const Duration age = ports_.clock.Now() - repair.carried_out_at;
        if (now - looked->second < std::min(age / 4, kLookEveryMax)) return false;
    }
    looked_at_[name] = now;
    return true;
}

Status RunRepairs::Store(
    const Repair& read, const std::function<domain::RepairMove(const domain::Discrepancy&)>& move) {
    std::optional<Repair> ended;
    KESSAI_RETURN_IF_ERROR(ports_.transactions.Run([&](Books& books) -> Status {
        ended.reset();
        KESSAI_ASSIGN_OR_RETURN(const Discrepancy discrepancy,
                                books.discrepancies.LockOne(read.discrepancy));
        KESSAI_ASSIGN_OR_RETURN(const auto repairs, books.repairs.Of(read.discrepancy));
        for (const Repair& one : repairs) {
            // Another replica may have carried it on.
            if (one.number != read.number || one.state != read.state) continue;
            const domain::RepairMove moved = move(discrepancy);
            if (domain::Ended(moved.repair.state)) ended = moved.repair;
            DiscrepancyChanges changes(ports_.clock.Now());
            changes.Add({moved.discrepancy, moved.discrepancy.latest, moved.repair});
            return changes.Store(books);
        }
        return OkStatus();
    }));
    if (ended) {
        looked_at_.erase({ended->discrepancy, ended->number});
        on_end_(*ended);
    }
    return OkStatus();
}

}  // namespace kessai::reconciliation::app
