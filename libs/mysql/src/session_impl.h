#pragma once

#include <cppconn/connection.h>
#include <cppconn/exception.h>
#include <cppconn/resultset.h>
#include <cppconn/statement.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "kessai/mysql/error.h"
#include "kessai/mysql/session.h"

namespace kessai::mysql {

/// The connector's objects and the state of the session's transaction.
struct Session::Impl {
    ConnectOptions options;
    const Clock* clock = nullptr;
    QueryObserver* observer = nullptr;
    SteadyInstant connected_at{};
    /// For the pool: when it came back last, after how long it is replaced, and the pool's
    /// counters of lost sessions and of fail-overs when this one was last known to be well.
    SteadyInstant idle_since{};
    Duration lifetime{};
    std::uint64_t losses_seen = 0;
    std::uint64_t failovers_seen = 0;
    std::size_t statement_bytes_max = 0;

    // In the order in which they may be destroyed: the statements before the connection.
    std::unique_ptr<sql::Connection> connection;
    std::unique_ptr<sql::Statement> statement;
    std::unique_ptr<sql::Statement> stream_statement;
    /// Statements are rendered into the connector's own string: no copy.
    sql::SQLString buffer;

    /// The server takes files: see ConnectOptions::bulk_load.
    bool loads_files = false;
    bool server_autocommit = true;
    bool in_transaction = false;
    /// A statement of the open transaction was sent.
    bool transaction_begun = false;
    bool streaming = false;
    /// Why the open transaction can only be rolled back.
    Status doomed;
    /// Why the session cannot be used any more.
    Status failure;

    /// Runs `call`, which talks to the server, and turns what it throws into a refusal.
    template <class F>
    Status Run(std::string_view name, Phase phase, F&& call) {
        const SteadyInstant begin = clock->SteadyNow();
        Status status = Guard(name, phase, std::forward<F>(call));
        Observe(name, begin, status);
        return status;
    }
    /// The same without telling the observer: for what is done millions of times.
    template <class F>
    Status Guard(std::string_view name, Phase phase, F&& call) {
        try {
            call();
        } catch (const sql::SQLException& e) {
            return Failed(name, phase, e.getErrorCode(), e.what());
        } catch (const std::exception& e) {
            // Out of memory while reading a result: the connection is in the middle of it.
            return Failed(name, phase, 0, e.what());
        }
        return {};
    }
    Status Failed(std::string_view name, Phase phase, int number, std::string_view message);
    void Observe(std::string_view name, SteadyInstant begin, const Status& outcome) const {
        if (observer == nullptr) return;
        observer->OnQuery(name, std::chrono::duration_cast<Duration>(clock->SteadyNow() - begin),
                          outcome);
    }

    /// Refuses a statement that is too large to be sent.
    Status CheckSize(std::string_view name, std::size_t size) const;
    /// Refuses if nothing may be sent.
    Status CheckUsable() const;
    /// The same, and makes the server's autocommit fit the transaction.
    Status Prepare();
    Status SetAutocommit(bool on);
    void Rollback();
    /// In one round trip, with a COMMIT at its end if so asked.
    Status RunBatch(const StatementBatch& batch, bool commit);
    /// Runs the statements in `buffer` and reads every result. `done`: how many went well.
    void RunBuffer(std::size_t statements, std::size_t* done);
};

}  // namespace kessai::mysql
