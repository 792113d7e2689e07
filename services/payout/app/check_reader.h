#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "domain/merchant_journal.h"
#include "domain/release.h"
#include "kessai/digest/accumulator.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::payout::app {

/// A finished round that DayReleased told of.
struct ToldRelease {
    BusinessDate day;
    int round = 0;
    /// Nothing: an older version told it, which did not keep of which day its event is.
    std::optional<BusinessDate> told_date;
    domain::ReleaseSums sums;
};

/// A closed day by its totals and by its releases.
struct DayCheck {
    domain::DayState state = domain::DayState::kClosed;
    /// Over merchants: digest::AddLine.
    digest::DayDigest accrued;
    /// Of rounds that are finished.
    digest::DayDigest released;
    domain::ReleaseSums released_sums;
    /// By round.
    std::vector<ToldRelease> told;
    /// What the finished rounds noted of themselves. `held_back_count` is of now.
    domain::ReleaseSums round_sums;
};

/// A merchant's day in one tax class.
struct MerchantDayLine {
    domain::TaxClass tax_class = domain::TaxClass::kNone;
    domain::Sums accrued;
    /// Nothing: there is no release row of a finished round.
    std::optional<domain::ReleaseLine> released;
    /// Of the released line: the round that released it.
    int round = 0;
    /// Of the released line: the fees of its cycle that rounds before its own released, by the
    /// rows.
    std::int64_t cycle_fee_before = 0;
};

struct CheckedMerchant {
    domain::MerchantId merchant;
    std::vector<MerchantDayLine> lines;
    bool held_back = false;
};

/// `next` is where to go on; none: at the end.
template <class T, class Position>
struct CheckPage {
    std::vector<T> items;
    Position next{};
};

/// Journals of transfers of one kind.
struct TransferSum {
    domain::MerchantJournal sum;
    std::int64_t count = 0;
};
struct TransferSums {
    /// No journal is added to the day any more.
    bool final = false;
    std::vector<TransferSum> steps;
};
struct NumberedJournal {
    std::int64_t journal = 0;
    domain::MerchantJournal content;
};

/// A merchant's money by its rows, and as it is kept.
struct MovedFunds {
    struct Made {
        domain::TransferId transfer;
        std::int64_t amount = 0;
    };
    domain::MerchantId merchant;
    std::int64_t released = 0;
    std::int64_t adjusted = 0;
    std::int64_t paid = 0;
    std::int64_t prices = 0;
    std::int64_t came_back = 0;
    std::int64_t open_transfers = 0;
    std::int64_t available = 0;
    std::int64_t in_transit = 0;
    /// On the day asked for.
    std::vector<Made> made;
};

/// What reconciliation asks, answered from committed rows without a lock. Thread safe.
class CheckReader {
 public:
    virtual ~CheckReader() = default;

    /// FAILED_PRECONDITION DAY_OPEN.
    virtual Result<DayCheck> CheckDay(BusinessDate day) = 0;
    /// Those whose event is of `told_date`, by day and round.
    virtual Result<std::vector<ToldRelease>> ListToldReleases(BusinessDate told_date) = 0;
    /// Merchants above `after` in `buckets` (empty: all), rising, about `limit` of them.
    /// FAILED_PRECONDITION DAY_OPEN.
    virtual Result<CheckPage<CheckedMerchant, domain::MerchantId>> ListMerchants(
        BusinessDate day, const std::set<int>& buckets, domain::MerchantId after, int limit) = 0;
    /// From the accrual rows. FAILED_PRECONDITION DAY_OPEN.
    virtual Result<digest::DayDigest> FeeDigests(BusinessDate day) = 0;

    /// `today` in Japan.
    virtual Result<TransferSums> SumTransfers(BusinessDate day, BusinessDate today) = 0;
    virtual Result<CheckPage<NumberedJournal, std::int64_t>> ListTransferSteps(BusinessDate day,
                                                                               std::int64_t after,
                                                                               int limit) = 0;
    /// Of those that had a journal on the day. Whoever is being released to is left out.
    virtual Result<CheckPage<MovedFunds, domain::MerchantId>> ListMovedFunds(
        BusinessDate day, domain::MerchantId after, int limit) = 0;
    /// The same of some merchants, whether or not they had a journal on the day. `merchants` rise,
    /// and are some hundred at most.
    virtual Result<std::vector<MovedFunds>> FindFunds(
        BusinessDate day, std::span<const domain::MerchantId> merchants) = 0;
};

}  // namespace kessai::payout::app
