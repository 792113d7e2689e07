#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kessai/payment/v1/book_service.pb.h"
#include "kessai/payout/v1/transfer_service.pb.h"

namespace kessai::gateway::transport {

/// Whether the two ledgers say the same of one thing.
enum class Accord : std::uint8_t {
    kAgrees,
    /// One of them does not have all of it yet.
    kNotYet,
    kDiffers,
};
std::string_view AccordName(Accord accord);

/// One thing that payment's ledger and payout's have to agree in.
struct LedgerAgreement {
    /// PAYABLE_OF_THE_DAY: what payments brought in for merchants on the day, less cancels and
    /// refunds; what payout accrued of the day. PAYABLE_TO_DATE: the same with all days before.
    /// RELEASES_OF_THE_DAY: what payment cleared of the day's releases; what payout released.
    std::string_view name = {};
    /// Minor units, as each ledger has it.
    std::int64_t payment = 0;
    std::int64_t payout = 0;
    Accord accord = Accord::kAgrees;
    /// Of what does not agree, as far as the ledgers know: PAYMENT_DAY_OPEN, PAYOUT_DAY_NOT_CLOSED,
    /// EARLIER_DAY_NOT_CLOSED, PAYOUT_DAY_NOT_RELEASED, RELEASE_NOT_CLEARED (payment has not heard
    /// of all of the day's releases), MERCHANTS_HELD_BACK (accruals of theirs may be missing).
    std::string_view because = {};
};

/// Compares a day's balances. Payment's were read before payout's: what payout knows later than
/// payment is not yet, what it does not know is missing.
std::vector<LedgerAgreement> CompareLedgers(const payment::v1::TrialBalance& payment,
                                            const payout::v1::TrialBalance& payout);

/// The worst of them.
Accord AccordOf(const std::vector<LedgerAgreement>& agreements);

}  // namespace kessai::gateway::transport
