#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "kessai/mysql/pool.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::mysql {

/// A transaction on a session, rolled back unless it was committed. Once a statement in it was
/// refused with ABORTED or UNAVAILABLE every further one is refused the same way, so that nothing
/// runs outside of the transaction the server gave up. The session must outlive it.
///
/// Begin costs no round trip: the session runs with autocommit off, and the first statement begins
/// the transaction. Autocommit is turned off and on only when a session changes between
/// transactions and single statements; a SELECT takes that along, another statement costs a round
/// trip then.
class Transaction {
 public:
    /// Precondition: the session has no open transaction.
    static Result<Transaction> Begin(Session& session);
    Transaction(Transaction&& other) noexcept;
    Transaction& operator=(Transaction&& other) noexcept;
    ~Transaction();

    /// UNKNOWN COMMIT_UNKNOWN when the reply was lost: the changes may or may not be stored.
    /// After any other refusal nothing is stored.
    Status Commit();
    /// Runs the batch and commits in the same round trip. The affected rows cannot be looked at
    /// before the commit; a statement that fails prevents it.
    Status CommitWith(const StatementBatch& batch);
    void Rollback();

    Session& session() const { return *session_; }

 private:
    explicit Transaction(Session& session) : session_(&session) {}
    Session* session_;
};

/// How often and for how long work is run again. Waits grow from `backoff_first` to `backoff_max`
/// by doubling, each shortened at random by up to a half.
struct RetryPolicy {
    int attempts_max = 8;
    Duration backoff_first = std::chrono::milliseconds(4);
    Duration backoff_max = std::chrono::milliseconds(500);
    /// For each attempt's wait for a session.
    Duration acquire_timeout = std::chrono::seconds(1);
    /// No attempt begins after it. The last refusal is returned then.
    std::optional<SteadyInstant> deadline;
    /// The work is idempotent: run it again though a commit's outcome is unknown.
    bool rerun_unknown = false;
    /// Ends waiting between attempts early; CANCELLED is never returned, the last refusal is.
    std::stop_token stop;
};

/// Runs `work` in a transaction and commits if it gives ok; else rolls back and returns its
/// refusal. ABORTED and UNAVAILABLE, of the work or of the commit, run all of it again, so `work`
/// must start from a clean state each time.
Status InTransaction(Pool& pool, const RetryPolicy& policy,
                     const std::function<Status(Session&)>& work);

/// The waits between attempts, for loops that hold their own session (an executor).
class Backoff {
 public:
    explicit Backoff(const RetryPolicy& policy);
    /// Waits before the next attempt. False, without waiting, when there is to be none.
    bool Wait(const Clock& clock);

 private:
    RetryPolicy policy_;
    int attempts_ = 1;
    Duration next_;
};

}  // namespace kessai::mysql
