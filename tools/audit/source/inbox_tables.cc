#include "source/inbox_tables.h"

#include <algorithm>

#include "kessai/mysql/query.h"
#include "source/columns.h"

namespace kessai::audit {
namespace {

// Few rows unless something is down, so it reads them all.
constexpr mysql::Query kUnsent{"outbox.unsent", R"sql(
    SELECT shard, COUNT(*), COALESCE(SUM(entry_count), 0),
           TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', MIN(created_at)) FROM outbox
    WHERE created_at <= TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00')
    GROUP BY shard)sql"};
constexpr mysql::Query kOffsets{"consumer_offset.of_topic", R"sql(
    SELECT partition_no, MAX(next_offset),
           TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', MAX(updated_at)),
           TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', NOW(6))
    FROM consumer_offset WHERE topic = ? GROUP BY partition_no)sql"};
constexpr mysql::Query kOpenDeadLetters{"dead_letter.open", R"sql(
    SELECT topic, partition_no, message_offset, consumer_group, object_id, reason
    FROM dead_letter WHERE state = 1
    ORDER BY topic, partition_no, message_offset, consumer_group LIMIT ?)sql"};
constexpr mysql::Query kParked{"parked_event.all", R"sql(
    SELECT topic, partition_no, message_offset, consumer_group, object_id
    FROM parked_event ORDER BY topic, partition_no, message_offset, consumer_group LIMIT ?)sql"};
constexpr mysql::Query kSettled{"dead_letter.settled", R"sql(
    SELECT DISTINCT topic, partition_no, message_offset FROM dead_letter WHERE state <> 1
    LIMIT ?)sql"};
constexpr mysql::Query kHasTable{"tables.has", R"sql(
    SELECT COUNT(*) FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_name = ?)sql"};

MessageId ReadId(const mysql::Rows& from) {
    return {from.Text(0), SmallInt(from, 1), from.Int(2)};
}

}  // namespace

bool UnsentRows::MayHold(std::int64_t object, std::int64_t stored_at_us) const {
    // A batch has its time before it writes its row.
    constexpr std::int64_t kBatchUs = 10'000'000;
    const auto shard = static_cast<std::size_t>(outbox::ShardOf(object));
    const std::int64_t oldest = oldest_of_shard_us[shard];
    return oldest != kNone && stored_at_us >= oldest - kBatchUs;
}

Result<UnsentRows> CountUnsent(mysql::Session& session, Instant written_by) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kUnsent, written_by));
    UnsentRows unsent;
    while (rows.Next()) {
        unsent.rows += rows.Int(1);
        unsent.entries += rows.Int(2);
        unsent.oldest_us = std::min(unsent.oldest_us, rows.Int(3));
        const auto shard = static_cast<std::size_t>(rows.Int(0));
        if (shard < unsent.oldest_of_shard_us.size()) {
            unsent.oldest_of_shard_us[shard] = rows.Int(3);
        }
    }
    return unsent;
}

Result<ConsumerOffsets> ReadOffsets(mysql::Session& session, const std::string& topic) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kOffsets, topic));
    ConsumerOffsets offsets;
    while (rows.Next()) {
        offsets.partitions[SmallInt(rows, 0)] = {rows.Int(1), rows.Int(2), rows.Int(3)};
    }
    return offsets;
}

Result<std::vector<WaitingMessage>> ReadWaiting(mysql::Session& session, int limit) {
    std::vector<WaitingMessage> waiting;
    KESSAI_ASSIGN_OR_RETURN(auto letters, session.Select(kOpenDeadLetters, limit));
    while (letters.Next()) {
        waiting.push_back(
            {ReadId(letters), letters.Text(3), letters.Int(4), false, letters.Text(5)});
    }
    KESSAI_ASSIGN_OR_RETURN(auto parked, session.Select(kParked, limit));
    while (parked.Next()) {
        waiting.push_back({ReadId(parked), parked.Text(3), parked.Int(4), true, {}});
    }
    return waiting;
}

Result<std::set<MessageId>> ReadSettled(mysql::Session& session, int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kSettled, limit));
    std::set<MessageId> settled;
    while (rows.Next()) settled.insert(ReadId(rows));
    return settled;
}

Result<bool> HasTable(mysql::Session& session, const std::string& table) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kHasTable, table));
    return rows.Next() && rows.Int(0) > 0;
}

}  // namespace kessai::audit
