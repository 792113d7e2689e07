#include "outbox_rows.h"

#include <algorithm>
#include <map>
#include <set>

#include "kessai/mysql/transaction.h"
#include "packed_row.h"

namespace kessai::outbox {
namespace {

constexpr mysql::Query kReadLowest{"outbox.read_lowest", R"sql(
    SELECT row_id, business_date, CAST(UNIX_TIMESTAMP(created_at) * 1000000 AS SIGNED), entries
    FROM outbox FORCE INDEX (PRIMARY)
    WHERE shard = ? AND row_id NOT IN ({keys}) ORDER BY row_id LIMIT ?)sql"};

constexpr mysql::Query kLock{"outbox.lock_rows", R"sql(
    SELECT row_id FROM outbox FORCE INDEX (PRIMARY)
    WHERE shard = ? AND row_id IN ({keys}) ORDER BY row_id FOR UPDATE)sql"};

constexpr mysql::Query kDelete{"outbox.delete_rows", R"sql(
    DELETE FROM outbox WHERE shard = ? AND row_id IN ({keys}))sql"};

using RowsByShard = std::map<int, std::map<std::int64_t, const Row*>>;

// Locks what is still there, so that a row deleted by another relay is not counted again.
Result<std::vector<const Row*>> LockRows(mysql::Session& session, int shard,
                                         const std::map<std::int64_t, const Row*>& rows) {
    mysql::KeyList keys;
    for (const auto& [row_id, row] : rows) keys.Add(row_id);
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows there, session.Select(kLock, shard, keys));
    std::vector<const Row*> locked;
    while (there.Next()) locked.push_back(rows.at(there.Int(0)));
    return locked;
}

Status DeleteLocked(mysql::Session& session, int shard, std::span<const Row* const> rows) {
    mysql::KeyList keys;
    for (const Row* row : rows) keys.Add(row->row_id);
    KESSAI_ASSIGN_OR_RETURN(const std::uint64_t deleted, session.Execute(kDelete, shard, keys));
    if (deleted == rows.size()) return OkStatus();
    return Status(Code::kInternal, "OUTBOX_DELETE_UNEVEN",
                  std::to_string(rows.size()) + " rows are locked, " + std::to_string(deleted) +
                      " were deleted");
}

void AddPublished(const Row& row, std::vector<Published>& published) {
    for (const Entry& entry : row.entries) {
        published.push_back({.object_id = entry.object_id,
                             .envelope = entry.envelope,
                             .topic = entry.topic,
                             .republished = entry.republished,
                             .shard = row.shard,
                             .row_id = row.row_id,
                             .business_date = row.business_date});
    }
}

}  // namespace

Result<std::vector<std::unique_ptr<Row>>> ReadLowestRows(mysql::Session& session, int shard,
                                                         std::span<const std::int64_t> except,
                                                         int limit) {
    mysql::KeyList keys(except);
    // A list must not be empty, and no row has this id.
    if (keys.empty()) keys.Add(0);
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows found, session.Select(kReadLowest, shard, keys, limit));
    std::vector<std::unique_ptr<Row>> rows;
    while (found.Next()) {
        auto row = std::make_unique<Row>();
        row->shard = shard;
        row->row_id = found.Int(0);
        row->business_date = found.Date(1);
        row->created_at = found.At(2);
        row->packed = found.Bytes(3);
        rows.push_back(std::move(row));
    }
    return rows;
}

Result<std::size_t> DeleteRows(mysql::Session& session, std::span<const Row* const> rows,
                               const DeleteHook& hook) {
    RowsByShard by_shard;
    for (const Row* row : rows) by_shard[row->shard][row->row_id] = row;

    KESSAI_ASSIGN_OR_RETURN(mysql::Transaction transaction, mysql::Transaction::Begin(session));
    std::vector<Published> published;
    std::size_t deleted = 0;
    // In the order of the primary key, as every relay does, so that two of them do not deadlock.
    for (const auto& [shard, wanted] : by_shard) {
        KESSAI_ASSIGN_OR_RETURN(const auto locked, LockRows(session, shard, wanted));
        if (locked.empty()) continue;
        KESSAI_RETURN_IF_ERROR(DeleteLocked(session, shard, locked));
        deleted += locked.size();
        if (hook) {
            for (const Row* row : locked) AddPublished(*row, published);
        }
    }
    if (!published.empty()) KESSAI_RETURN_IF_ERROR(hook(session, published));
    KESSAI_RETURN_IF_ERROR(transaction.Commit());
    return deleted;
}

}  // namespace kessai::outbox
