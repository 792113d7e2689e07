#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "app/ledger_store.h"
#include "domain/adjustment.h"

namespace kessai::payout::app {

/// Gives money to a merchant, or takes it back: one operator requests, another approves. Thread
/// safe.
class AdjustBalance {
 public:
    explicit AdjustBalance(LedgerStore& store) : store_(store) {}

    /// The same key again gives the first outcome, whatever became of it; ALREADY_EXISTS KEY_REUSED
    /// with another request. ADJUSTMENT_INVALID, FIELD_INVALID (the key), NOT_FOUND
    /// MERCHANT_UNKNOWN (nothing was ever released to the merchant, and nothing is in force for
    /// it).
    Result<domain::Adjustment> Request(const domain::Adjustment& wish);
    /// NOT_FOUND ADJUSTMENT_UNKNOWN, and those of domain::Decide.
    Result<domain::Adjustment> Decide(domain::AdjustmentId adjustment, bool approve,
                                      std::string_view decided_by);

    /// Requests and approves some that belong together, of different merchants, in one transaction:
    /// all of them are in the ledger, or none. The same again gives the first outcome. Refuses as
    /// Request and Decide; ADJUSTMENT_DECIDED what was withdrawn.
    Result<std::vector<domain::Adjustment>> Post(std::span<const domain::Adjustment> wishes,
                                                 std::string_view approved_by);
    /// From now on Post refuses them, whoever has called it already and is still on the way: true.
    /// False, and nothing is changed: one of them is in the ledger. `by` is neither requester nor
    /// approver.
    Result<bool> Withdraw(std::span<const domain::Adjustment> wishes, std::string_view by);

 private:
    LedgerStore& store_;
};

}  // namespace kessai::payout::app
