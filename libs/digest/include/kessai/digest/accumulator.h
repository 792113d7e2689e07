#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "kessai/digest/row_hash.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::digest {

/// A day's rows are digested in so many buckets of object ids (event::kBuckets).
inline constexpr int kBuckets = 1024;

/// The bucket of an object, in [0, kBuckets): event::BucketOf, so that a Kafka partition's rows
/// fall into that partition's own buckets only.
int BucketOf(std::int64_t object_id);

/// Some of a day's buckets: [first, first + count).
struct BucketRange {
    int first = 0;
    int count = kBuckets;

    int end() const { return first + count; }
    bool Has(int bucket) const { return bucket >= first && bucket < end(); }
    /// A count above 0, and no bucket that there is not.
    bool IsValid() const {
        return first >= 0 && count > 0 && first < kBuckets && count <= kBuckets - first;
    }
    /// As messages have it: all zeros stand for all buckets. INVALID_ARGUMENT FIELD_INVALID.
    static Result<BucketRange> Parse(std::uint32_t first, std::uint32_t count);
};

/// Count, sum and hash sum of a set of rows: equal for equal sets, in whatever order they came.
struct BucketDigest {
    std::int64_t count = 0;
    /// Modulo 2^64, as a number with a sign.
    std::int64_t signed_gross = 0;
    Sum128 hash_sum;

    void Add(const BucketDigest& other);
    bool operator==(const BucketDigest&) const = default;
};

/// A kept digest of a bucket before and after it was computed again from the rows.
struct RecomputedBucket {
    BucketDigest before;
    BucketDigest after;

    bool operator==(const RecomputedBucket&) const = default;
};

/// The digest of one day: a BucketDigest for each bucket.
using DayDigest = std::vector<BucketDigest>;

/// The same without what is not of `range`. Precondition: a valid range, and all buckets.
DayDigest OnlyOf(BucketRange range, DayDigest day);

/// The buckets in which two days differ, rising. Precondition: both have kBuckets entries.
std::vector<int> UnequalBuckets(const DayDigest& a, const DayDigest& b);

/// Adds rows up in memory, by (business date, bucket). One thread at a time.
class Accumulator {
 public:
    using Cells = std::map<std::pair<BusinessDate, int>, BucketDigest>;

    /// `hasher` must outlive it.
    explicit Accumulator(const RowHasher& hasher) : hasher_(&hasher) {}

    void Add(const Row& row);
    /// A row as its table has it: it counts in the bucket that it stands in, also if that is not
    /// its object's. So a row that somebody put where it does not belong is seen by whoever reads a
    /// table by buckets. Precondition: `bucket` is in [0, kBuckets).
    void Add(const Row& row, int bucket);
    /// Begins anew; call it when the transaction that stored the cells has committed.
    void Clear() { cells_.clear(); }

    bool empty() const { return cells_.empty(); }
    std::size_t size() const { return cells_.size(); }
    const Cells& cells() const { return cells_; }

    /// What was added for one day, all buckets.
    DayDigest Day(BusinessDate business_date) const;

 private:
    const RowHasher* hasher_;
    Cells cells_;
};

}  // namespace kessai::digest
