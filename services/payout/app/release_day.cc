#include "app/release_day.h"

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "app/judge_chunk.h"
#include "app/parallel.h"
#include "domain/reason.h"
#include "kessai/faults/fault_point.h"

namespace kessai::payout::app {
namespace {

using domain::DayState;

Status DayOpen(BusinessDate day) {
    return Status(Code::kFailedPrecondition, domain::reason::kDayOpen,
                  day.ToString() + " is not closed");
}

/// A round is under way, or what its process left when it died; a release goes on with it.
Status ReleaseUnfinished(BusinessDate day) {
    return Status(Code::kAborted, domain::reason::kReleaseRunning,
                  "a release of " + day.ToString() + " is not finished; try again when it is");
}

/// Who would be held back after `outcome`, by merchant. Merchant 0 is nobody.
std::map<domain::MerchantId, domain::HeldBack> LeftBehind(std::span<const Hold> holds,
                                                          const ChunkOutcome& outcome) {
    std::map<domain::MerchantId, domain::HeldBack> left;
    for (const domain::HeldBack& held : outcome.held) left.emplace(held.merchant, held);
    for (const Hold& hold : holds) {
        if (hold.released) continue;
        // A first round does not judge who was left open.
        left.try_emplace(hold.merchant, domain::HeldBack{hold.merchant,
                                                         domain::HoldReason::kEventParked,
                                                         {},
                                                         {},
                                                         "an event waited when the day closed"});
    }
    for (const FreedMerchant& freed : outcome.freed) left.erase(freed.merchant);
    left.erase(domain::MerchantId());
    return left;
}

/// Adds what deep runs find of merchants who are not `held`: they were released before.
void AddFaults(const DayRecount& recount, const std::set<domain::MerchantId>& held,
               ReleaseFindings& findings) {
    for (const auto& [merchant, fault] : recount.faults) {
        if (held.contains(merchant)) continue;
        ++findings.released_fault_count;
        if (findings.released_faults.size() == ReleaseFindings::kNamedMax) continue;
        findings.released_faults.emplace(merchant, fault);
    }
}

/// The first round judges whom the seal covers: by the totals that were sealed. A deep one looks at
/// the rows too, and later rounds are of merchants whose rows may have changed since.
Result<std::vector<domain::SlotTotal>> TotalsFor(const ReleaseRound& round,
                                                 ChunkTransaction& transaction) {
    if (round.round == 0 && !round.deep) {
        KESSAI_ASSIGN_OR_RETURN(auto sealed, transaction.SealedTotals());
        if (sealed) return *std::move(sealed);
    }
    return transaction.Totals();
}

}  // namespace

ReleaseDay::ReleaseDay(ReleaseDayOptions options, ReleaseStore& store, PlanCache& plans,
                       const domain::TaxTable& taxes, const EventEncoder& events,
                       const Clock& clock, ReleaseObserver observer)
    : options_(options),
      store_(store),
      recount_day_(options.recount, store, plans, taxes),
      taxes_(taxes),
      events_(events),
      clock_(clock),
      observer_(std::move(observer)) {}

Result<domain::ReleaseSums> ReleaseDay::Run(BusinessDate day, bool deep, std::stop_token stop,
                                            ReleaseFindings* findings) {
    KESSAI_ASSIGN_OR_RETURN(const DayState before, store_.StateOf(day));
    if (before == DayState::kOpen) return DayOpen(day);
    KESSAI_ASSIGN_OR_RETURN(const std::unique_ptr<ReleaseTurn> turn, store_.TakeTurn());

    // What a process left when it died comes first, of whatever day.
    KESSAI_ASSIGN_OR_RETURN(const auto left, store_.UnderWay());
    if (left) KESSAI_RETURN_IF_ERROR(Drive(*left, stop));

    KESSAI_ASSIGN_OR_RETURN(const DayState state, store_.StateOf(day));
    if (state == DayState::kClosed) {
        KESSAI_ASSIGN_OR_RETURN(const ReleaseRound round,
                                store_.Begin(day, deep, {}, clock_.Now()));
        KESSAI_RETURN_IF_ERROR(Drive(round, stop));
    } else if (!left || left->day != day) {
        KESSAI_RETURN_IF_ERROR(ReleaseHeldBack(day, deep, stop, findings));
    }
    return store_.Summary(day);
}

Result<domain::ReleaseSums> ReleaseDay::Preview(BusinessDate day, bool deep, std::stop_token stop,
                                                ReleaseFindings* findings) {
    KESSAI_ASSIGN_OR_RETURN(const DayState state, store_.StateOf(day));
    if (state == DayState::kOpen) return DayOpen(day);
    if (state == DayState::kReleasing) return ReleaseUnfinished(day);
    const ReleaseRound round{day, state == DayState::kClosed ? 0 : 1, deep};
    KESSAI_ASSIGN_OR_RETURN(const auto chunks,
                            round.round == 0 ? store_.SealedChunks(day) : store_.HeldChunks(day));
    KESSAI_ASSIGN_OR_RETURN(const Evidence evidence, Gather(round, stop));
    std::vector<domain::ReleaseSums> parts(chunks.size());
    std::vector<std::vector<domain::HeldBack>> named(chunks.size());
    std::mutex mutex;
    std::set<domain::MerchantId> held;  // of a released day, so few
    KESSAI_RETURN_IF_ERROR(
        RunInParallel(static_cast<int>(chunks.size()), options_.threads, [&](int i, int) -> Status {
            if (stop.stop_requested()) return Stopping();
            const auto at = static_cast<std::size_t>(i);
            return store_.InspectChunk(
                day, chunks[at], [&](ChunkTransaction& transaction) -> Status {
                    KESSAI_ASSIGN_OR_RETURN(const ChunkOutcome outcome,
                                            Judge(transaction, round, chunks[at], evidence));
                    KESSAI_ASSIGN_OR_RETURN(const auto holds, transaction.Holds());
                    parts[at] = outcome.sums;
                    const auto left = LeftBehind(holds, outcome);
                    parts[at].held_back_count = static_cast<std::int64_t>(left.size());
                    const std::lock_guard lock(mutex);
                    for (const auto& [merchant, one] : left) {
                        if (state == DayState::kReleased) held.insert(merchant);
                        if (named[at].size() < ReleaseFindings::kNamedMax) named[at].push_back(one);
                    }
                    return OkStatus();
                });
        }));
    domain::ReleaseSums sums;
    for (const domain::ReleaseSums& part : parts) {
        KESSAI_ASSIGN_OR_RETURN(sums, domain::Add(sums, part));
    }
    if (findings != nullptr) {
        for (std::vector<domain::HeldBack>& of_chunk : named) {
            for (domain::HeldBack& one : of_chunk) {
                if (findings->held_back.size() == ReleaseFindings::kNamedMax) break;
                findings->held_back.push_back(std::move(one));
            }
        }
        if (state == DayState::kReleased) AddFaults(evidence.recount, held, *findings);
    }
    return sums;
}

/// A further round, if it would release somebody.
Status ReleaseDay::ReleaseHeldBack(BusinessDate day, bool deep, const std::stop_token& stop,
                                   ReleaseFindings* findings) {
    KESSAI_ASSIGN_OR_RETURN(const auto chunks, store_.HeldChunks(day));
    if (chunks.empty() && !deep) return OkStatus();
    // Any number but 0: that it is no first round is all that is asked of it yet.
    const ReleaseRound later{day, 1, deep};
    KESSAI_ASSIGN_OR_RETURN(const Evidence evidence, Gather(later, stop));
    std::vector<ReleaseChunk> worth;
    std::set<domain::MerchantId> held;
    for (const ReleaseChunk& chunk : chunks) {
        bool frees = false;
        KESSAI_RETURN_IF_ERROR(
            store_.InspectChunk(day, chunk, [&](ChunkTransaction& transaction) -> Status {
                KESSAI_ASSIGN_OR_RETURN(const ChunkOutcome outcome,
                                        Judge(transaction, later, chunk, evidence));
                KESSAI_ASSIGN_OR_RETURN(const auto holds, transaction.Holds());
                for (const Hold& hold : holds) {
                    if (!hold.released) held.insert(hold.merchant);
                }
                frees = !outcome.freed.empty();
                return OkStatus();
            }));
        if (frees) worth.push_back(chunk);
    }
    if (findings != nullptr) AddFaults(evidence.recount, held, *findings);
    TellOfReleased(later, evidence.recount, held);
    if (worth.empty()) return OkStatus();
    KESSAI_ASSIGN_OR_RETURN(const ReleaseRound round, store_.Begin(day, deep, worth, clock_.Now()));
    return DriveWith(round, evidence, stop);
}

void ReleaseDay::TellOfReleased(const ReleaseRound& round, const DayRecount& recount,
                                const std::set<domain::MerchantId>& held) const {
    if (!observer_.on_released_fault) return;
    for (const auto& [merchant, fault] : recount.faults) {
        if (!held.contains(merchant)) observer_.on_released_fault(round, merchant, fault);
    }
}

Status ReleaseDay::Drive(const ReleaseRound& round, const std::stop_token& stop) {
    KESSAI_ASSIGN_OR_RETURN(const Evidence evidence, Gather(round, stop));
    return DriveWith(round, evidence, stop);
}

Result<ReleaseDay::Evidence> ReleaseDay::Gather(const ReleaseRound& round,
                                                const std::stop_token& stop) {
    const SteadyInstant start = clock_.SteadyNow();
    KESSAI_ASSIGN_OR_RETURN(const auto events,
                            store_.Blocked(round.day, options_.blocked_events_max + 1));
    KESSAI_RETURN_IF_ERROR(CheckBlocked(events, options_.blocked_events_max));
    KESSAI_ASSIGN_OR_RETURN(BlockedMerchants blocked,
                            FindBlockedMerchants(events, events_, [&](domain::PaymentId payment) {
                                return store_.MerchantOfPayment(payment);
                            }));
    // Stands for all that nobody knows whose they are.
    if (blocked.unattributed > 0) blocked.merchants.insert(domain::MerchantId());
    KESSAI_ASSIGN_OR_RETURN(DayRecount recount, recount_day_.Run(round.day, round.deep, stop));
    if (observer_.on_recount) {
        observer_.on_recount(
            round, std::chrono::duration_cast<Duration>(clock_.SteadyNow() - start), recount.rows);
    }
    return Evidence{std::move(recount), std::move(blocked)};
}

Status ReleaseDay::DriveWith(const ReleaseRound& round, const Evidence& evidence,
                             const std::stop_token& stop) {
    const SteadyInstant start = clock_.SteadyNow();
    KESSAI_ASSIGN_OR_RETURN(const auto chunks, store_.PendingChunks(round));
    KESSAI_RETURN_IF_ERROR(
        RunInParallel(static_cast<int>(chunks.size()), options_.threads, [&](int i, int) -> Status {
            if (stop.stop_requested()) return Stopping();
            const ReleaseChunk& chunk = chunks[static_cast<std::size_t>(i)];
            std::vector<domain::HeldBack> held;
            KESSAI_RETURN_IF_ERROR(
                store_.InChunk(round, chunk, [&](ChunkTransaction& transaction) -> Status {
                    KESSAI_ASSIGN_OR_RETURN(const ChunkOutcome outcome,
                                            Judge(transaction, round, chunk, evidence));
                    KESSAI_RETURN_IF_ERROR(transaction.Store(outcome, events_));
                    held = outcome.held;
                    KESSAI_FAULT_POINT("payout.release.before_chunk_commit");
                    return OkStatus();
                }));
            KESSAI_FAULT_POINT("payout.release.after_chunk_commit");
            if (observer_.on_held_back) {
                for (const domain::HeldBack& merchant : held) {
                    observer_.on_held_back(round, merchant);
                }
            }
            return OkStatus();
        }));
    KESSAI_FAULT_POINT("payout.release.before_finish");
    KESSAI_RETURN_IF_ERROR(store_.Finish(round, events_, clock_.Now()));
    KESSAI_FAULT_POINT("payout.release.after_finish");
    if (observer_.on_finished) {
        observer_.on_finished(round,
                              std::chrono::duration_cast<Duration>(clock_.SteadyNow() - start));
    }
    return OkStatus();
}

Result<ChunkOutcome> ReleaseDay::Judge(ChunkTransaction& transaction, const ReleaseRound& round,
                                       const ReleaseChunk& chunk, const Evidence& evidence) const {
    KESSAI_ASSIGN_OR_RETURN(const auto holds, transaction.Holds());
    KESSAI_ASSIGN_OR_RETURN(const auto totals, TotalsFor(round, transaction));
    KESSAI_ASSIGN_OR_RETURN(const auto balances, transaction.BalancesBefore());
    const auto recounted = evidence.recount.sums.Reduce(chunk.range);
    ChunkEvidence chunk_evidence{.day = round.day,
                                 .first_round = round.round == 0,
                                 .seal = chunk.seal,
                                 .holds = holds,
                                 .totals = totals,
                                 .recounted = recounted,
                                 .balances = balances,
                                 .cycle = {},
                                 .blocked = &evidence.blocked.merchants,
                                 .faults = &evidence.recount.faults};
    std::vector<domain::CycleSums> cycle;
    if (const auto ahead = AheadOf(chunk_evidence); !ahead.empty()) {
        KESSAI_ASSIGN_OR_RETURN(cycle, transaction.CycleOf(ahead));
        chunk_evidence.cycle = cycle;
    }
    return JudgeChunk(chunk_evidence, taxes_);
}

}  // namespace kessai::payout::app
