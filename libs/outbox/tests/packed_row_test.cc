#include "packed_row.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

#include "kessai/event/bucket.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/session.h"

namespace kessai::outbox {
namespace {

constexpr std::string_view kTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(PackedRowTest, ReadsWhatWasAppended) {
    std::string packed;
    AppendEntry(packed, {.object_id = 4711, .envelope = "first", .traceparent = kTrace});
    AppendEntry(packed, {.envelope = "mark", .topic = 3, .partition = 11});
    AppendEntry(packed, {.object_id = (1LL << 62) + 7, .envelope = "again", .republished = true});
    const auto entries = ReadEntries(packed);
    ASSERT_TRUE(entries.ok());
    ASSERT_EQ(entries->size(), 3u);
    const auto& first = entries->at(0);
    EXPECT_EQ(first.object_id, 4711);
    EXPECT_EQ(first.envelope, "first");
    EXPECT_EQ(first.traceparent, kTrace);
    EXPECT_EQ(first.topic, 0);
    EXPECT_FALSE(first.partition.has_value());
    EXPECT_FALSE(first.republished);
    const auto& mark = entries->at(1);
    EXPECT_EQ(mark.object_id, 0);
    EXPECT_EQ(mark.topic, 3);
    EXPECT_EQ(mark.partition, 11);
    const auto& again = entries->at(2);
    EXPECT_EQ(again.object_id, (1LL << 62) + 7);
    EXPECT_TRUE(again.republished);
}

// Goal: a damaged row is refused, never read as fewer or other messages without notice.
// Method: every prefix of a row that does not end between two entries, and foreign bytes.
TEST(PackedRowTest, RefusesDamage) {
    std::string packed;
    AppendEntry(packed, {.object_id = 1, .envelope = "abc", .traceparent = kTrace});
    const std::size_t border = packed.size();
    AppendEntry(packed, {.object_id = 2, .envelope = "def", .partition = 4});
    for (std::size_t size = 0; size < packed.size(); ++size) {
        if (size == 1 || size == border) continue;
        const auto entries = ReadEntries(packed.substr(0, size));
        EXPECT_EQ(entries.status().reason(), "OUTBOX_ROW_MALFORMED") << size;
    }
    EXPECT_FALSE(ReadEntries("\x02rest").ok());
}

TEST(BatchWriterTest, RefusesWhatCannotBePublished) {
    BatchWriter writer;
    EXPECT_EQ(writer.Add({.object_id = 1, .envelope = ""}).reason(), kEntryInvalid);
    EXPECT_EQ(writer.Add({.object_id = 0, .envelope = "x"}).reason(), kEntryInvalid);
    EXPECT_EQ(writer.Add({.object_id = -1, .envelope = "x"}).reason(), kEntryInvalid);
    EXPECT_EQ(writer.Add({.object_id = 1, .envelope = "x", .topic = 256}).reason(), kEntryInvalid);
    EXPECT_EQ(writer.Add({.object_id = 1, .envelope = "x", .partition = 5'000}).reason(),
              kEntryInvalid);
    const std::string huge(kEntryBytesMax + 1, 'x');
    EXPECT_EQ(writer.Add({.object_id = 1, .envelope = huge}).reason(), kEntryTooLarge);
    EXPECT_TRUE(writer.empty());

    const std::string large(kEntryBytesMax, 'x');
    EXPECT_TRUE(writer.Add({.object_id = 1, .envelope = large}).ok());
    EXPECT_TRUE(writer.Add({.object_id = 1, .envelope = large}).ok());
    const Status full = writer.Add({.object_id = 1, .envelope = large});
    EXPECT_EQ(full.code(), Code::kResourceExhausted);
    EXPECT_EQ(full.reason(), kBatchTooLarge);
    EXPECT_EQ(writer.size(), 2);
    writer.Clear();
    EXPECT_TRUE(writer.empty());
    EXPECT_EQ(writer.shards(), 0u);
}

// Goal: the largest batch that is taken also fits a statement.
// Method: fill every shard with bytes that all need escaping, and render.
TEST(BatchWriterTest, TheLargestBatchIsAStatement) {
    BatchWriter writer;
    const std::string zeros(10'000, '\0');
    std::int64_t object = 0;
    while (writer.Add({.object_id = ++object, .envelope = zeros}).ok()) {
    }
    EXPECT_EQ(writer.shards(), (1u << kShards) - 1);
    mysql::StatementBatch statements("test");
    ASSERT_TRUE(writer.AddTo(statements, 1, *BusinessDate::Parse("2026-11-22")).ok());
    EXPECT_LE(statements.bytes(), mysql::ConnectOptions().max_statement_bytes);
}

TEST(ShardTest, IsAFunctionOfTheBucket) {
    std::set<int> shards;
    for (std::int64_t object = 1; object < 1'000; ++object) {
        EXPECT_EQ(ShardOf(object), event::BucketOf(object) % kShards);
        shards.insert(ShardOf(object));
    }
    EXPECT_EQ(shards.size(), static_cast<std::size_t>(kShards));
}

}  // namespace
}  // namespace kessai::outbox
