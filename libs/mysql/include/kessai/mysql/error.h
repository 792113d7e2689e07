#pragma once

#include <string>
#include <string_view>

#include "kessai/result/result.h"

namespace kessai::mysql {

/// The named reasons of this library's refusals, with the code each comes with.
namespace reason {
/// ABORTED: the server rolled the transaction back to end a deadlock (1213).
inline constexpr std::string_view kDeadlock = "DEADLOCK";
/// ABORTED: a row stayed locked for longer than `lock_wait_timeout_s` (1205, 3572).
inline constexpr std::string_view kLockTimeout = "LOCK_TIMEOUT";
/// ABORTED: TiDB or group replication found a conflict (9007, 8002, 8022, 8028, 3101, 1020).
inline constexpr std::string_view kWriteConflict = "WRITE_CONFLICT";
/// UNAVAILABLE: the connection could not be made or was lost while nothing can have been stored.
inline constexpr std::string_view kConnectionLost = "CONNECTION_LOST";
/// UNAVAILABLE: the server refused user and password (1045, 1698), perhaps while they are renewed.
inline constexpr std::string_view kLoginRefused = "LOGIN_REFUSED";
/// UNAVAILABLE: the server refuses writes (a replica, or an old primary after a fail-over).
inline constexpr std::string_view kReadOnly = "READ_ONLY";
/// UNAVAILABLE: the server is out of connections, disk, memory or threads.
inline constexpr std::string_view kServerExhausted = "SERVER_EXHAUSTED";
/// UNAVAILABLE: the server ended the statement (killed, or it ran longer than the server allows).
inline constexpr std::string_view kInterrupted = "INTERRUPTED";
/// UNKNOWN: the connection was lost while a commit (or a statement that commits itself) was on
/// its way. To be run again behind its idempotency key only.
inline constexpr std::string_view kCommitUnknown = "COMMIT_UNKNOWN";
/// ALREADY_EXISTS: a unique key has the value already (1062).
inline constexpr std::string_view kDuplicateKey = "DUPLICATE_KEY";
/// INTERNAL: a CHECK, NOT NULL or foreign key constraint refused a row.
inline constexpr std::string_view kConstraintViolated = "CONSTRAINT_VIOLATED";
/// INTERNAL: a sum is beyond its type (1690). Statements that compare and set make one of it
/// where the row is not as expected.
inline constexpr std::string_view kValueOutOfRange = "VALUE_OUT_OF_RANGE";
/// DATA_LOSS: a SUM that was read is beyond 64 bits, which only damaged rows sum to.
inline constexpr std::string_view kSumOutOfRange = "SUM_OUT_OF_RANGE";
/// INTERNAL: the server would store another value than the one it was given. Nothing of the
/// transaction may be kept.
inline constexpr std::string_view kValueChanged = "VALUE_CHANGED";
/// INTERNAL: anything else that the server refused. Permanent: the same statement fails again.
inline constexpr std::string_view kSqlError = "SQL_ERROR";
/// INTERNAL: placeholders and values do not fit each other, or a list is empty. Nothing was sent.
inline constexpr std::string_view kQueryMalformed = "QUERY_MALFORMED";
/// INVALID_ARGUMENT: a text is not UTF-8. Nothing was sent.
inline constexpr std::string_view kTextNotUtf8 = "TEXT_NOT_UTF8";
/// INVALID_ARGUMENT: the statement is larger than `max_statement_bytes` or the server's
/// max_allowed_packet. Nothing was done.
inline constexpr std::string_view kStatementTooLarge = "STATEMENT_TOO_LARGE";
/// RESOURCE_EXHAUSTED: no session came free in time, or too many wait already.
inline constexpr std::string_view kPoolExhausted = "POOL_EXHAUSTED";
/// INVALID_ARGUMENT: a password file is empty. The password in force stays.
inline constexpr std::string_view kPasswordEmpty = "PASSWORD_EMPTY";
/// FAILED_PRECONDITION: the pool was closed.
inline constexpr std::string_view kPoolClosed = "POOL_CLOSED";
/// FAILED_PRECONDITION: an applied migration was changed or is missing, or the schema is behind.
inline constexpr std::string_view kMigrationChanged = "MIGRATION_CHANGED";
inline constexpr std::string_view kMigrationMissing = "MIGRATION_MISSING";
inline constexpr std::string_view kMigrationPending = "MIGRATION_PENDING";
}  // namespace reason

/// When an error came: it decides what a lost connection means.
enum class Phase {
    /// Connecting, or a statement inside a transaction, or a read: a loss left nothing behind.
    kNothingStored,
    /// COMMIT, or a writing statement outside of a transaction: a loss leaves the outcome unknown.
    kCommitting,
};

/// The one table from a server's or client library's error number to a refusal.
/// Sources: MySQL 8.0 error reference, MariaDB error codes, TiDB error codes.
Status ClassifyError(int error_number, std::string_view message, Phase phase);

/// True for refusals after which the same work may be run again from its beginning.
bool IsRetryable(const Status& status);

}  // namespace kessai::mysql
