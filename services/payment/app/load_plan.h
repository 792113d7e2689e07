#pragma once

#include <span>
#include <vector>

#include "app/ledger_store.h"
#include "domain/commands.h"
#include "domain/working_set.h"

namespace kessai::payment::app {

// What a batch's commands need, in the order of locking: keys, then payments, then wallets. Each
// step sees what the one before it loaded. Sorted, without repeats.

OrderKeys KeysNeeded(std::span<const domain::Command* const> commands);
std::vector<domain::PaymentId> PaymentsNeeded(std::span<const domain::Command* const> commands,
                                              const domain::WorkingSet& rows);
std::vector<domain::UserId> WalletsNeeded(std::span<const domain::Command* const> commands,
                                          const domain::WorkingSet& rows);
std::vector<domain::MerchantId> MerchantsNeeded(std::span<const domain::Command* const> commands,
                                                const domain::WorkingSet& rows);

}  // namespace kessai::payment::app
