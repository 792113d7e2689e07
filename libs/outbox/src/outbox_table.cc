#include "kessai/outbox/outbox_table.h"

#include <algorithm>

#include "kessai/mysql/migration.h"
#include "kessai/mysql/session.h"
#include "kessai/outbox/batch_writer.h"

namespace kessai::outbox {
namespace {

constexpr mysql::Query kCountUpTo{"outbox.count_up_to", R"sql(
    SELECT COUNT(*) FROM outbox WHERE business_date <= ?)sql"};

constexpr mysql::Query kHasRow{"outbox.has_row", R"sql(
    SELECT COUNT(*) FROM outbox FORCE INDEX (PRIMARY)
    WHERE shard IN ({keys}) AND row_id = ?)sql"};

constexpr mysql::Query kOldest{"outbox.oldest", R"sql(
    SELECT TIMESTAMPDIFF(MICROSECOND, created_at, CURRENT_TIMESTAMP(6))
    FROM outbox FORCE INDEX (PRIMARY) WHERE shard = ? ORDER BY row_id LIMIT 1)sql"};

}  // namespace

Result<std::int64_t> CountRowsUpTo(mysql::Session& session, BusinessDate business_date) {
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session.Select(kCountUpTo, business_date));
    rows.Next();
    return rows.Int(0);
}

Result<bool> HasRow(mysql::Session& session, std::int64_t row_id) {
    mysql::KeyList shards;
    for (int shard = 0; shard < kShards; ++shard) shards.Add(shard);
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session.Select(kHasRow, shards, row_id));
    rows.Next();
    return rows.Int(0) > 0;
}

Result<Duration> OldestAge(mysql::Session& session) {
    Duration oldest{};
    for (int shard = 0; shard < kShards; ++shard) {
        KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session.Select(kOldest, shard));
        if (rows.Next()) oldest = std::max(oldest, Duration(rows.Int(0)));
    }
    return oldest;
}

}  // namespace kessai::outbox
