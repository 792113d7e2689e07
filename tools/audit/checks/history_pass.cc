#include "checks/history_pass.h"

#include <map>
#include <optional>
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
            Report& report)
        : session_(session), chain_(chain), report_(report), named_(space) {}

    Result<Sorted<AnchoredStep>> Run() {
        KESSAI_ASSIGN_OR_RETURN(const auto heads, ReadAuditHeads(session_));
        std::map<int, AuditHeadRow> ends;
        for (const AuditHeadRow& head : heads) ends.emplace(head.slot, head);
        std::map<int, AuditHeadRow> last;
        Paged<AnchorTable> anchors(session_);
        for (; anchors.Peek() != nullptr; anchors.Pop()) Follow(*anchors.Peek(), last);
        KESSAI_RETURN_IF_ERROR(anchors.status());
        report_.LookedAt(kM9, "anchors of the audit trail", anchors.count());
        for (const auto& [slot, end] : ends) CompareEnd(slot, end, last[slot]);
        for (const auto& [slot, reached] : last) {
            if (reached.number > 0 && !ends.contains(slot)) CompareEnd(slot, {}, reached);
        }
        return named_.Finish();
    }

 private:
    void Follow(const AnchorRow& anchor, std::map<int, AuditHeadRow>& last) {
        AuditHeadRow& before = last[anchor.slot];
        for (std::uint64_t number = before.number + 1; number < anchor.number; ++number) {
            report_.Found(kM9, "anchor of the audit trail is missing", [&] {
                return Finding{OfAnchor(anchor.slot, number), "an anchor", "none"};
            });
        }
        // Behind a gap nothing is known of what it follows.
        const bool follows = before.number + 1 == anchor.number;
        const auto steps = StepsOf(anchor);
        if ((follows && chain_.OfAnchor(before.hash, anchor) != anchor.hash) || !steps) {
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
        report_.Found(kM9, "end of the audit trail", [&] {
            return Finding{OfAnchor(slot, reached.number),
                           "anchor " + std::to_string(end.number) + " is the last one",
                           "anchor " + std::to_string(reached.number)};
        });
    }

    mysql::Session& session_;
    const HistoryChain& chain_;
    Report& report_;
    Sorter<AnchoredStep> named_;
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
        CheckRepairs(id, repairs_told);
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

    void CheckRepairs(std::int64_t id, std::map<std::uint32_t, Hash32>& told) {
        while (repairs_.Peek() != nullptr && repairs_.Peek()->discrepancy_id == id) {
            const RepairRow& repair = *repairs_.Peek();
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

Status CheckHistory(mysql::Session& session, const HistoryChain& chain, const SpillSpace& space,
                    Report& report) {
    KESSAI_ASSIGN_OR_RETURN(auto named, Anchors(session, chain, space, report).Run());
    return Histories(session, chain, std::move(named), report).Run();
}

}  // namespace kessai::audit
