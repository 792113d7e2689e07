#include "storage/mysql_release_ledger.h"

#include <algorithm>
#include <string_view>

#include "kessai/mysql/query.h"
#include "kessai/mysql/session.h"
#include "kessai/outbox/batch_writer.h"

namespace kessai::payment::storage {
namespace {

constexpr mysql::Query kFindCleared{"release_clearing.find", R"sql(
    SELECT object_id, version, content_hash FROM release_clearing
    WHERE object_id IN ({keys}) ORDER BY object_id, version)sql"};
constexpr mysql::Query kStoreCleared{
    "release_clearing.insert",
    "INSERT INTO release_clearing (object_id, version, content_hash) VALUES (?, ?, ?)"};

}  // namespace

Result<std::vector<app::ClearedRelease>> MysqlReleaseLedger::FindCleared(
    mysql::Session& session, std::span<const std::int64_t> object_ids) {
    std::vector<app::ClearedRelease> cleared;
    if (object_ids.empty()) return cleared;
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kFindCleared, mysql::KeyList(object_ids)));
    while (rows.Next()) {
        app::ClearedRelease release{rows.Int(0), static_cast<std::uint32_t>(rows.Uint(1)), {}};
        const std::string hash = rows.Bytes(2);
        std::copy_n(hash.begin(), std::min(hash.size(), release.content_hash.size()),
                    release.content_hash.begin());
        cleared.push_back(release);
    }
    return cleared;
}

Status MysqlReleaseLedger::StoreCleared(mysql::Session& session,
                                        const app::ClearedRelease& release) {
    const std::string_view hash(reinterpret_cast<const char*>(release.content_hash.data()),
                                release.content_hash.size());
    return session.Execute(kStoreCleared, release.object_id, release.version, mysql::Bytes{hash})
        .status();
}

Result<std::unique_ptr<app::LedgerTransaction>> MysqlReleaseLedger::Join(mysql::Session& session) {
    return store_.Join(session, slot_);
}

Status MysqlReleaseLedger::StoreEntries(mysql::Session& session,
                                        std::span<const outbox::Entry> entries,
                                        std::int64_t row_id) {
    // Joining locks the gate row that every outbox row is written under.
    KESSAI_ASSIGN_OR_RETURN(const auto gate_holder, store_.Join(session, slot_));
    outbox::BatchWriter writer;
    for (const outbox::Entry& entry : entries) KESSAI_RETURN_IF_ERROR(writer.Add(entry));
    return writer.Store(session, row_id, gate_holder->gate().business_date);
}

}  // namespace kessai::payment::storage
