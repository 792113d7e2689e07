#include "kessai/outbox/batch_writer.h"

#include "kessai/event/bucket.h"
#include "kessai/mysql/session.h"
#include "kessai/result/check.h"
#include "packed_row.h"

namespace kessai::outbox {
namespace {

static_assert(event::kBuckets % kShards == 0, "shards are even");

constexpr mysql::Query kInsert{"outbox.insert", R"sql(
    INSERT INTO outbox (shard, row_id, business_date, entry_count, entries) VALUES {rows})sql"};

constexpr int kTopicMax = 255;
// A W3C traceparent has 55 characters; what is longer is none.
constexpr std::size_t kTraceparentMax = 64;
// What an entry takes beside its value.
constexpr std::size_t kOverheadMax = 32 + kTraceparentMax;

Status Invalid(std::string_view reason, std::string message) {
    return Status(Code::kInvalidArgument, reason, std::move(message));
}

}  // namespace

int ShardOf(std::int64_t object_id) {
    return event::BucketOf(object_id) % kShards;
}

Status BatchWriter::Add(const Entry& entry) {
    if (entry.envelope.empty() || entry.topic < 0 || entry.topic > kTopicMax ||
        entry.object_id < 0 || (entry.object_id == 0 && !entry.partition) ||
        (entry.partition && (*entry.partition < 0 || *entry.partition >= event::kBuckets))) {
        return Invalid(kEntryInvalid, "object " + std::to_string(entry.object_id) + ", topic " +
                                          std::to_string(entry.topic));
    }
    if (entry.envelope.size() > kEntryBytesMax) {
        return Invalid(kEntryTooLarge, std::to_string(entry.envelope.size()) + " bytes of object " +
                                           std::to_string(entry.object_id));
    }
    if (bytes_ + entry.envelope.size() + kOverheadMax > kBatchBytesMax) {
        return Status(Code::kResourceExhausted, kBatchTooLarge,
                      std::to_string(entries_) + " entries are in the batch");
    }
    Entry kept = entry;
    if (kept.traceparent.size() > kTraceparentMax) kept.traceparent = {};
    Shard& shard = shards_[static_cast<std::size_t>(ShardOf(entry.object_id))];
    AppendEntry(shard.packed, kept);
    bytes_ += kept.envelope.size() + kOverheadMax;
    ++shard.entries;
    ++entries_;
    return OkStatus();
}

unsigned BatchWriter::shards() const {
    unsigned bits = 0;
    for (unsigned i = 0; i < kShards; ++i) {
        if (shards_[i].entries > 0) bits |= 1u << i;
    }
    return bits;
}

Status BatchWriter::Store(mysql::Session& session, std::int64_t row_id,
                          BusinessDate business_date) const {
    if (empty()) return OkStatus();
    mysql::RowList rows;
    FillRows(rows, row_id, business_date);
    return session.Execute(kInsert, rows).status();
}

Status BatchWriter::AddTo(mysql::StatementBatch& statements, std::int64_t row_id,
                          BusinessDate business_date) const {
    if (empty()) return OkStatus();
    mysql::RowList rows;
    FillRows(rows, row_id, business_date);
    return statements.Add(kInsert, rows);
}

void BatchWriter::FillRows(mysql::RowList& rows, std::int64_t row_id,
                           BusinessDate business_date) const {
    KESSAI_CHECK(row_id > 0, "a row id comes from an IdGenerator");
    for (int i = 0; i < kShards; ++i) {
        const Shard& shard = shards_[static_cast<std::size_t>(i)];
        if (shard.entries == 0) continue;
        rows.Add(i, row_id, business_date, shard.entries, mysql::Bytes{shard.packed});
    }
}

void BatchWriter::Clear() {
    for (Shard& shard : shards_) {
        shard.packed.clear();
        shard.entries = 0;
    }
    entries_ = 0;
    bytes_ = 0;
}

}  // namespace kessai::outbox
