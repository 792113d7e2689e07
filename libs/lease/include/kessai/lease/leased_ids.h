#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "kessai/ids/id_generator.h"
#include "kessai/lease/worker_number_lease.h"
#include "kessai/mysql/pool.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::lease {

/// Ids from a leased worker number, for a service: goes on asking for a number while the database
/// cannot give one, so that the process may start before its database. Thread safe.
class LeasedIds {
 public:
    /// `pool` and `clock` must outlive it. `on_error` is called, on a thread of its own, for each
    /// attempt that failed.
    LeasedIds(mysql::Pool& pool, const Clock& clock, std::function<void(const Status&)> on_error,
              WorkerNumberOptions options = {});
    /// Stops.
    ~LeasedIds();
    LeasedIds(const LeasedIds&) = delete;
    LeasedIds& operator=(const LeasedIds&) = delete;

    void Start();
    void Stop();

    /// For readiness. UNAVAILABLE WORKER_NUMBER_NOT_HELD while there is no number.
    Status Ready() const;

    /// Null while there is none; a new one after a number was lost, so take it for each batch.
    std::shared_ptr<IdGenerator> generator() const { return lease_.generator(); }
    /// The same, or UNAVAILABLE WORKER_NUMBER_NOT_HELD.
    Result<std::shared_ptr<IdGenerator>> Current() const;
    /// Before the commit of ids that `generator` made; see WorkerNumberLease.
    Status Confirm(const IdGenerator& generator) const { return lease_.Confirm(generator); }
    /// One id that may be committed. UNAVAILABLE WORKER_NUMBER_NOT_HELD.
    Result<std::int64_t> Next() const;

 private:
    WorkerNumberLease lease_;
    const std::function<void(const Status&)> on_error_;
    std::mutex mutex_;
    std::condition_variable_any retry_;
    std::jthread starter_;
};

}  // namespace kessai::lease
