#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "domain/merchant_journal.h"
#include "domain/release.h"
#include "kessai/digest/accumulator.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::payout::app {

/// A closed day by its totals and by its releases.
struct DayCheck {
    domain::DayState state = domain::DayState::kClosed;
    /// Over merchants: digest::AddLine.
    digest::DayDigest accrued;
    /// Of rounds that are finished.
    digest::DayDigest released;
    domain::ReleaseSums released_sums;
    /// Finished rounds that DayReleased told of.
    std::uint32_t rounds_told = 0;
    /// What the finished rounds noted of themselves. `held_back_count` is of now.
    domain::ReleaseSums round_sums;
};

/// A merchant's day in one tax class.
struct MerchantDayLine {
    domain::TaxClass tax_class = domain::TaxClass::kNone;
    domain::Sums accrued;
    /// Nothing: there is no release row of a finished round.
    std::optional<domain::ReleaseLine> released;
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
    virtual Result<CheckPage<MovedFunds, domain::MerchantId>> ListMovedFunds(
        BusinessDate day, domain::MerchantId after, int limit) = 0;
};

}  // namespace kessai::payout::app
