#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "kessai/mysql/scan_session.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::mysql {

struct PoolOptions {
    ConnectOptions connect;
    /// Connections open at most, in use and idle.
    int sessions_max = 8;
    /// Callers that may wait for a session at a time; further ones are refused at once.
    int waiters_max = 256;
    /// A session that was idle for longer is asked for a sign of life before it is given out.
    Duration validate_after_idle = std::chrono::seconds(2);
    /// A session idle for longer is replaced by a new one. At most three quarters of the
    /// connections' wait_timeout_s: a larger value counts as that.
    Duration idle_max = std::chrono::seconds(45);
    /// Sessions older than this (less up to a tenth, at random) are replaced when they come back,
    /// so that new addresses of the server are found.
    Duration lifetime_max = std::chrono::minutes(15);
    /// Where the password of `connect` came from; empty: from nowhere that could be read again.
    /// The pool follows the file: its background thread reads it every password_check_interval,
    /// and a refused login reads it at once. Open sessions go on with the password they had; a
    /// file that is missing or empty leaves the last one in force.
    std::string password_file = {};
    Duration password_check_interval = std::chrono::seconds(5);
};

struct PoolStats {
    int in_use = 0;
    int idle = 0;
    int waiting = 0;
    std::uint64_t opened_total = 0;
    std::uint64_t closed_total = 0;
    /// Sessions dropped because they were lost, out of step or read-only.
    std::uint64_t broken_total = 0;
    /// Acquire calls refused as POOL_EXHAUSTED.
    std::uint64_t exhausted_total = 0;
};

/// A session of a pool, given back when this is destroyed. A session in an open transaction is
/// rolled back, one that is not usable is closed.
class Lease {
 public:
    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&& other) noexcept;
    ~Lease();

    Session& operator*() const { return *session_; }
    Session* operator->() const { return session_.get(); }

 private:
    friend class Pool;
    struct PoolState;
    Lease(std::shared_ptr<PoolState> pool, std::unique_ptr<Session> session);
    void GiveBack();

    std::shared_ptr<PoolState> pool_;
    std::unique_ptr<Session> session_;
};

/// A bounded set of sessions to one server name. Connects when needed, on the caller's thread.
/// After one session was found lost all idle ones are validated before use; after one was found
/// read-only all are replaced. Thread safe. `clock` and `observer` must outlive it and its leases.
class Pool {
 public:
    explicit Pool(PoolOptions options, const Clock& clock = SystemClock(),
                  QueryObserver* observer = nullptr);
    /// Leases that are still out stay valid; their sessions are closed when they come back.
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    /// Waits up to `timeout` for a session (connecting has its own bound).
    /// RESOURCE_EXHAUSTED POOL_EXHAUSTED, UNAVAILABLE CONNECTION_LOST, LOGIN_REFUSED or
    /// SERVER_EXHAUSTED, FAILED_PRECONDITION POOL_CLOSED.
    Result<Lease> Acquire(Duration timeout);

    /// A new connection for scans, with the password that is in force. The pool does not count it:
    /// whoever scans bounds how many there are. FAILED_PRECONDITION POOL_CLOSED, else as Acquire.
    Result<std::unique_ptr<ScanSession>> ConnectScan();

    /// Refuses further calls, wakes the waiters, closes idle sessions and follows the password no
    /// longer.
    void Close();

    PoolStats stats() const;
    const Clock& clock() const;

 private:
    std::shared_ptr<Lease::PoolState> state_;
};

}  // namespace kessai::mysql
