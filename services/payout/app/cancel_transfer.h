#pragma once

#include <string_view>

#include "app/ledger_store.h"
#include "app/request_payout.h"

namespace kessai::payout::app {

/// Takes back transfers that no bank was told of. Thread safe.
class CancelTransfer {
 public:
    explicit CancelTransfer(LedgerStore& store) : store_(store) {}

    /// The merchant has again what it had before the transfer was made: its money and price, and of
    /// a later attempt the hold that making it lifted. Gives the payout. The same again gives the
    /// first outcome. INVALID_ARGUMENT FIELD_INVALID (a reason has 1 to 255 bytes), NOT_FOUND
    /// TRANSFER_UNKNOWN, FAILED_PRECONDITION TRANSFER_IN_FILE.
    Result<PayoutHistory> Run(domain::TransferId transfer, std::string_view reason,
                              std::string_view cancelled_by);

 private:
    LedgerStore& store_;
};

}  // namespace kessai::payout::app
