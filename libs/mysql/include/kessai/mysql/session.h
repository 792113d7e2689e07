#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/mysql/bulk_rows.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/rows.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::mysql {

/// Where and how to connect. The name is resolved again for every connection.
struct ConnectOptions {
    std::string host = "127.0.0.1";
    int port = 3306;
    std::string user;
    std::string password;
    std::string schema;

    /// A PEM file of the authorities that sign the server's certificate. Empty: no TLS. With it
    /// the connection is refused unless it is TLS and the certificate is signed by one of them.
    std::string tls_ca_file;

    /// To the second, at least 1 s (the client library counts in seconds).
    Duration connect_timeout = std::chrono::seconds(3);
    /// Bounds every wait for the server's answer, so the longest statement too; a session that
    /// ran into it is unusable. A value below lock_wait_timeout_s + 1 s counts as that.
    Duration read_timeout = std::chrono::seconds(15);
    Duration write_timeout = std::chrono::seconds(15);

    /// innodb_lock_wait_timeout: how long a statement waits for a row lock.
    int lock_wait_timeout_s = 3;
    /// wait_timeout: the server ends a session (and its transaction) that is silent for so long.
    int wait_timeout_s = 60;

    /// Larger statements are refused before they are sent. Keep it below max_allowed_packet.
    std::size_t max_statement_bytes = std::size_t{12} << 20;

    /// Bulk rows go by LOAD DATA LOCAL if the server takes it (its local_infile). Off, a server
    /// that asks for a file of ours gets none; on, it gets one only while such a statement runs.
    bool bulk_load = false;

    /// "mysql://user:password@host:port/schema", each part percent-encoded where needed.
    /// INVALID_ARGUMENT MYSQL_URL_MALFORMED.
    static Result<ConnectOptions> Parse(std::string_view url);
};

/// Told of every statement, and of a pool's renewed password. Called on the thread that does it;
/// must be thread safe and quick.
class QueryObserver {
 public:
    virtual ~QueryObserver() = default;
    /// `name` is the query's, or one of "session.connect", "session.ping", "transaction.begin",
    /// "transaction.commit", "transaction.rollback", and a batch's own name.
    virtual void OnQuery(std::string_view name, Duration duration, const Status& outcome) = 0;
    /// Told of every SELECT before it is sent, with its text as the server gets it: so a test can
    /// ask the server how it runs what the code really sends. The text holds customers' data: it is
    /// never logged, and only good during the call.
    virtual void OnSelect(std::string_view name, std::string_view sql) {
        (void)name;
        (void)sql;
    }
    /// A pool's password file has another password, which new sessions use from now on (ok), or
    /// none that could be used, and the last one stays in force. Told once for each change.
    virtual void OnPasswordFile(const Status& outcome) { (void)outcome; }
};

/// Statements that are sent in one round trip and run in their order; the first that fails ends
/// it (those before it are done, so use it inside a transaction). No SELECT.
class StatementBatch {
 public:
    /// `name` stands for the batch in metrics.
    explicit StatementBatch(std::string_view name) : name_(name) {}

    template <class... Args>
    Status Add(const Query& query, const Args&... args) {
        const std::array<Argument, sizeof...(Args)> arguments{Argument(args)...};
        return AddRendered(query, arguments);
    }
    void Clear();

    std::size_t size() const { return names_.size(); }
    std::size_t bytes() const { return sql_.size(); }
    bool empty() const { return names_.empty(); }

 private:
    friend class Session;
    friend class Transaction;
    Status AddRendered(const Query& query, std::span<const Argument> arguments);

    std::string_view name_;
    std::string sql_;
    std::vector<std::string_view> names_;
};

/// One connection. One thread at a time. Settings of every session: READ COMMITTED, utf8mb4,
/// time zone UTC, strict sql_mode, and the time-outs of its options.
///
/// A statement outside of a Transaction commits itself. Affected rows are the rows *matched*
/// (CLIENT_FOUND_ROWS), so a compare-and-set that stores the same values counts as done; INSERT …
/// ON DUPLICATE KEY UPDATE counts 1 for an inserted and 2 for an updated row.
/// Refusals: those of error.h.
class Session {
 public:
    /// Refuses with UNAVAILABLE CONNECTION_LOST, LOGIN_REFUSED or SERVER_EXHAUSTED. `observer` may
    /// be null, else it must outlive the session, as `clock` must.
    static Result<std::unique_ptr<Session>> Connect(const ConnectOptions& options,
                                                    const Clock& clock = SystemClock(),
                                                    QueryObserver* observer = nullptr);
    /// Rolls back what is open and disconnects.
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// Reads the whole result into memory. Also DATA_LOSS SUM_OUT_OF_RANGE: select what may be
    /// beyond 64 bits AS CHAR, where it is wanted all the same.
    template <class... Args>
    Result<Rows> Select(const Query& query, const Args&... args) {
        const std::array<Argument, sizeof...(Args)> arguments{Argument(args)...};
        return SelectRendered(query, arguments, /*streamed=*/false);
    }
    /// Reads rows as they come, for results that do not fit memory. Until the rows are read to
    /// their end or destroyed (which reads the rest) the session does nothing else, and they must
    /// not outlive it. The server waits for a slow reader: do no other work in between.
    template <class... Args>
    Result<Rows> SelectStreamed(const Query& query, const Args&... args) {
        const std::array<Argument, sizeof...(Args)> arguments{Argument(args)...};
        return SelectRendered(query, arguments, /*streamed=*/true);
    }
    /// Gives the number of affected (matched) rows.
    template <class... Args>
    Result<std::uint64_t> Execute(const Query& query, const Args&... args) {
        const std::array<Argument, sizeof...(Args)> arguments{Argument(args)...};
        return ExecuteRendered(query, arguments);
    }
    /// Streams a result of numbers to `take` in blocks of whole rows, one cell after the other: for
    /// millions of rows, of which Rows would cost more than what is done with them. Every cell is
    /// an integer and not NULL, or the process stops, as with Rows. `take` must not use the
    /// session.
    template <class... Args>
    Status Scan(const Query& query, const std::function<void(std::span<const std::int64_t>)>& take,
                const Args&... args) {
        const std::array<Argument, sizeof...(Args)> arguments{Argument(args)...};
        return ScanRendered(query, arguments, take);
    }
    /// An empty list for StoreBulk of this session.
    BulkRows NewBulkRows() const;
    /// Stores all rows or refuses: ALREADY_EXISTS DUPLICATE_KEY for a key that is there, INTERNAL
    /// VALUE_CHANGED for a value that does not fit its column. What a refusal leaves is undefined
    /// until the rollback. Precondition: in a transaction.
    Status StoreBulk(const BulkTarget& target, const BulkRows& rows);
    /// All statements of the batch in one round trip. The connector does not give the affected
    /// rows of each: a compare-and-set is sent by itself. The refusal names the failed query.
    Status ExecuteMany(const StatementBatch& batch);

    /// The database's wall clock.
    Result<Instant> DatabaseNow();
    /// Whether the server still answers.
    Status Ping();

    bool in_transaction() const;
    /// False once the connection is lost, out of step, or its server turned read-only: the pool
    /// drops it, and every further call is refused with UNAVAILABLE CONNECTION_LOST.
    bool usable() const;
    /// Why it is not usable; ok while it is.
    const Status& failure() const;

    const ConnectOptions& options() const;
    SteadyInstant connected_at() const;

 private:
    friend class Transaction;
    friend class Lease;
    friend class Rows;
    struct Impl;

    explicit Session(std::unique_ptr<Impl> impl);
    Result<Rows> SelectRendered(const Query& query, std::span<const Argument> arguments,
                                bool streamed);
    Result<std::uint64_t> ExecuteRendered(const Query& query, std::span<const Argument> arguments);
    Status ScanRendered(const Query& query, std::span<const Argument> arguments,
                        const std::function<void(std::span<const std::int64_t>)>& take);

    std::unique_ptr<Impl> impl_;
};

}  // namespace kessai::mysql
