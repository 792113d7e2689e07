#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "app/payout_reader.h"
#include "domain/funds_trace.h"
#include "domain/transfer.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::payout::app {

/// A merchant's journals by number, and the days that were released to it in their order, the
/// journals' own among them.
struct FundsHistory {
    std::vector<domain::SeenJournal> journals;
    std::vector<domain::ReleasedDay> releases;
};

/// Where a merchant's day goes on: behind an accrual of a bucket, or at a bucket's beginning.
struct AccrualPosition {
    int bucket = 0;
    domain::EffectKey after;

    bool operator==(const AccrualPosition&) const = default;
};

struct AccrualPage {
    std::vector<RecordedAccrual> accruals;
    /// Nothing: there are no more.
    std::optional<AccrualPosition> next;
};

/// What a trace is read from, each answered from committed rows. Thread safe.
class FundsReader {
 public:
    virtual ~FundsReader() = default;

    virtual Result<FundsHistory> HistoryOf(domain::MerchantId merchant) = 0;
    virtual Result<std::map<domain::TransferId, domain::Transfer>> FindTransfers(
        std::span<const domain::TransferId> transfers) = 0;
    /// By version.
    virtual Result<std::vector<RecordedAccrual>> AccrualsOf(domain::PaymentId payment) = 0;
    /// The merchant's accruals of the day in buckets up to `last_bucket`, behind `from`, by bucket,
    /// payment and version; `next` when there may be more than the `limit`. It reads all of the day
    /// in those buckets.
    virtual Result<AccrualPage> AccrualsOf(domain::MerchantId merchant, BusinessDate day,
                                           AccrualPosition from, int last_bucket, int limit) = 0;
};

struct TransferTrace {
    domain::Transfer transfer;
    std::vector<domain::FundsPart> parts;
    /// Those that parts are of.
    std::map<BusinessDate, domain::ReleasedDay> days;
};

struct PaymentTrace {
    struct Day {
        BusinessDate day;
        /// Nothing: it is not released.
        std::optional<std::int64_t> net;
        /// Transfers with a part of it, and how much.
        std::vector<std::pair<domain::Transfer, std::int64_t>> paid;
        std::int64_t left = 0;
    };
    domain::MerchantId merchant;
    std::vector<RecordedAccrual> accruals;
    std::vector<Day> days;
};

/// Follows money from a transfer to the payments in it, and back. Thread safe.
class TraceFunds {
 public:
    TraceFunds(FundsReader& reader, const Clock& clock) : reader_(reader), clock_(clock) {}

    /// NOT_FOUND TRANSFER_UNKNOWN; as domain::TraceFunds.
    Result<TransferTrace> OfTransfer(domain::TransferId transfer);
    /// A page of at most `limit`; with fewer, or none, when it would take long to find more.
    Result<AccrualPage> AccrualsOf(domain::MerchantId merchant, BusinessDate day,
                                   AccrualPosition from, int limit);
    /// NOT_FOUND ACCRUAL_UNKNOWN; as domain::TraceFunds.
    Result<PaymentTrace> OfPayment(domain::PaymentId payment);

 private:
    FundsReader& reader_;
    const Clock& clock_;
};

}  // namespace kessai::payout::app
