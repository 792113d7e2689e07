#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::mysql {
class RowList;
class Session;
class StatementBatch;
}  // namespace kessai::mysql

namespace kessai::outbox {

/// Into how many shards a service's outbox is cut. An object's events are all in one shard, so a
/// shard is what one relay at a time publishes in order. Four, because one relay publishes more
/// than the whole service commits (see README), each further shard costs every batch one more row,
/// and two or three replicas can still share four out. Fixed: rows that wait were cut by it.
inline constexpr int kShards = 4;

/// The shard of an object: its bucket (event::BucketOf) modulo kShards. Marks (object 0) have one
/// too.
int ShardOf(std::int64_t object_id);

/// The largest entry. An event has at most event::kEventBytesMax; a dead letter holds a whole
/// foreign message (max.message.bytes of the topics, 1 MiB) and its reason.
inline constexpr std::size_t kEntryBytesMax = std::size_t{3} << 19;
/// The entries of one batch, packed: fits a statement of the MySQL library's bound even when every
/// byte has to be escaped.
inline constexpr std::size_t kBatchBytesMax = std::size_t{4} << 20;

inline constexpr std::string_view kEntryTooLarge = "OUTBOX_ENTRY_TOO_LARGE";
inline constexpr std::string_view kBatchTooLarge = "OUTBOX_BATCH_TOO_LARGE";
inline constexpr std::string_view kEntryInvalid = "OUTBOX_ENTRY_INVALID";

/// One message to publish. A view: Add copies it.
struct Entry {
    /// Decides shard, key and partition. 0: a mark or anything else without an object, which needs
    /// `partition` and has no key.
    std::int64_t object_id = 0;
    /// The message's value: a sealed event, or a dead letter.
    std::string_view envelope;
    /// W3C trace context, or empty. It is not part of the event.
    std::string_view traceparent = {};
    /// Position in RelayOptions::topics. 0 is the service's own event topic.
    int topic = 0;
    /// Instead of event::PartitionOf(object_id).
    std::optional<int> partition = std::nullopt;
    /// Was published before and is put in again by a repair: the relay's hook is told, so that
    /// digests do not count it twice.
    bool republished = false;
};

/// Packs the messages of one transaction into one row a shard, so that a batch costs a row or a few
/// whatever its size. Reuse one over batches: Clear keeps its memory. One thread at a time.
class BatchWriter {
 public:
    /// INVALID_ARGUMENT OUTBOX_ENTRY_TOO_LARGE or OUTBOX_ENTRY_INVALID (neither object nor
    /// partition, empty value, topic beyond 255): that change must not be committed.
    /// RESOURCE_EXHAUSTED OUTBOX_BATCH_TOO_LARGE: the batch is full; the change may go in another.
    /// Entries of one object are published in the order they were added.
    Status Add(const Entry& entry);

    bool empty() const { return entries_ == 0; }
    int size() const { return entries_; }
    /// A bit for each shard with entries, for Relay::Notify after the commit.
    unsigned shards() const;

    /// Writes the rows in the caller's transaction: one INSERT, nothing when empty.
    ///
    /// `row_id` places the rows among those of other batches. The caller guarantees, for every
    /// object in the batch, that it is larger than the event ids and row ids of the object's
    /// earlier batches, and smaller than the event ids of this one: it is drawn from an IdGenerator
    /// after the objects were locked and their last event ids observed, and before this batch's
    /// event ids are drawn. It is used once.
    Status Store(mysql::Session& session, std::int64_t row_id, BusinessDate business_date) const;
    /// The same as a statement of a batch.
    Status AddTo(mysql::StatementBatch& statements, std::int64_t row_id,
                 BusinessDate business_date) const;

    void Clear();

 private:
    struct Shard {
        std::string packed;
        int entries = 0;
    };
    void FillRows(mysql::RowList& rows, std::int64_t row_id, BusinessDate business_date) const;

    std::array<Shard, kShards> shards_;
    int entries_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace kessai::outbox
