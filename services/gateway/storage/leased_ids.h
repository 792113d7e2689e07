#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

#include "app/id_source.h"
#include "kessai/lease/worker_number_lease.h"
#include "kessai/mysql/pool.h"

namespace kessai::gateway::storage {

/// Ids from a leased worker number, which it goes on asking for while the database can't give one,
/// so that the process may start before its database.
class LeasedIds final : public app::IdSource {
 public:
    LeasedIds(mysql::Pool& pool, const Clock& clock, std::function<void(const Status&)> on_error);
    ~LeasedIds() override;

    void Start();
    void Stop();
    bool held() const { return lease_.Held(); }

    Result<std::int64_t> Next() override;

 private:
    lease::WorkerNumberLease lease_;
    const std::function<void(const Status&)> on_error_;
    std::mutex mutex_;
    std::condition_variable_any retry_;
    std::jthread starter_;
};

}  // namespace kessai::gateway::storage
