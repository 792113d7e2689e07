#include "storage/mysql_release_ledger.h"

#include <algorithm>
#include <string_view>

#include "kessai/mysql/query.h"
#include "kessai/mysql/session.h"

namespace kessai::payment::storage {
namespace {

constexpr mysql::Query kFindEffects{"release_clearing.find", R"sql(
    SELECT object_id, version, content_hash FROM release_clearing
    WHERE object_id IN ({keys}))sql"};
constexpr mysql::Query kInsertEffect{
    "release_clearing.insert",
    "INSERT INTO release_clearing (object_id, version, content_hash) VALUES (?, ?, ?)"};

}  // namespace

Status MysqlReleaseLedger::FindEffects(mysql::Session& session,
                                       std::span<const inbox::EffectKey> keys,
                                       std::vector<inbox::Effect>& found) {
    mysql::KeyList objects;
    for (const inbox::EffectKey& key : keys) objects.Add(key.object_id);
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kFindEffects, objects));
    while (rows.Next()) {
        inbox::Effect effect{{rows.Int(0), static_cast<std::uint32_t>(rows.Uint(1))}, {}};
        const std::string hash = rows.Bytes(2);
        std::copy_n(hash.begin(), std::min(hash.size(), effect.content_hash.size()),
                    effect.content_hash.begin());
        if (std::binary_search(keys.begin(), keys.end(), effect.key)) found.push_back(effect);
    }
    return OkStatus();
}

Status MysqlReleaseLedger::StoreEffect(mysql::Session& session, const inbox::Effect& effect) {
    const std::string_view hash(reinterpret_cast<const char*>(effect.content_hash.data()),
                                effect.content_hash.size());
    return session
        .Execute(kInsertEffect, effect.key.object_id, effect.key.version, mysql::Bytes{hash})
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
