#include "app/day_keeper.h"

#include <algorithm>
#include <utility>

#include "domain/reason.h"

namespace kessai::payout::app {

DayKeeper::DayKeeper(DayKeeperOptions options, CloseDay& close_day,
                     FixMonthVolumes& fix_month_volumes, ReleaseDay& release_day, DayStore& days,
                     const Clock& clock, Observer observer)
    : options_(options),
      close_day_(close_day),
      fix_month_volumes_(fix_month_volumes),
      release_day_(release_day),
      days_(days),
      clock_(clock),
      observer_(std::move(observer)),
      outcome_(Code::kUnavailable, "NOT_YET", "has not looked at the days yet") {}

DayKeeper::~DayKeeper() {
    Stop();
}

void DayKeeper::Start() {
    thread_ = std::jthread([this](std::stop_token stop) { Loop(stop); });
}

void DayKeeper::Stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
}

void DayKeeper::Notify() {
    {
        const std::lock_guard lock(mutex_);
        asked_ = true;
    }
    wake_.notify_one();
}

Status DayKeeper::Ready() const {
    const std::lock_guard lock(mutex_);
    switch (outcome_.code()) {
        case Code::kUnavailable:
        case Code::kInternal:
        case Code::kResourceExhausted:
            return outcome_;
        default:
            return OkStatus();
    }
}

Status DayKeeper::RunOnce(const std::stop_token& stop) {
    const Status closed = close_day_.RunOnce().status();
    const Status fixed = fix_month_volumes_.RunOnce().status();
    // A day that does not close keeps no earlier one from being released.
    const Status released = ReleaseDays(stop);
    KESSAI_RETURN_IF_ERROR(TellHowLate());
    KESSAI_RETURN_IF_ERROR(released);
    return closed.ok() ? fixed : closed;
}

Status DayKeeper::ReleaseDays(const std::stop_token& stop) {
    KESSAI_ASSIGN_OR_RETURN(const auto days, DueDays());
    for (const BusinessDate day : days) {
        const Status released = release_day_.Run(day, /*deep=*/false, stop).status();
        if (released.reason() == domain::reason::kReleaseRunning) break;
        KESSAI_RETURN_IF_ERROR(released);
    }
    return OkStatus();
}

Instant DayKeeper::DueAt(BusinessDate day) const {
    return day.Next().At(options_.release_at.value_or(std::chrono::seconds(0)));
}

/// Days whose release was begun, and those whose time has come; oldest first.
Result<std::vector<BusinessDate>> DayKeeper::DueDays() {
    if (!options_.release_automatically || !options_.release_at) {
        return days_.ReleasableDays(options_.release_automatically);
    }
    KESSAI_ASSIGN_OR_RETURN(const auto begun, days_.ReleasableDays(false));
    KESSAI_ASSIGN_OR_RETURN(auto days, days_.ReleasableDays(true));
    const Instant now = clock_.Now();
    std::erase_if(days, [&](BusinessDate day) {
        return now < DueAt(day) && std::ranges::find(begun, day) == begun.end();
    });
    return days;
}

Status DayKeeper::TellHowLate() {
    if (!observer_.on_late) return OkStatus();
    KESSAI_ASSIGN_OR_RETURN(const auto days, days_.ReleasableDays(options_.release_automatically));
    const Duration late = days.empty() ? Duration::zero() : clock_.Now() - DueAt(days.front());
    observer_.on_late(std::max(late, Duration::zero()));
    return OkStatus();
}

void DayKeeper::Loop(std::stop_token stop) {
    while (!stop.stop_requested()) {
        Status outcome = RunOnce(stop);
        if (!outcome.ok()) observer_.on_error(outcome);
        std::unique_lock lock(mutex_);
        outcome_ = std::move(outcome);
        wake_.wait_for(lock, stop, options_.poll_every, [this] { return asked_; });
        asked_ = false;
    }
}

}  // namespace kessai::payout::app
