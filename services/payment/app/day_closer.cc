#include "app/day_closer.h"

#include <utility>

#include "domain/refusal.h"
#include "kessai/faults/fault_point.h"

namespace kessai::payment::app {

DayCloser::DayCloser(DayCloserOptions options, DayStore& days, IdLease& ids, MarkEncoder encode,
                     const Clock& clock, std::function<void(const Status&)> on_error)
    : options_(options),
      days_(days),
      ids_(ids),
      encode_(std::move(encode)),
      clock_(clock),
      on_error_(std::move(on_error)) {}

DayCloser::~DayCloser() {
    Stop();
}

void DayCloser::Start() {
    thread_ = std::jthread([this](std::stop_token stop) { Loop(stop); });
}

void DayCloser::Stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
}

Status DayCloser::CheckOver(BusinessDate date) {
    KESSAI_ASSIGN_OR_RETURN(const DayStore::Now now, days_.Read());
    const BusinessDate today = BusinessDate::OfJst(now.time);
    if (date < today) return OkStatus();
    return domain::Refuse(
        domain::Refusal::kDayNotOver,
        date.ToString() + " is not over in Japan, where it is " + today.ToString());
}

Result<Day> DayCloser::Close(BusinessDate date, bool early) {
    KESSAI_ASSIGN_OR_RETURN(const Day day, days_.Find(date));
    if (day.state != DayState::kOpen) return day;
    if (!early) KESSAI_RETURN_IF_ERROR(CheckOver(date));
    const Status moved = days_.MoveGates(date);
    KESSAI_FAULT_POINT("payment.close_day.after_commit");
    // Another replica, or this call's own lost reply, may have moved them: Find tells.
    KESSAI_ASSIGN_OR_RETURN(const Day after, days_.Find(date));
    if (after.state == DayState::kOpen) return moved;
    {
        const std::lock_guard lock(mutex_);
        asked_ = true;
    }
    wake_.notify_one();
    return after;
}

Status DayCloser::RunOnce() {
    KESSAI_ASSIGN_OR_RETURN(const DayStore::Now now, days_.Read());
    if (options_.scheduled && BusinessDate::OfJst(now.time) > now.open_date) {
        KESSAI_RETURN_IF_ERROR(Close(now.open_date).status());
    }
    KESSAI_ASSIGN_OR_RETURN(const auto unfinished, days_.Unfinished());
    for (const Day& day : unfinished) {
        if (day.state == DayState::kClosing) {
            KESSAI_ASSIGN_OR_RETURN(const bool unsent, days_.HasUnsentEvents(day.date));
            // The marks of a later day never overtake an earlier day's events.
            if (unsent) return OkStatus();
            KESSAI_ASSIGN_OR_RETURN(const auto ids, GeneratorOf(ids_));
            const std::int64_t row_id = ids->Next();
            const std::string mark =
                encode_(day.date, options_.partition_count, ids->Next(), now.time);
            KESSAI_RETURN_IF_ERROR(ids_.Confirm(*ids));
            KESSAI_RETURN_IF_ERROR(
                days_.StoreMarks(day.date, mark, options_.partition_count, row_id));
        }
        KESSAI_RETURN_IF_ERROR(days_.FinishIfMarksSent(day.date));
    }
    return OkStatus();
}

void DayCloser::Loop(std::stop_token stop) {
    while (!stop.stop_requested()) {
        if (const Status status = RunOnce(); !status.ok()) on_error_(status);
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, stop, options_.poll_every, [this] { return asked_; });
        asked_ = false;
    }
}

}  // namespace kessai::payment::app
