#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

#include "kessai/ids/id_generator.h"
#include "kessai/lease/worker_number_lease.h"
#include "kessai/mysql/pool.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::storage {

/// Ids from a leased worker number. It goes on asking for one while the database cannot give it, so
/// that the process may start before its database. Thread safe.
class LeasedIds {
 public:
    /// `pool` and `clock` must outlive it. `on_error` is called, on its own thread, for each
    /// attempt that failed.
    LeasedIds(mysql::Pool& pool, const Clock& clock, std::function<void(const Status&)> on_error);
    ~LeasedIds();

    void Start();
    void Stop();
    bool Held() const { return lease_.Held(); }

    /// UNAVAILABLE WORKER_NUMBER_NOT_HELD while there is none.
    Result<std::shared_ptr<IdGenerator>> Current() const;
    /// Before the commit of ids that `generator` made.
    Status Confirm(const IdGenerator& generator) const { return lease_.Confirm(generator); }

 private:
    lease::WorkerNumberLease lease_;
    const std::function<void(const Status&)> on_error_;
    std::mutex mutex_;
    std::condition_variable_any retry_;
    std::jthread starter_;
};

}  // namespace kessai::reconciliation::storage
