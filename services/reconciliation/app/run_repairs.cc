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
constexpr int kDiscrepanciesPerPage = 1'000;
/// Between two looks at what a repair should have ended.
constexpr Duration kLookEveryMax = std::chrono::seconds(30);
/// Looked at for the policy in one round, of each kind.
constexpr int kAutomaticPerRound = 100;
/// What cannot be repaired now is looked at again so soon, then after twice as long, and so on: a
/// look may cost a peer seconds.
constexpr Duration kLookLaterFirst = std::chrono::seconds(1);
constexpr Duration kLookLaterMax = std::chrono::minutes(10);

/// What the policy tries a kind of repair against.
std::vector<DiscrepancyKind> AutomaticFor(RepairKind kind) {
    switch (kind) {
        case RepairKind::kPublishAgain:
            return {DiscrepancyKind::kPaymentEventMissing, DiscrepancyKind::kPayoutEventMissing,
                    DiscrepancyKind::kReleaseEventMissing};
        case RepairKind::kAccrueAgain:
            return {DiscrepancyKind::kMissingInPayout, DiscrepancyKind::kDateDiffers};
        case RepairKind::kRecomputeTotal:
            return {DiscrepancyKind::kDigestDiffers, DiscrepancyKind::kAccruedDiffers};
        case RepairKind::kCorrectingJournal:
            return {};
    }
    return {};
}

/// Whether it is said of what the books have of a change.
bool IsOfRows(DiscrepancyKind kind) {
    using enum DiscrepancyKind;
    switch (kind) {
        case kMissingInPayout:
        case kMissingInPayment:
        case kAmountDiffers:
        case kMerchantDiffers:
        case kDateDiffers:
        case kPaymentEventMissing:
        case kPayoutEventMissing:
        case kMissingInBoth:
        case kChangedInBoth:
            return true;
        default:
            return false;
    }
}

/// Whether it puts a change back, or has it told once more: then things around it may have to
/// follow.
bool BringsBack(const Repair& repair) {
    return repair.kind == RepairKind::kPublishAgain || repair.kind == RepairKind::kAccrueAgain;
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
    differing_.clear();
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
    std::vector<OpenDiscrepancy> page;
    KESSAI_RETURN_IF_ERROR(ports_.transactions.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(page, books.repairs.OpenOf(about, after, kAutomaticPerRound));
        return OkStatus();
    }));
    for (const OpenDiscrepancy& open : page) {
        const domain::DiscrepancyId id = open.id;
        if (stop.stop_requested()) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(const auto wish, WishOf(kind, open));
        if (!wish) {
            after = id;
            continue;
        }
        const auto plan = order_.Preview(id, *wish);
        if (plan.ok() && plan->warning.empty()) {
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
            later_.erase({kind, id});
            const auto repair = order_.Request(id, *wish);
            if (!repair.ok()) on_trouble_({id, 0}, repair.status());
        } else {
            LookLater(kind, open);
            if (!plan.ok() && !IsForGood(plan.status())) on_trouble_({id, 0}, plan.status());
        }
        after = id;
    }
    if (page.size() < static_cast<std::size_t>(kAutomaticPerRound)) {
        after = {};
        ForgetOld();
    }
    return OkStatus();
}

// A repair that ended otherwise than REPAIRED is a person's: the same would come of it again. One
// whose difference came back is another, but not for ever: something makes it come back.
Result<std::optional<domain::RepairWish>> RunRepairs::WishOf(RepairKind kind,
                                                             const OpenDiscrepancy& open) {
    const domain::DiscrepancyId id = open.id;
    const auto later = later_.find({kind, id});
    if (later != later_.end() && later->second.step == open.step &&
        ports_.clock.SteadyNow() < later->second.at) {
        return std::optional<domain::RepairWish>();
    }
    Discrepancy discrepancy;
    std::vector<Repair> repairs;
    std::map<domain::DiscrepancyId, std::vector<domain::Step>> steps;
    KESSAI_RETURN_IF_ERROR(ports_.transactions.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(discrepancy, books.discrepancies.Find(id));
        KESSAI_ASSIGN_OR_RETURN(repairs, books.repairs.Of(id));
        if (repairs.empty()) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(steps, books.discrepancies.Steps({&id, 1}));
        return OkStatus();
    }));
    if (!domain::IsUntried(steps[id], repairs)) return std::optional<domain::RepairWish>();
    const domain::Subject& subject = discrepancy.finding.subject;
    if (subject.kind == DiscrepancyKind::kDigestDiffers) {
        KESSAI_ASSIGN_OR_RETURN(
            const bool differ,
            HasDifferingRows(subject.business_date, static_cast<int>(subject.bucket)));
        if (differ) return std::optional<domain::RepairWish>();
    }
    const auto tried = std::ranges::count(repairs, kPolicyActor, &Repair::requested_by);
    if (tried >= policy_.automatic_max_per_discrepancy) {
        if (worn_out_.insert(id).second) {
            on_trouble_({id, 0},
                        Status(Code::kResourceExhausted, "AUTOMATIC_MAX_PER_DISCREPANCY_REACHED",
                               "it was repaired " + std::to_string(tried) +
                                   " times and is found again: a person has to see why"));
        }
        return std::optional<domain::RepairWish>();
    }
    std::string reason = "repairs.automatic has it";
    // Another wish than the one before.
    if (tried > 0) reason += "; found again after " + std::to_string(tried);
    return std::optional(domain::RepairWish{
        .kind = kind, .actor = std::string(kPolicyActor), .reason = std::move(reason)});
}

Result<bool> RunRepairs::HasDifferingRows(BusinessDate day, int bucket) {
    const auto [known, is_new] = differing_.try_emplace(day);
    if (!is_new) return known->second.contains(bucket);
    for (const auto state : {domain::DiscrepancyState::kOpen, domain::DiscrepancyState::kExplained,
                             domain::DiscrepancyState::kRepairing}) {
        DiscrepancyFilter filter{
            .state = state, .business_date = day, .limit = kDiscrepanciesPerPage};
        std::vector<Discrepancy> page;
        do {
            const Status read = ports_.transactions.Run([&](Books& books) -> Status {
                KESSAI_ASSIGN_OR_RETURN(page, books.discrepancies.List(filter));
                return OkStatus();
            });
            if (!read.ok()) {
                differing_.erase(day);
                return read;
            }
            for (const Discrepancy& one : page) {
                if (!IsOfRows(one.finding.subject.kind)) continue;
                known->second.insert(digest::BucketOf(one.finding.subject.change.payment.value()));
            }
            if (!page.empty()) filter.before = page.back().id;
        } while (page.size() == static_cast<std::size_t>(kDiscrepanciesPerPage));
    }
    return known->second.contains(bucket);
}

// One that was found again begins anew.
void RunRepairs::LookLater(RepairKind kind, const OpenDiscrepancy& open) {
    Later& later = later_[{kind, open.id}];
    if (later.step != open.step) later = {.step = open.step};
    later.wait = std::clamp(later.wait * 2, kLookLaterFirst, kLookLaterMax);
    later.at = ports_.clock.SteadyNow() + later.wait;
}

// What is still there is looked at when its time comes, and gets another one.
void RunRepairs::ForgetOld() {
    const SteadyInstant now = ports_.clock.SteadyNow();
    std::erase_if(later_, [&](const auto& one) { return one.second.at + kLookLaterMax < now; });
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
    const auto end = [&](RepairState state, std::string why) -> Status {
        std::optional<Around> around;
        bool money_stands = false;
        if (state == RepairState::kRepaired) {
            KESSAI_ASSIGN_OR_RETURN(around, LookAround(discrepancy, repair));
        }
        if (repair.kind == RepairKind::kCorrectingJournal) {
            KESSAI_ASSIGN_OR_RETURN(const auto given, GivenBy(ports_, discrepancy.id));
            money_stands = !given.empty();
        }
        return Store(
            repair,
            [this, &repair, state, money_stands, why = std::move(why)](const Discrepancy& now) {
                return domain::End(now, repair, state, why, ports_.clock.Now(), money_stands);
            },
            around);
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

Result<std::optional<RunRepairs::Around>> RunRepairs::LookAround(const Discrepancy& discrepancy,
                                                                 const Repair& repair) const {
    if (!BringsBack(repair)) return std::optional<Around>();
    const domain::Subject& subject = discrepancy.finding.subject;
    const int bucket = digest::BucketOf(subject.change.payment.value());
    auto digests = ports_.look.WrongDigests(subject.business_date, bucket);
    // A day's books are shown when it is closed; its run comes then.
    if (digests.status().reason() == "DAY_OPEN") return std::optional<Around>();
    KESSAI_RETURN_IF_ERROR(digests.status());
    KESSAI_ASSIGN_OR_RETURN(auto of_change,
                            ports_.look.FindingsOf(subject.business_date, subject.change));
    return std::optional(Around{*std::move(digests), std::move(of_change)});
}

Status RunRepairs::RecordAround(Books& books, const Discrepancy& repaired, const Around& around,
                                DiscrepancyChanges& changes) const {
    const domain::Subject& subject = repaired.finding.subject;
    // As found by the day's latest run, so that a deep one that does not find it settles it.
    KESSAI_ASSIGN_OR_RETURN(auto run, books.days.LatestRun(subject.business_date));
    if (run) run->deep = true;
    KESSAI_RETURN_IF_ERROR(changes.AddFindings(books, around.digests, run ? &*run : nullptr));
    // A row that was another in several ways is right in all of them.
    KESSAI_ASSIGN_OR_RETURN(const auto others,
                            books.discrepancies.LockUnsettled({&subject.change, 1}));
    for (const Discrepancy& other : others) {
        const bool is_there = std::ranges::any_of(around.of_change, [&](const auto& finding) {
            return finding.subject == other.finding.subject;
        });
        if (other.id == repaired.id || other.open_repair != 0 || is_there ||
            !IsOfRows(other.finding.subject.kind)) {
            continue;
        }
        changes.AddGone(other, "seen gone with a repair of discrepancy " + repaired.id.ToString());
    }
    // What was told again may be counted twice: the check against payout shows it.
    return books.payout.AskForCheck(subject.business_date);
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

Status RunRepairs::Store(const Repair& read,
                         const std::function<domain::RepairMove(const domain::Discrepancy&)>& move,
                         const std::optional<Around>& around) {
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
            if (around) {
                KESSAI_RETURN_IF_ERROR(RecordAround(books, moved.discrepancy, *around, changes));
            }
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
