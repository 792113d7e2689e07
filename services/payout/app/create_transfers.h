#pragma once

#include <functional>
#include <stop_token>
#include <string_view>

#include "app/ledger_store.h"
#include "domain/tax.h"

namespace kessai::payout::app {

/// How far ahead of the ledger's day a payout's dates may be: what is further off is a slip.
inline constexpr int kDaysAheadMax = 7;

struct CreateTransfersOptions {
    /// Merchants looked at in one transaction.
    int merchants_per_chunk = 200;
};

/// Makes one transfer for each merchant that is due on a bank business day and has something to be
/// paid, and takes it from available in the transaction that makes it.
///
/// Merchants go by in chunks, each checked off in its own transaction: whoever runs it again after
/// a crash goes on where it ended, and a second run changes nothing. A due date in the past is made
/// up for: its transfers are of the first bank business day that is left. One that is so old that
/// every cycle has had another since is not begun. A merchant that was held when it was due is due
/// with every later date until it is paid. Thread safe.
class CreateTransfers {
 public:
    CreateTransfers(CreateTransfersOptions options, LedgerStore& store,
                    const domain::TaxTable& taxes)
        : options_(options), store_(store), taxes_(taxes) {}

    /// INVALID_ARGUMENT NOT_A_BUSINESS_DAY, FAILED_PRECONDITION DUE_DATE_TOO_EARLY (more than a
    /// week ahead), DUE_DATE_TOO_OLD (more than 62 days ago, and not begun), OUT_OF_RANGE
    /// DATE_OUTSIDE_CALENDAR, and the database's: after those it may simply be run again. `stop`:
    /// UNAVAILABLE STOPPING soon after it is requested.
    Result<TransferRun> Run(BusinessDate due_date, std::string_view requested_by,
                            std::stop_token stop = {});

 private:
    Status Chunk(LedgerTransaction& transaction, BusinessDate due_date, BusinessDate previous,
                 std::string_view requested_by, TransferRun& run) const;

    const CreateTransfersOptions options_;
    LedgerStore& store_;
    const domain::TaxTable& taxes_;
};

/// Adds the payout's next attempt and its journal. Precondition: the merchant's account is locked.
domain::Transfer NextAttempt(LedgerTransaction& transaction, const domain::Payout& payout,
                             int attempt, BusinessDate transfer_date,
                             std::string_view requested_by);
/// The journal of a new attempt: the first one charges the payout's fee.
domain::MerchantJournal JournalOf(const domain::Payout& payout, const domain::Transfer& transfer);

}  // namespace kessai::payout::app
