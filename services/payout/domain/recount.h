#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "domain/day_total.h"

namespace kessai::payout::domain {

/// Merchants from `first` to `last`, both included.
struct MerchantRange {
    MerchantId first;
    MerchantId last;

    bool operator==(const MerchantRange&) const = default;
};

/// Every id there can be: ranges of a day's chunks begin and end with these, so that a merchant
/// whom one side does not know is still in some chunk.
inline constexpr MerchantId kLowestMerchant{INT64_MIN};
inline constexpr MerchantId kHighestMerchant{INT64_MAX};

/// What the recount takes of an accrual row.
struct AccruedAmount {
    MerchantId merchant;
    TaxClass tax_class = TaxClass::kNone;
    std::int64_t gross = 0;
    std::int64_t fee = 0;
};

/// First step of the recount: what one worker has seen of the day's accruals, by merchant. An open
/// addressing table, because it takes millions of rows a second. One thread.
class SegmentSums {
 public:
    /// `merchants_expected` only saves growing.
    explicit SegmentSums(std::size_t merchants_expected = 0);

    /// Many at a time, so that the table's lines are on their way while others are added to.
    void Add(std::span<const AccruedAmount> rows);
    void Add(const AccruedAmount& row) { Add(std::span(&row, 1)); }
    std::size_t size() const { return size_; }

    /// In order of merchant and tax class; leaves this empty.
    std::vector<MerchantSums> TakeSorted();

 private:
    /// Half a cache line.
    struct Slot {
        std::int64_t merchant = 0;
        std::int64_t gross = 0;
        std::int64_t fee = 0;
        std::uint64_t item_count : 56 = 0;
        std::uint64_t tax_class : 8 = 0;
    };

    void Grow();
    std::size_t HomeOf(std::int64_t merchant, std::uint64_t tax_class) const;
    Slot& SlotOf(std::int64_t merchant, std::uint64_t tax_class);

    std::vector<Slot> slots_;
    std::size_t size_ = 0;
};

/// Second step: the workers' sums, reduced over them one merchant range at a time. Immutable, so
/// any number of threads may read.
class Recount {
 public:
    /// Each part in order of merchant and tax class.
    explicit Recount(std::vector<std::vector<MerchantSums>> sorted_parts);

    /// The sums of a range's merchants over all parts, in order of merchant and tax class.
    std::vector<MerchantSums> Reduce(const MerchantRange& range) const;

 private:
    std::vector<std::vector<MerchantSums>> parts_;
};

/// Joins neighbours of the same merchant and tax class. Precondition: in that order.
std::vector<MerchantSums> Joined(std::vector<MerchantSums> sorted);

/// What the totals and the recount say of one merchant.
struct Comparison {
    MerchantId merchant;
    bool equal = false;
    /// Over all tax classes.
    Sums totals;
    Sums recounted;
    /// The merchant's entries in the span of recounted sums.
    std::size_t first = 0;
    std::size_t count = 0;
};

/// Compares, merchant by merchant and tax class by tax class, all that either side has.
/// Precondition: both in order of merchant and tax class, joined.
std::vector<Comparison> Compare(std::span<const MerchantSums> totals,
                                std::span<const MerchantSums> recounted);

}  // namespace kessai::payout::domain
