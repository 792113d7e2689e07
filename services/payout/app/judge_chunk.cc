#include "app/judge_chunk.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "domain/tax.h"

namespace kessai::payout::app {
namespace {

using domain::CycleSums;
using domain::HeldBack;
using domain::HoldReason;
using domain::MerchantId;
using domain::MerchantSums;
using domain::RunningBalance;
using domain::SlotTotal;

std::vector<MerchantSums> SumOverSlots(std::span<const SlotTotal> totals) {
    std::vector<MerchantSums> sums;
    sums.reserve(totals.size());
    for (const SlotTotal& total : totals) sums.push_back(total.part);
    // Slots come before tax classes in the rows' order.
    const auto in_order = [](const MerchantSums& a, const MerchantSums& b) {
        return std::pair(a.merchant, a.tax_class) < std::pair(b.merchant, b.tax_class);
    };
    // As a rule they are: a merchant has one tax class a day.
    if (!std::is_sorted(sums.begin(), sums.end(), in_order)) {
        std::stable_sort(sums.begin(), sums.end(), in_order);
    }
    return domain::Joined(std::move(sums));
}

/// The entry of a merchant and tax class in a list that is in their order.
template <class Entry>
const Entry* Find(std::span<const Entry> list, const MerchantSums& part) {
    const auto key = std::pair(part.merchant, part.tax_class);
    const auto found =
        std::lower_bound(list.begin(), list.end(), key, [](const Entry& entry, const auto& sought) {
            return std::pair(entry.merchant, entry.tax_class) < sought;
        });
    const bool is_there =
        found != list.end() && std::pair(found->merchant, found->tax_class) == key;
    return is_there ? &*found : nullptr;
}

class Judge {
 public:
    Judge(const ChunkEvidence& evidence, const domain::TaxTable& taxes)
        : evidence_(evidence), taxes_(taxes), cycle_start_(domain::CycleStart(evidence.day)) {
        for (const Hold& hold : evidence.holds) holds_.emplace(hold.merchant, &hold);
        seal_holds_ = SealHolds();
    }

    ChunkOutcome Run() {
        const std::vector<MerchantSums> totals = SumOverSlots(evidence_.totals);
        std::set<MerchantId> seen;
        for (const domain::Comparison& comparison : domain::Compare(totals, evidence_.recounted)) {
            if (HoldOf(comparison.merchant) != nullptr) seen.insert(comparison.merchant);
            if (IsJudged(comparison.merchant)) Decide(comparison);
        }
        // Merchants that were held back for an event which was then settled without being applied,
        // and that have nothing else of the day.
        for (const Hold& hold : evidence_.holds) {
            if (!seen.contains(hold.merchant) && IsJudged(hold.merchant)) {
                domain::Comparison nothing;
                nothing.merchant = hold.merchant;
                nothing.equal = true;
                Decide(nothing);
            }
        }
        const auto by_merchant = [](const auto& a, const auto& b) {
            return a.merchant < b.merchant;
        };
        std::stable_sort(outcome_.freed.begin(), outcome_.freed.end(), by_merchant);
        std::stable_sort(outcome_.held.begin(), outcome_.held.end(), by_merchant);
        return std::move(outcome_);
    }

 private:
    const Hold* HoldOf(MerchantId merchant) const {
        const auto found = holds_.find(merchant);
        return found == holds_.end() ? nullptr : found->second;
    }

    bool IsJudged(MerchantId merchant) const {
        const Hold* hold = HoldOf(merchant);
        return evidence_.first_round ? hold == nullptr : hold != nullptr && !hold->released;
    }

    bool WasOpenAtClose(MerchantId merchant) const {
        const Hold* hold = HoldOf(merchant);
        return hold != nullptr && hold->open_at_close;
    }

    bool SealHolds() const {
        domain::TotalsSealer sealer(evidence_.day);
        for (const SlotTotal& total : evidence_.totals) {
            if (!WasOpenAtClose(total.part.merchant)) sealer.Add(total);
        }
        return sealer.Finish() == evidence_.seal;
    }

    domain::Seal SealOfMerchant(MerchantId merchant) const {
        domain::TotalsSealer sealer(evidence_.day);
        for (const SlotTotal& total : evidence_.totals) {
            if (total.part.merchant == merchant) sealer.Add(total);
        }
        return sealer.Finish();
    }

    RunningBalance BalanceOf(const MerchantSums& part) const {
        const RunningBalance* before = Find(evidence_.balances, part);
        return before != nullptr ? *before
                                 : RunningBalance{part.merchant, part.tax_class, {}, 0, 0};
    }

    /// What the day's cycle released before.
    std::int64_t FeesBefore(const MerchantSums& part, const RunningBalance& balance) const {
        if (balance.cycle_start == cycle_start_) return balance.cycle_fee;
        if (balance.cycle_start < cycle_start_) return 0;
        const CycleSums* cycle = Find(evidence_.cycle, part);
        return cycle != nullptr ? cycle->fee : 0;
    }

    void HoldBack(const domain::Comparison& comparison, HoldReason reason, std::string note) {
        outcome_.held.push_back({comparison.merchant, reason, comparison.totals,
                                 comparison.recounted, std::move(note)});
    }

    void Decide(const domain::Comparison& comparison) {
        const MerchantId merchant = comparison.merchant;
        if (evidence_.blocked->contains(merchant)) {
            return HoldBack(comparison, HoldReason::kEventParked, "an event waits");
        }
        if (!seal_holds_ && !WasOpenAtClose(merchant)) {
            return HoldBack(comparison, HoldReason::kSealBroken,
                            "the totals of its chunk are not those that were sealed");
        }
        if (!comparison.equal) {
            return HoldBack(comparison, HoldReason::kRecountDiffers,
                            "the accrual rows do not sum to the totals");
        }
        if (const auto fault = evidence_.faults->find(merchant); fault != evidence_.faults->end()) {
            return HoldBack(comparison, HoldReason::kFeeDiffers, fault->second);
        }
        Release(comparison);
    }

    void Release(const domain::Comparison& comparison) {
        const MerchantId merchant = comparison.merchant;
        const std::size_t lines_before = outcome_.lines.size();
        domain::ReleaseSums sums = outcome_.sums;
        for (const MerchantSums& part :
             evidence_.recounted.subspan(comparison.first, comparison.count)) {
            if (const Status added = AddLine(part, sums); !added.ok()) {
                outcome_.lines.resize(lines_before);
                outcome_.balances.resize(lines_before);
                return HoldBack(comparison, HoldReason::kFeeDiffers, std::string(added.message()));
            }
        }
        if (outcome_.lines.size() > lines_before) ++sums.merchant_count;
        outcome_.sums = sums;
        if (!evidence_.first_round) {
            FreedMerchant freed{merchant, std::nullopt};
            if (WasOpenAtClose(merchant)) freed.seal = SealOfMerchant(merchant);
            outcome_.freed.push_back(freed);
        }
    }

    Status AddLine(const MerchantSums& part, domain::ReleaseSums& sums) {
        const RunningBalance before = BalanceOf(part);
        KESSAI_ASSIGN_OR_RETURN(const domain::ReleaseLine line,
                                domain::MakeReleaseLine(part, FeesBefore(part, before), taxes_));
        KESSAI_ASSIGN_OR_RETURN(const RunningBalance after,
                                domain::AddToBalance(before, evidence_.day, line));
        KESSAI_ASSIGN_OR_RETURN(sums, domain::AddLine(sums, line));
        outcome_.lines.push_back(line);
        outcome_.balances.push_back(after);
        return OkStatus();
    }

    const ChunkEvidence& evidence_;
    const domain::TaxTable& taxes_;
    const BusinessDate cycle_start_;
    std::map<MerchantId, const Hold*> holds_;
    bool seal_holds_ = false;
    ChunkOutcome outcome_;
};

}  // namespace

std::vector<MerchantId> AheadOf(const ChunkEvidence& evidence) {
    const BusinessDate cycle_start = domain::CycleStart(evidence.day);
    std::set<MerchantId> held;
    for (const Hold& hold : evidence.holds) {
        if (!hold.released) held.insert(hold.merchant);
    }
    std::vector<MerchantId> ahead;
    auto balance = evidence.balances.begin();
    for (const MerchantSums& part : evidence.recounted) {
        while (balance != evidence.balances.end() && balance->merchant < part.merchant) ++balance;
        // A later round is of a few merchants of the chunk.
        if (!evidence.first_round && !held.contains(part.merchant)) continue;
        if (!ahead.empty() && ahead.back() == part.merchant) continue;
        for (auto one = balance; one != evidence.balances.end() && one->merchant == part.merchant;
             ++one) {
            if (one->cycle_start <= cycle_start) continue;
            ahead.push_back(part.merchant);
            break;
        }
    }
    return ahead;
}

ChunkOutcome JudgeChunk(const ChunkEvidence& evidence, const domain::TaxTable& taxes) {
    return Judge(evidence, taxes).Run();
}

}  // namespace kessai::payout::app
