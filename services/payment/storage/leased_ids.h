#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

#include "app/execute_batch.h"
#include "kessai/lease/worker_number_lease.h"
#include "kessai/mysql/pool.h"

namespace kessai::payment::storage {

/// Ids from a leased worker number, which it goes on asking for while the database can't give one,
/// so that the process may start before its database.
class LeasedIds final : public app::IdLease {
 public:
    LeasedIds(mysql::Pool& pool, const Clock& clock, std::function<void(const Status&)> on_error);
    ~LeasedIds() override;

    void Start();
    void Stop();

    std::shared_ptr<IdGenerator> Current() override { return lease_.generator(); }
    Status Confirm(const IdGenerator& generator) override { return lease_.Confirm(generator); }
    bool held() const { return lease_.Held(); }

 private:
    lease::WorkerNumberLease lease_;
    const std::function<void(const Status&)> on_error_;
    std::mutex mutex_;
    std::condition_variable_any retry_;
    std::jthread starter_;
};

}  // namespace kessai::payment::storage
