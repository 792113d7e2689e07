#include "kessai/mysql/migration.h"

#include <openssl/evp.h>

#include <algorithm>
#include <map>
#include <utility>

#include "kessai/mysql/error.h"
#include "kessai/result/check.h"

namespace kessai::mysql {
namespace {

// `statements_done` lets a migration that a crash cut short go on where it stopped.
constexpr Query kCreateTable{"migration.create_table", R"sql(
    CREATE TABLE IF NOT EXISTS schema_migration (
        set_name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        version INT NOT NULL,
        name VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        checksum CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        statements_done INT NOT NULL,
        complete TINYINT NOT NULL,
        applied_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
                                         ON UPDATE CURRENT_TIMESTAMP(6),
        PRIMARY KEY (set_name, version)
    ))sql"};
constexpr Query kTableExists{"migration.table_exists", R"sql(
    SELECT COUNT(*) FROM information_schema.tables
     WHERE table_schema = DATABASE() AND table_name = 'schema_migration')sql"};
constexpr Query kLoad{"migration.load", R"sql(
    SELECT set_name, version, name, checksum, statements_done, complete
      FROM schema_migration ORDER BY set_name, version)sql"};
constexpr Query kBegin{"migration.begin", R"sql(
    INSERT INTO schema_migration (set_name, version, name, checksum, statements_done, complete)
    VALUES (?, ?, ?, ?, 0, 0))sql"};
constexpr Query kProgress{"migration.progress", R"sql(
    UPDATE schema_migration SET statements_done = ?, complete = ?, checksum = ?
     WHERE set_name = ? AND version = ?)sql"};
constexpr Query kLock{"migration.lock",
                      "SELECT GET_LOCK(CONCAT('kessai-', LEFT(SHA1(DATABASE()), 32)), 2)"};
constexpr Query kUnlock{"migration.unlock",
                        "SELECT RELEASE_LOCK(CONCAT('kessai-', LEFT(SHA1(DATABASE()), 32)))"};

/// How often the lock is asked for, 2 s each: another replica's migration takes some time.
constexpr int kLockAttemptsMax = 300;

std::string Checksum(std::string_view sql) {
    // The same on every checkout, whatever it made of line ends.
    std::string text;
    std::copy_if(sql.begin(), sql.end(), std::back_inserter(text),
                 [](char c) { return c != '\r'; });
    unsigned char digest[32];
    unsigned size = sizeof digest;
    KESSAI_CHECK(EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr) == 1,
                 "SHA-256 is available");
    std::string hex;
    for (const unsigned char byte : digest) {
        hex.push_back("0123456789abcdef"[byte >> 4]);
        hex.push_back("0123456789abcdef"[byte & 15]);
    }
    return hex;
}

std::string NameOf(std::string_view set, int version, std::string_view name) {
    return std::string(set) + " V" + std::to_string(version) + "__" + std::string(name);
}

struct Applied {
    std::string name;
    std::string checksum;
    int statements_done = 0;
    bool complete = false;
};
using AppliedMap = std::map<std::pair<std::string, int>, Applied>;

Result<AppliedMap> LoadApplied(Session& session) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kLoad));
    AppliedMap applied;
    while (rows.Next()) {
        applied[{rows.Text(0), static_cast<int>(rows.Int(1))}] = {
            rows.Text(2), rows.Text(3), static_cast<int>(rows.Int(4)), rows.Bool(5)};
    }
    return applied;
}

Status CheckUnchanged(std::span<const MigrationSet> sets, const AppliedMap& applied,
                      bool refuse_missing) {
    for (const MigrationSet& set : sets) {
        int last = 0;
        for (const Migration& migration : set.migrations) {
            KESSAI_CHECK(migration.version > last, "migrations are in the order of their versions");
            last = migration.version;
            const auto known = applied.find({std::string(set.name), migration.version});
            // One that was cut short may be corrected.
            if (known == applied.end() || !known->second.complete) continue;
            if (known->second.name != migration.name ||
                known->second.checksum != Checksum(migration.sql)) {
                return Status(Code::kFailedPrecondition, reason::kMigrationChanged,
                              NameOf(set.name, migration.version, migration.name) +
                                  " was changed after it was applied as " +
                                  NameOf(set.name, migration.version, known->second.name));
            }
        }
        if (!refuse_missing) continue;
        for (const auto& [key, row] : applied) {
            if (key.first != set.name) continue;
            const bool present = std::any_of(
                set.migrations.begin(), set.migrations.end(),
                [&](const Migration& migration) { return migration.version == key.second; });
            if (!present) {
                return Status(Code::kFailedPrecondition, reason::kMigrationMissing,
                              NameOf(set.name, key.second, row.name) +
                                  " was applied to the schema, but this program does not have it");
            }
        }
    }
    return {};
}

Status Apply(Session& session, std::string_view set, const Migration& migration,
             const Applied* unfinished) {
    const std::string checksum = Checksum(migration.sql);
    const std::vector<std::string> statements = SplitStatements(migration.sql);
    int done = 0;
    if (unfinished == nullptr) {
        KESSAI_RETURN_IF_ERROR(
            session.Execute(kBegin, set, migration.version, migration.name, checksum));
    } else if (unfinished->checksum == checksum) {
        done = unfinished->statements_done;
    }
    while (done < static_cast<int>(statements.size())) {
        const std::string& statement = statements[static_cast<std::size_t>(done)];
        KESSAI_RETURN_IF_ERROR(session.Execute(Query{"migration.statement", statement}));
        ++done;
        const bool complete = done == static_cast<int>(statements.size());
        KESSAI_RETURN_IF_ERROR(
            session.Execute(kProgress, done, complete, checksum, set, migration.version));
    }
    return {};
}

Status MigrateLocked(Session& session, std::span<const MigrationSet> sets,
                     MigrationReport& report) {
    KESSAI_RETURN_IF_ERROR(session.Execute(kCreateTable));
    KESSAI_ASSIGN_OR_RETURN(const AppliedMap applied, LoadApplied(session));
    KESSAI_RETURN_IF_ERROR(CheckUnchanged(sets, applied, /*refuse_missing=*/true));
    for (const MigrationSet& set : sets) {
        for (const Migration& migration : set.migrations) {
            const auto known = applied.find({std::string(set.name), migration.version});
            if (known != applied.end() && known->second.complete) {
                ++report.already_applied;
                continue;
            }
            const std::string name = NameOf(set.name, migration.version, migration.name);
            Status status = Apply(session, set.name, migration,
                                  known == applied.end() ? nullptr : &known->second);
            if (!status.ok()) return status.WithContext(name);
            report.applied.push_back(name);
        }
    }
    return {};
}

}  // namespace

std::vector<std::string> SplitStatements(std::string_view sql) {
    std::vector<std::string> statements;
    std::string current;
    bool has_code = false;
    while (!sql.empty()) {
        const auto end = sql.find('\n');
        std::string_view line = sql.substr(0, end);
        sql.remove_prefix(end == std::string_view::npos ? sql.size() : end + 1);

        const auto last = line.find_last_not_of(" \t\r");
        if (last == std::string_view::npos) continue;
        line = line.substr(0, last + 1);
        const std::string_view code = line.substr(line.find_first_not_of(" \t"));
        if (code.starts_with("--")) continue;
        const bool ends = line.ends_with(';');
        if (ends) line.remove_suffix(1);
        has_code = has_code || code != ";";
        current += line;
        current += '\n';
        if (ends) {
            if (has_code) statements.push_back(std::move(current));
            current.clear();
            has_code = false;
        }
    }
    if (has_code) statements.push_back(std::move(current));
    return statements;
}

Status Migrate(Session& session, std::span<const MigrationSet> sets, MigrationReport* report) {
    bool locked = false;
    for (int attempt = 0; !locked && attempt < kLockAttemptsMax; ++attempt) {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kLock));
        locked = rows.Next() && !rows.IsNull(0) && rows.Int(0) == 1;
    }
    if (!locked) {
        return Status(Code::kUnavailable, reason::kLockTimeout,
                      "another process has been migrating this schema for ten minutes");
    }
    MigrationReport own;
    Status status = MigrateLocked(session, sets, report == nullptr ? own : *report);
    // The lock also goes with the session.
    if (session.usable()) (void)session.Select(kUnlock);
    return status;
}

Status CheckMigrated(Session& session, std::span<const MigrationSet> sets) {
    KESSAI_ASSIGN_OR_RETURN(auto exists, session.Select(kTableExists));
    AppliedMap applied;
    if (exists.Next() && exists.Int(0) > 0) {
        KESSAI_ASSIGN_OR_RETURN(applied, LoadApplied(session));
    }
    KESSAI_RETURN_IF_ERROR(CheckUnchanged(sets, applied, /*refuse_missing=*/false));
    for (const MigrationSet& set : sets) {
        for (const Migration& migration : set.migrations) {
            const auto known = applied.find({std::string(set.name), migration.version});
            if (known == applied.end() || !known->second.complete) {
                return Status(Code::kFailedPrecondition, reason::kMigrationPending,
                              NameOf(set.name, migration.version, migration.name) +
                                  " is not applied: run the service's migrate command");
            }
        }
    }
    return {};
}

}  // namespace kessai::mysql
