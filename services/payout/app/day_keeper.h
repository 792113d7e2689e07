#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "app/close_day.h"
#include "app/fix_month_volumes.h"
#include "app/release_day.h"

namespace kessai::payout::app {

struct DayKeeperOptions {
    /// Release a day by itself. Releases that were begun are always finished.
    bool release_automatically = true;
    /// Not before this time in Japan on the day after it; else as soon as it is closed.
    std::optional<std::chrono::seconds> release_at = {};
    Duration poll_every = std::chrono::seconds(1);
};

/// Takes days through their life in the background: closes them, publishes their marks, fixes what
/// tiers follow when a month is over, releases them, and finishes what a process that died had
/// begun. Every replica runs one. Thread safe.
class DayKeeper {
 public:
    struct Observer {
        /// What a round was refused with; the next one tries again.
        std::function<void(const Status&)> on_error;
        /// How late the oldest day is that was to be released by itself and is not; zero: none.
        std::function<void(Duration)> on_late;
    };
    DayKeeper(DayKeeperOptions options, CloseDay& close_day, FixMonthVolumes& fix_month_volumes,
              ReleaseDay& release_day, DayStore& days, const Clock& clock, Observer observer);
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
    Status ReleaseDays(const std::stop_token& stop);
    Instant DueAt(BusinessDate day) const;
    Result<std::vector<BusinessDate>> DueDays();
    Status TellHowLate();

    const DayKeeperOptions options_;
    CloseDay& close_day_;
    FixMonthVolumes& fix_month_volumes_;
    ReleaseDay& release_day_;
    DayStore& days_;
    const Clock& clock_;
    const Observer observer_;

    mutable std::mutex mutex_;
    std::condition_variable_any wake_;
    bool asked_ = false;
    Status outcome_;
    std::jthread thread_;
};

}  // namespace kessai::payout::app
