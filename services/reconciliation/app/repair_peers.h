#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "app/books.h"
#include "domain/claim.h"
#include "domain/day_comparison.h"
#include "domain/discrepancy.h"
#include "domain/repair.h"
#include "kessai/digest/accumulator.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::reconciliation::app {

/// An accrual as payout has it, or would have it.
struct AccrualTerms {
    domain::MerchantId merchant{};
    BusinessDate business_date{};
    std::int64_t gross = 0;
    std::int64_t fee = 0;
    /// Of AccrueAgain: it was not there so (or, of a dry run, is not).
    bool restored = false;
};

/// A correcting journal.
struct Correction {
    /// There once in payout's ledger, whatever is asked for twice.
    std::string key{};
    domain::CorrectionLeg leg{};
    /// Another merchant's part, under a key of its own; none: there is none.
    std::string other_key{};
    domain::CorrectionLeg other_leg{};
    /// What it corrects, for whoever reads the ledger.
    std::string reason{};
    std::string requested_by{};
    std::string approved_by{};
};

/// What repairs ask of payment and payout. Each may be asked again and does no more then. Refusals
/// are the service's own, or UNAVAILABLE, DEADLINE_EXCEEDED and the like: see IsForGood. Thread
/// safe.
class RepairPeers {
 public:
    virtual ~RepairPeers() = default;

    /// Why the records around payment's row of a change do not show that it happened, for people;
    /// empty: they do. NOT_FOUND when it has no such row.
    virtual Result<std::string> DoubtOfPayment(domain::ChangeKey change) = 0;
    /// The owner of the row publishes its event again. NOT_FOUND when it has no such row.
    virtual Status PublishPaymentEvent(domain::ChangeKey change) = 0;
    virtual Status PublishPayoutEvent(domain::ChangeKey change) = 0;
    /// Payout publishes the events of all rounds of a day's release again. NOT_FOUND when it knows
    /// of none.
    virtual Status PublishRelease(BusinessDate day) = 0;

    /// Payout puts back the accrual that is gone or was changed, from payment's event (`dry_run`:
    /// says what it would be). Refused where nothing shows that it was accrued so, or that it
    /// happened at all.
    virtual Result<AccrualTerms> AccrueAgain(domain::ChangeKey change, bool dry_run) = 0;
    /// The accrual that payout has; nullopt: none.
    virtual Result<std::optional<AccrualTerms>> FindAccrual(domain::ChangeKey change) = 0;

    /// `book` is payment's or payout's. Keeps what it changed under `key`; empty: only says what it
    /// would be.
    virtual Result<digest::RecomputedBucket> RecomputeDigest(domain::Book book, BusinessDate day,
                                                             std::uint32_t bucket,
                                                             const std::string& key) = 0;

    /// Both parts are in payout's ledger then, or none.
    virtual Status PostCorrection(const Correction& correction) = 0;
    /// From now on it is never posted, by a call that is still on the way neither: true. False: a
    /// part of it is in payout's ledger.
    virtual Result<bool> WithdrawCorrection(const Correction& correction) = 0;
    /// What was posted under this key; nullopt: nothing.
    virtual Result<std::optional<domain::CorrectionLeg>> FindCorrection(domain::MerchantId merchant,
                                                                        const std::string& key) = 0;
};

/// Whether asking again cannot help: the service understood and refused.
bool IsForGood(const Status& refusal);

}  // namespace kessai::reconciliation::app
