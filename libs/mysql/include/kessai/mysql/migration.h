#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"

namespace kessai::mysql {

/// One step of a schema: the file V<version>__<name>.sql, embedded by `kessai_migrations(…)`.
/// Statements end with `;` at the end of a line. DDL commits itself, so after a crash a step is
/// taken up again at the statement that was under way: write each so that it can run twice
/// (CREATE TABLE IF NOT EXISTS, INSERT IGNORE).
struct Migration {
    int version;
    std::string_view name;
    std::string_view sql;
};

/// The steps of one owner of tables (a service, or a library such as outbox), by rising version.
struct MigrationSet {
    std::string_view name;
    std::vector<Migration> migrations;
};

struct MigrationReport {
    /// "payment V1__ledger", in the order they were applied.
    std::vector<std::string> applied;
    int already_applied = 0;
};

/// Brings the session's schema forward, under an advisory lock, so that replicas starting at once
/// do it once. Before anything is applied it checks what is recorded in `schema_migration`:
/// an applied migration whose text changed is refused as FAILED_PRECONDITION MIGRATION_CHANGED,
/// one that the program does not have as MIGRATION_MISSING, each by its name. Never goes back.
/// Give it a session whose read_timeout allows for the longest statement.
Status Migrate(Session& session, std::span<const MigrationSet> sets,
               MigrationReport* report = nullptr);

/// Changes nothing: ok if all of `sets` is applied (later ones may be too: a newer release has
/// migrated already); else MIGRATION_PENDING or MIGRATION_CHANGED. For readiness.
Status CheckMigrated(Session& session, std::span<const MigrationSet> sets);

/// The statements of a migration's text, without the `;`. Exposed for tests.
std::vector<std::string> SplitStatements(std::string_view sql);

}  // namespace kessai::mysql
