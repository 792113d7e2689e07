#pragma once

#include <cstdint>

namespace kessai::event {

/// Objects are spread over this many buckets. Outbox shards, Kafka partitions and the digests of a
/// day are all functions of the bucket, so they nest: the events of one partition touch only
/// kBuckets / partitions buckets, and a consumer's batch updates that many digest rows at most.
/// Fixed for ever: rows, topics and digests depend on it.
inline constexpr int kBuckets = 1024;

/// The bucket of an object's id, in [0, kBuckets). Ids are time ordered and have a worker number in
/// the middle, so they are mixed (the finalizer of SplitMix64) before the modulus.
int BucketOf(std::int64_t object_id);

/// The partition that all events of an object go to. Precondition: 1 ≤ partition_count ≤ kBuckets.
/// It never changes for a topic, because a topic is never repartitioned: a new version of the topic
/// takes over instead.
int PartitionOf(std::int64_t object_id, int partition_count);

}  // namespace kessai::event
