#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "app/release_store.h"
#include "domain/recount.h"

namespace kessai::payout::app {

/// All that decides a chunk, read in its transaction or given by the round.
struct ChunkEvidence {
    BusinessDate day;
    /// Whether it is the day's first round: then everybody is judged who is not held back, later
    /// those who are.
    bool first_round = true;
    domain::Seal seal{};
    std::span<const Hold> holds;
    std::span<const domain::SlotTotal> totals;
    std::span<const domain::MerchantSums> recounted;
    /// The running balances before, in order of merchant and tax class.
    std::span<const domain::RunningBalance> balances;
    /// What the day's cycle released to those of AheadOf, in the same order.
    std::span<const domain::CycleSums> cycle;
    /// Merchants with an event that waits.
    const std::set<domain::MerchantId>* blocked = nullptr;
    /// Merchants with a wrong accrual.
    const std::map<domain::MerchantId, std::string>* faults = nullptr;
};

/// Who may be released now, but whose running balance is of a later cycle than the day's: what the
/// day's tax grows from is to be asked of the rows.
std::vector<domain::MerchantId> AheadOf(const ChunkEvidence& evidence);

/// Who of a chunk is released, with which lines, and who is held back, and why. Pure.
/// A merchant is released only if nothing of it waits, its totals are those that were sealed, they
/// equal the recount in every tax class, and none of its accruals is wrong.
ChunkOutcome JudgeChunk(const ChunkEvidence& evidence, const domain::TaxTable& taxes);

}  // namespace kessai::payout::app
