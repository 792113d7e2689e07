#include "storage/mysql_hold_books.h"

#include "kessai/mysql/query.h"
#include "storage/row_mapping.h"

namespace kessai::reconciliation::storage {
namespace {

constexpr std::size_t kKeysPerStatement = 500;
constexpr std::size_t kRowsPerStatement = 1'000;

constexpr mysql::Query kFind{"noted_hold.find", R"sql(
    SELECT object_id, version, content_hash FROM noted_hold FORCE INDEX (PRIMARY)
    WHERE object_id IN ({keys}) ORDER BY object_id, version)sql"};
constexpr mysql::Query kInsert{"noted_hold.insert", R"sql(
    INSERT INTO noted_hold (object_id, version, content_hash) VALUES {rows})sql"};

}  // namespace

Result<std::vector<domain::NotedHold>> MysqlHoldBooks::FindNoted(
    std::span<const std::int64_t> objects) {
    std::vector<domain::NotedHold> noted;
    mysql::KeyList keys;
    for (std::size_t i = 0; i < objects.size(); ++i) {
        keys.Add(objects[i]);
        if (keys.size() < kKeysPerStatement && i + 1 < objects.size()) continue;
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFind, keys));
        while (rows.Next()) {
            noted.push_back(
                {{rows.Int(0), static_cast<std::uint32_t>(rows.Uint(1))}, ReadHash(rows, 2)});
        }
        keys.Clear();
    }
    return noted;
}

Status MysqlHoldBooks::Insert(std::span<const domain::HoldNotice> notices) {
    mysql::RowList rows;
    for (std::size_t i = 0; i < notices.size(); ++i) {
        rows.Add(notices[i].key.object, notices[i].key.version, BytesOf(notices[i].content));
        if (rows.size() < kRowsPerStatement && i + 1 < notices.size()) continue;
        KESSAI_RETURN_IF_ERROR(session_.Execute(kInsert, rows));
        rows.Clear();
    }
    return OkStatus();
}

}  // namespace kessai::reconciliation::storage
