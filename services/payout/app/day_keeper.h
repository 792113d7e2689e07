#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

#include "app/close_day.h"
#include "app/fix_month_volumes.h"
#include "app/release_day.h"

namespace kessai::payout::app {

struct DayKeeperOptions {
    /// Release a day as soon as it is closed. Releases that were begun are always finished.
    bool release_automatically = true;
    Duration poll_every = std::chrono::seconds(1);
};

/// Takes days through their life in the background: closes them, publishes their marks, fixes what
/// tiers follow when a month is over, releases them, and finishes what a process that died had
/// begun. Every replica runs one. Thread safe.
class DayKeeper {
 public:
    /// `on_error` is told what a round was refused with; the next one tries again.
    DayKeeper(DayKeeperOptions options, CloseDay& close_day, FixMonthVolumes& fix_month_volumes,
              ReleaseDay& release_day, DayStore& days, std::function<void(const Status&)> on_error);
    ~DayKeeper();

    void Start();
    void Stop();
    /// A mark was applied: look now.
    void Notify();

    /// Ok once a round got through to a database with our tables; else why not yet. What keeps a
    /// single day from going on is no reason to take no calls.
    Status Ready() const;

    /// One round, for tests.
    Status RunOnce(const std::stop_token& stop = {});

 private:
    void Loop(std::stop_token stop);

    const DayKeeperOptions options_;
    CloseDay& close_day_;
    FixMonthVolumes& fix_month_volumes_;
    ReleaseDay& release_day_;
    DayStore& days_;
    const std::function<void(const Status&)> on_error_;

    mutable std::mutex mutex_;
    std::condition_variable_any wake_;
    bool asked_ = false;
    Status outcome_;
    std::jthread thread_;
};

}  // namespace kessai::payout::app
