#include "checks/history_pass.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "rules/sha256.h"
#include "source/history_tables.h"
#include "source/paged.h"
#include "spill/sorter.h"

namespace kessai::audit {
namespace {

using enum Invariant;

Subject Of(const HistoryStepRow& step) {
    return {{"discrepancy", step.discrepancy_id}, {"step", std::int64_t{step.number}}};
}
Subject Of(const AnchoredStep& step) {
    return {{"discrepancy", step.discrepancy_id}, {"step", std::int64_t{step.number}}};
}
Subject Of(const RepairRow& repair) {
    return {{"discrepancy", repair.discrepancy_id}, {"repair", std::int64_t{repair.number}}};
}
Subject OfDiscrepancy(std::int64_t id) {
    return {{"discrepancy", id}};
}
Subject OfAnchor(int slot, std::uint64_t number) {
    return {{"slot", std::int64_t{slot}}, {"anchor", static_cast<std::int64_t>(number)}};
}

std::string Amount(const std::optional<std::int64_t>& amount) {
    return amount.has_value() ? std::to_string(*amount) : "none";
}

/// Follows the anchors of every slot, and gathers the steps that they name.
class Anchors {
 public:
    Anchors(mysql::Session& session, const HistoryChain& chain, const SpillSpace& space,
            const TrailEnds& earlier, Report& report)
        : session_(session), chain_(chain), earlier_(earlier), report_(report), named_(space) {}

    Result<Sorted<AnchoredStep>> Run() {
        KESSAI_ASSIGN_OR_RETURN(const auto heads, ReadAuditHeads(session_));
        TrailEnds kept;
        for (const AuditHeadRow& head : heads) kept.emplace(head.slot, head);
        Paged<AnchorTable> anchors(session_);
        for (; anchors.Peek() != nullptr; anchors.Pop()) Follow(*anchors.Peek());
        KESSAI_RETURN_IF_ERROR(anchors.status());
        report_.LookedAt(kM9, "anchors of the audit trail", anchors.count());
        for (const auto& [slot, end] : kept) CompareEnd(slot, end, reached_[slot]);
        for (const auto& [slot, reached] : reached_) {
            if (reached.number > 0 && !kept.contains(slot)) CompareEnd(slot, {}, reached);
        }
        for (const auto& [slot, end] : earlier_) CompareWithEarlier(end, reached_[slot].number);
        return named_.Finish();
    }

    /// Behind Run.
    TrailEnds Ends() const {
        TrailEnds ends = earlier_;
        for (const auto& [slot, reached] : reached_) {
            if (reached.number > 0 && !wrong_.contains(slot)) ends[slot] = reached;
        }
        return ends;
    }

 private:
    void Follow(const AnchorRow& anchor) {
        AuditHeadRow& before = reached_[anchor.slot];
        const auto seen = earlier_.find(anchor.slot);
        if (seen != earlier_.end() && seen->second.number == anchor.number &&
            seen->second.hash != anchor.hash) {
            wrong_.insert(anchor.slot);
            report_.Found(kM9, "anchor of the audit trail that an earlier audit saw", [&] {
                return Finding{OfAnchor(anchor.slot, anchor.number), "the one that it saw",
                               "another"};
            });
        }
        for (std::uint64_t number = before.number + 1; number < anchor.number; ++number) {
            wrong_.insert(anchor.slot);
            report_.Found(kM9, "anchor of the audit trail is missing", [&] {
                return Finding{OfAnchor(anchor.slot, number), "an anchor", "none"};
            });
        }
        // Behind a gap nothing is known of what it follows.
        const bool follows = before.number + 1 == anchor.number;
        const auto steps = StepsOf(anchor);
        if ((follows && chain_.OfAnchor(before.hash, anchor) != anchor.hash) || !steps) {
            wrong_.insert(anchor.slot);
            report_.Found(kM9, "anchor of the audit trail", [&] {
                return Finding{OfAnchor(anchor.slot, anchor.number), "as it was stored",
                               "changed since"};
            });
        }
        if (steps) {
            for (const AnchoredStep& step : *steps) named_.Add(step);
        }
        before = {anchor.slot, anchor.number, anchor.hash};
    }
    void CompareEnd(int slot, const AuditHeadRow& end, const AuditHeadRow& reached) {
        if (end.number == reached.number && (end.number == 0 || end.hash == reached.hash)) return;
        wrong_.insert(slot);
        report_.Found(kM9, "end of the audit trail", [&] {
            return Finding{OfAnchor(slot, reached.number),
                           "anchor " + std::to_string(end.number) + " is the last one",
                           "anchor " + std::to_string(reached.number)};
        });
    }

    /// Who also sets a slot's end back leaves a trail that fits, and is shorter than it was.
    void CompareWithEarlier(const AuditHeadRow& seen, std::uint64_t reached) {
        if (seen.number <= reached) return;
        wrong_.insert(seen.slot);
        report_.Found(kM9, "end of the audit trail that an earlier audit saw", [&] {
            return Finding{OfAnchor(seen.slot, reached),
                           "anchor " + std::to_string(seen.number) + " or a later one",
                           reached == 0 ? "none" : "anchor " + std::to_string(reached)};
        });
    }

    mysql::Session& session_;
    const HistoryChain& chain_;
    const TrailEnds& earlier_;
    Report& report_;
    Sorter<AnchoredStep> named_;
    TrailEnds reached_;
    /// Slots of which something was found.
    std::set<int> wrong_;
};

/// Walks discrepancies, their steps, their repairs and what anchors name side by side, by
/// discrepancy.
class Histories {
 public:
    Histories(mysql::Session& session, const HistoryChain& chain, Sorted<AnchoredStep> named,
              Report& report)
        : chain_(chain),
          named_(std::move(named)),
          report_(report),
          discrepancies_(session),
          steps_(session),
          repairs_(session) {}

    Status Run() {
        while (true) {
            std::optional<std::int64_t> first;
            const auto consider = [&](const auto* row) {
                if (row != nullptr && (!first || row->discrepancy_id < *first)) {
                    first = row->discrepancy_id;
                }
            };
            consider(discrepancies_.Peek());
            consider(steps_.Peek());
            consider(repairs_.Peek());
            consider(named_.Peek());
            if (!first) break;
            CheckOne(*first);
        }
        KESSAI_RETURN_IF_ERROR(discrepancies_.status());
        KESSAI_RETURN_IF_ERROR(steps_.status());
        KESSAI_RETURN_IF_ERROR(repairs_.status());
        KESSAI_RETURN_IF_ERROR(named_.status());
        report_.LookedAt(kM9, "steps of discrepancies", steps_.count());
        report_.LookedAt(kM9, "repairs", repairs_.count());
        return OkStatus();
    }

 private:
    void CheckOne(std::int64_t id) {
        std::optional<DiscrepancyRow> discrepancy;
        if (discrepancies_.Peek() != nullptr && discrepancies_.Peek()->discrepancy_id == id) {
            discrepancy = *discrepancies_.Peek();
            discrepancies_.Pop();
        }
        std::map<std::uint32_t, Hash32> repairs_told;
        const auto last = CheckSteps(id, discrepancy, repairs_told);
        const Repairs repairs = CheckRepairs(id, repairs_told);
        if (!discrepancy) {
            if (last) {
                report_.Found(kM9, "discrepancy is missing", [&] {
                    return Finding{OfDiscrepancy(id), "a row", "its history only"};
                });
            }
            return;
        }
        if (!last) {
            report_.Found(kM9, "discrepancy without a history", [&] {
                return Finding{OfDiscrepancy(id),
                               std::to_string(discrepancy->step_count) + " steps", "none"};
            });
            return;
        }
        CompareWithLast(*discrepancy, *last);
        CompareWithRepairs(*discrepancy, repairs);
    }

    /// The last step that there is.
    std::optional<HistoryStepRow> CheckSteps(std::int64_t id,
                                             const std::optional<DiscrepancyRow>& discrepancy,
                                             std::map<std::uint32_t, Hash32>& repairs_told) {
        std::optional<HistoryStepRow> last;
        AnchoredStep before;
        while (steps_.Peek() != nullptr && steps_.Peek()->discrepancy_id == id) {
            const HistoryStepRow& step = *steps_.Peek();
            TellMissing(id, step.number, before);
            const int named = TakeNamed(step);
            if (named == 0) {
                report_.Found(kM9, "step that was put in", [&] {
                    return Finding{Of(step), "none", "one that the audit trail does not name"};
                });
            } else if (named > 1 || !IsAsStored(before, discrepancy, step)) {
                report_.Found(kM9, "step of a discrepancy", [&] {
                    return Finding{
                        Of(step), "as it was stored",
                        "changed since: state " + std::to_string(step.state) + " by " + step.actor};
                });
            }
            if (step.repair_number != 0) repairs_told[step.repair_number] = step.repair_hash;
            last = step;
            before = {id, step.number, named_hash_.value_or(step.chain_hash)};
            steps_.Pop();
        }
        TellMissing(id, std::nullopt, before);
        return last;
    }

    /// Of a discrepancy that is gone, and behind a step that no anchor names, only the hash itself
    /// can be looked at.
    bool IsAsStored(const AnchoredStep& before, const std::optional<DiscrepancyRow>& discrepancy,
                    const HistoryStepRow& step) const {
        if (named_hash_ != step.chain_hash) return false;
        if (!discrepancy || before.number + 1 != step.number) return true;
        return chain_.OfStep(before.chain_hash, *discrepancy, step) == step.chain_hash;
    }

    /// How often anchors name this step, and by what hash.
    int TakeNamed(const HistoryStepRow& step) {
        int times = 0;
        named_hash_.reset();
        while (named_.Peek() != nullptr && named_.Peek()->discrepancy_id == step.discrepancy_id &&
               named_.Peek()->number == step.number) {
            named_hash_ = named_.Peek()->chain_hash;
            ++times;
            named_.Pop();
        }
        return times;
    }

    /// Steps that anchors name and that are not there, up to `number` (all of the discrepancy's);
    /// the last of them is what the next step follows.
    void TellMissing(std::int64_t id, std::optional<std::uint32_t> number, AnchoredStep& before) {
        while (named_.Peek() != nullptr && named_.Peek()->discrepancy_id == id &&
               (!number || named_.Peek()->number < *number)) {
            before = *named_.Peek();
            report_.Found(kM9, "step of a discrepancy is missing", [&] {
                return Finding{Of(before), "a step", "none"};
            });
            named_.Pop();
        }
    }

    /// What a discrepancy's repairs say of it.
    struct Repairs {
        /// The one that has not ended; 0: none.
        std::uint32_t open = 0;
        /// Correcting journals that are in payout's ledger.
        std::set<std::uint32_t> corrected;
    };

    Repairs CheckRepairs(std::int64_t id, std::map<std::uint32_t, Hash32>& told) {
        // Numbers of kessai.reconciliation.v1.Repair.
        constexpr int kCorrectingJournal = 4;
        constexpr int kRepaired = 5;
        const std::set<int> not_ended{1, 3, 4};
        Repairs repairs;
        while (repairs_.Peek() != nullptr && repairs_.Peek()->discrepancy_id == id) {
            const RepairRow& repair = *repairs_.Peek();
            if (not_ended.contains(repair.state)) repairs.open = repair.number;
            if (repair.kind == kCorrectingJournal && repair.state == kRepaired) {
                repairs.corrected.insert(repair.number);
            }
            const auto found = told.find(repair.number);
            if (found == told.end()) {
                report_.Found(kM9, "repair that was put in", [&] {
                    return Finding{Of(repair), "none", "one that no step tells of"};
                });
            } else {
                if (chain_.OfRepair(repair) != found->second) {
                    report_.Found(kM9, "repair", [&] {
                        return Finding{Of(repair), "as its last step has it",
                                       "changed since: state " + std::to_string(repair.state)};
                    });
                }
                told.erase(found);
            }
            repairs_.Pop();
        }
        for (const auto& [number, hash] : told) {
            report_.Found(kM9, "repair is missing", [&] {
                return Finding{{{"discrepancy", id}, {"repair", std::int64_t{number}}},
                               "a repair",
                               "its steps only"};
            });
        }
        return repairs;
    }

    /// Whoever takes a repair that has not ended off its discrepancy lets it be begun once more;
    /// and what is made up for is no news when it is found again.
    void CompareWithRepairs(const DiscrepancyRow& row, const Repairs& repairs) {
        report_.Expect(
            kM9, "discrepancy's repair under way",
            [&] { return OfDiscrepancy(row.discrepancy_id); }, repairs.open, row.open_repair);
        if (row.corrected_by == 0 || repairs.corrected.contains(row.corrected_by)) return;
        report_.Found(kM9, "discrepancy's correcting journal", [&] {
            return Finding{OfDiscrepancy(row.discrepancy_id), "one that was posted",
                           "repair " + std::to_string(row.corrected_by)};
        });
    }

    void CompareWithLast(const DiscrepancyRow& row, const HistoryStepRow& last) {
        const auto expect = [&](std::string_view what, const auto& expected, const auto& found) {
            report_.Expect(
                kM9, what, [&] { return OfDiscrepancy(row.discrepancy_id); }, expected, found);
        };
        expect("discrepancy's state", last.state, row.state);
        expect("discrepancy's number of steps", last.number, row.step_count);
        expect("discrepancy's last event", last.event_id, row.last_event_id);
        expect("discrepancy's owner", last.owner, row.owner);
        expect("discrepancy's merchant", last.merchant_id, row.merchant_id);
        expect("discrepancy's currency", last.currency, row.currency);
        expect("discrepancy's amount of payment", Amount(last.payment_gross),
               Amount(row.payment_gross));
        expect("discrepancy's amount of payout", Amount(last.payout_gross),
               Amount(row.payout_gross));
        sha256_.Begin();
        sha256_.Add(row.evidence);
        if (sha256_.End() != last.evidence_hash) {
            report_.Found(kM9, "discrepancy's evidence", [&] {
                return Finding{OfDiscrepancy(row.discrepancy_id), "as its last step has it",
                               "changed since"};
            });
        }
    }

    const HistoryChain& chain_;
    Sorted<AnchoredStep> named_;
    /// Of the step that was looked at last; nothing: no anchor names it.
    std::optional<Hash32> named_hash_;
    Report& report_;
    Paged<DiscrepancyTable> discrepancies_;
    Paged<HistoryStepTable> steps_;
    Paged<RepairTable> repairs_;
    Sha256 sha256_;
};

}  // namespace

Result<TrailEnds> CheckHistory(mysql::Session& session, const HistoryChain& chain,
                               const SpillSpace& space, const TrailEnds& earlier, Report& report) {
    Anchors anchors(session, chain, space, earlier, report);
    KESSAI_ASSIGN_OR_RETURN(auto named, anchors.Run());
    KESSAI_RETURN_IF_ERROR(Histories(session, chain, std::move(named), report).Run());
    return anchors.Ends();
}

}  // namespace kessai::audit
