#include "kessai/event/bucket.h"

#include "kessai/result/check.h"

namespace kessai::event {

int BucketOf(std::int64_t object_id) {
    auto x = static_cast<std::uint64_t>(object_id);
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9ULL;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebULL;
    x ^= x >> 31;
    return static_cast<int>(x % kBuckets);
}

int PartitionOf(std::int64_t object_id, int partition_count) {
    KESSAI_CHECK(partition_count >= 1 && partition_count <= kBuckets,
                 "a topic has between one partition and one a bucket");
    return BucketOf(object_id) % partition_count;
}

}  // namespace kessai::event
