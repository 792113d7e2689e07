#pragma once

#include <optional>
#include <span>
#include <vector>

#include "domain/running_balance.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"

/// Running balances as they are kept: pieces of a day, made by the day's first round. Those of the
/// day that ended its first round last (payout_gate.balances_date) cover every merchant, and later
/// rounds change them; those of the day whose first round is under way cover what it has done.
/// Where there are none yet, balances come from the release rows.
///
/// All within the session's transaction, if it has one; what is read is committed, or its own.
/// Refused with DATA_LOSS BALANCES_BROKEN when a piece is missing or can't be read.
namespace kessai::payout::storage {

/// Of a range's merchants, in order of merchant and tax class; without what a first round under way
/// has done. For whoever releases.
Result<std::vector<domain::RunningBalance>> LoadBalances(mysql::Session& session,
                                                         const domain::MerchantRange& range);

/// Of some merchants, the newest, in the same order. Precondition: in order, each once, at most
/// some hundred.
Result<std::vector<domain::RunningBalance>> LoadNewestBalances(
    mysql::Session& session, std::span<const domain::MerchantId> merchants);

/// What a merchant's releases sum to in each cycle, from the rows, in order of tax class and cycle.
Result<std::vector<domain::CycleSums>> LoadCycleSums(mysql::Session& session,
                                                     domain::MerchantId merchant);
/// What the releases of a cycle's days sum to for some merchants, from the rows, in order of
/// merchant and tax class. Precondition: at most some thousand, in order.
Result<std::vector<domain::CycleSums>> LoadCycleSums(mysql::Session& session,
                                                     BusinessDate cycle_start,
                                                     std::span<const domain::MerchantId> merchants);

/// Stores what a first round made of a range: all balances of its merchants.
Status InsertBalances(mysql::Session& session, BusinessDate day, const domain::MerchantRange& range,
                      std::span<const domain::RunningBalance> balances);

/// Puts balances that a later round changed in their places. Precondition: in order.
Status UpdateBalances(mysql::Session& session, std::span<const domain::RunningBalance> changed);

/// Says that the pieces of a day, whose first round ends, are those in force.
Status TurnToBalancesOf(mysql::Session& session, BusinessDate day);

}  // namespace kessai::payout::storage
