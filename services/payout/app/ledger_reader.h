#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/merchant_records.h"
#include "app/request_payout.h"
#include "app/transfer_records.h"
#include "domain/ledger.h"
#include "domain/payout_terms.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::payout::app {

/// One line of the day's journal: a merchant's accruals of the day together, a release, or a row of
/// the merchants' journal.
struct JournalLine {
    enum class Kind : std::uint8_t {
        kTransferCreated = 1,
        kTransferSettled = 2,
        kTransferFailed = 3,
        kTransferReturned = 4,
        kAdjustment = 5,
        kAccrued = 6,
        kReleased = 7,
        kTransferCancelled = 8,
    };
    Kind kind = Kind::kAccrued;
    domain::MerchantId merchant;
    /// Of a row of the merchants' journal, and its transfer or adjustment; else none.
    domain::JournalId journal;
    std::int64_t object = 0;
    /// Without those that are zero.
    std::vector<domain::Posting> postings;
};

/// Where a day's journal goes on: behind a line.
struct JournalPosition {
    enum class Part : std::uint8_t { kAccruals, kReleases, kRows };
    Part part = Part::kAccruals;
    /// The merchant of the line, or its journal number.
    std::int64_t after = 0;
};
JournalPosition PositionBehind(const JournalLine& line);

/// Questions about the merchants' ledger, each answered from committed rows. Thread safe.
class LedgerReader {
 public:
    virtual ~LedgerReader() = default;

    /// NOT_FOUND PAYOUT_UNKNOWN.
    virtual Result<PayoutHistory> FindPayout(domain::PayoutId payout) = 0;
    /// The merchant's, newest first, below `before` (none: all), at most `limit`.
    virtual Result<std::vector<PayoutHistory>> ListPayouts(domain::MerchantId merchant,
                                                           domain::PayoutId before, int limit) = 0;
    /// All versions.
    virtual Result<std::vector<domain::BankAccount>> BankAccounts(domain::MerchantId merchant) = 0;
    /// In force for a merchant; of none: of all without their own.
    virtual Result<domain::PayoutTerms> TermsInForce(domain::MerchantId merchant) = 0;
    /// Those that are open, newest first, below `before` (none: all), at most `limit`; of none: of
    /// all merchants.
    virtual Result<std::vector<PayoutHold>> ListOpenHolds(domain::MerchantId merchant,
                                                          domain::PayoutHoldId before,
                                                          int limit) = 0;
    /// Newest first, below `before` (none: all), at most `limit`; of none: of all merchants.
    virtual Result<std::vector<domain::Adjustment>> ListAdjustments(domain::MerchantId merchant,
                                                                    domain::AdjustmentId before,
                                                                    int limit) = 0;
    /// A day's lines: accruals, then releases, each by merchant, then the merchants' journal by
    /// number; those behind `from`. Bounded memory, and `take` may take long; returning false ends
    /// it.
    virtual Status StreamJournal(BusinessDate day, JournalPosition from,
                                 const std::function<bool(const JournalLine&)>& take) = 0;
};

}  // namespace kessai::payout::app
