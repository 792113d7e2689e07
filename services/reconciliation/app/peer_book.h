#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "domain/day_comparison.h"
#include "kessai/digest/accumulator.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::reconciliation::app {

/// Rows of one bucket, one after the other.
class BookRows {
 public:
    virtual ~BookRows() = default;
    /// nullopt at the end and ever after.
    virtual Result<std::optional<domain::BookRow>> Next() = 0;
};

/// The port to the book of payment or of payout. Thread safe. Refusals: the service's own
/// (FAILED_PRECONDITION DAY_OPEN), UNAVAILABLE, DEADLINE_EXCEEDED, DATA_LOSS for an answer that
/// makes no sense.
class PeerBook {
 public:
    virtual ~PeerBook() = default;
    /// The day's buckets of `range`, which is valid, others empty; as they are kept, or computed
    /// from the rows if `deep`, which takes as long as there are rows in them.
    virtual Result<digest::DayDigest> DayDigest(BusinessDate business_date, bool deep,
                                                digest::BucketRange range) = 0;
    /// The rows of a bucket, rising by key.
    virtual Result<std::unique_ptr<BookRows>> ListDay(BusinessDate business_date, int bucket) = 0;
    /// The rows of these changes that there are, whatever their day, in no order. Any number of
    /// them.
    virtual Result<std::vector<domain::DatedRow>> FindRows(
        std::span<const domain::ChangeKey> keys) = 0;
};

/// Notes in cases of `day` which rows the books have elsewhere: asks each book once for all changes
/// that its list of the day lacks.
Status FindElsewhere(PeerBook& payment, PeerBook& payout, BusinessDate day,
                     std::span<domain::Case> cases);

}  // namespace kessai::reconciliation::app
