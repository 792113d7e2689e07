#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

#include "app/day_store.h"
#include "app/execute_batch.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::payment::app {

struct DayCloserOptions {
    /// Close a day by itself when the next one begins in Japan.
    bool scheduled = true;
    Duration poll_every = std::chrono::seconds(1);
    /// Of payment.events.v1.
    int partition_count = 12;
};

/// Makes the sealed mark of a closed day.
using MarkEncoder = std::function<std::string(BusinessDate date, int partition_count,
                                              std::int64_t event_id, Instant now)>;

/// Closes days. Moving the gates ends a day at once: after that every commit is of the next. Then,
/// in the background and again after any crash, when all its events are in Kafka, its mark goes
/// into every partition. Any number of replicas may run one. Thread safe.
class DayCloser {
 public:
    DayCloser(DayCloserOptions options, DayStore& days, IdLease& ids, MarkEncoder encode,
              const Clock& clock, std::function<void(const Status&)> on_error);
    ~DayCloser();

    void Start();
    void Stop();

    /// Ends the open day `date`; for a day that ended before, only tells its state.
    /// DAY_NOT_CURRENT for a day that never was open; DAY_NOT_OVER, unless `early`, while it is not
    /// over in Japan by the database's clock.
    Result<Day> Close(BusinessDate date, bool early = false);

    /// One round of the background's work, for tests: closes by schedule, and takes every
    /// unfinished day as far as it gets.
    Status RunOnce();

 private:
    Status CheckOver(BusinessDate date);
    void Loop(std::stop_token stop);

    const DayCloserOptions options_;
    DayStore& days_;
    IdLease& ids_;
    const MarkEncoder encode_;
    const Clock& clock_;
    const std::function<void(const Status&)> on_error_;

    std::mutex mutex_;
    std::condition_variable_any wake_;
    bool asked_ = false;
    std::jthread thread_;
};

}  // namespace kessai::payment::app
