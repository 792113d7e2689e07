#pragma once

#include <string_view>

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

 private:
    LedgerStore& store_;
};

}  // namespace kessai::payout::app
