#include "kessai/digest/accumulator.h"

#include <string>

#include "kessai/event/bucket.h"
#include "kessai/result/check.h"

namespace kessai::digest {

static_assert(kBuckets == event::kBuckets);

int BucketOf(std::int64_t object_id) {
    return event::BucketOf(object_id);
}

Result<BucketRange> BucketRange::Parse(std::uint32_t first, std::uint32_t count) {
    if (first == 0 && count == 0) return BucketRange();
    constexpr auto kMax = static_cast<std::uint32_t>(kBuckets);
    if (first < kMax && count > 0 && count <= kMax - first) {
        return BucketRange{static_cast<int>(first), static_cast<int>(count)};
    }
    return Status(Code::kInvalidArgument, "FIELD_INVALID",
                  "bucket_first, bucket_count: there are " + std::to_string(kBuckets) +
                      " buckets, from 0 on");
}

void BucketDigest::Add(const BucketDigest& other) {
    count += other.count;
    // Amounts are bounded where they enter; those of rows that somebody damaged are not, and have
    // to be found, not to end the process. So this sum too is modulo 2^64.
    signed_gross = static_cast<std::int64_t>(static_cast<std::uint64_t>(signed_gross) +
                                             static_cast<std::uint64_t>(other.signed_gross));
    hash_sum += other.hash_sum;
}

DayDigest OnlyOf(BucketRange range, DayDigest day) {
    KESSAI_CHECK(range.IsValid() && day.size() == kBuckets, "buckets that there are");
    for (int bucket = 0; bucket < kBuckets; ++bucket) {
        if (!range.Has(bucket)) day[static_cast<std::size_t>(bucket)] = {};
    }
    return day;
}

std::vector<int> UnequalBuckets(const DayDigest& a, const DayDigest& b) {
    KESSAI_CHECK(a.size() == kBuckets && b.size() == kBuckets, "a day has all its buckets");
    std::vector<int> unequal;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] != b[i]) unequal.push_back(static_cast<int>(i));
    }
    return unequal;
}

void Accumulator::Add(const Row& row) {
    Add(row, BucketOf(row.object_id));
}

void Accumulator::Add(const Row& row, int bucket) {
    KESSAI_CHECK(bucket >= 0 && bucket < kBuckets, "a bucket that there is");
    cells_[{row.business_date, bucket}].Add(
        {.count = 1, .signed_gross = row.signed_gross, .hash_sum = hasher_->Hash(row)});
}

DayDigest Accumulator::Day(BusinessDate business_date) const {
    DayDigest day(kBuckets);
    for (auto cell = cells_.lower_bound({business_date, 0});
         cell != cells_.end() && cell->first.first == business_date; ++cell) {
        day[static_cast<std::size_t>(cell->first.second)] = cell->second;
    }
    return day;
}

}  // namespace kessai::digest
