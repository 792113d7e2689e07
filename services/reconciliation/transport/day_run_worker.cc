#include "transport/day_run_worker.h"

#include <string>
#include <utility>

#include "kessai/log/log.h"

namespace kessai::reconciliation::transport {

namespace {

Status Stopped() {
    return Status(Code::kUnavailable, "RUN_STOPPED", "this replica is being stopped");
}

}  // namespace

DayRunWorker::DayRunWorker(DayRunWorkerOptions options, app::Transactions& transactions,
                           app::CompareDay& compare, ReconciliationMetrics& metrics,
                           const Clock& clock, AgainstPayout against_payout)
    : options_(options),
      compare_(compare),
      enquiries_(transactions),
      due_(transactions, compare, clock, options.retry,
           [this](BusinessDate date, const Result<domain::DayRun>& outcome) {
               Report(date, outcome);
           }),
      against_payout_(against_payout),
      metrics_(metrics),
      clock_(clock) {
    if (against_payout.check == nullptr) return;
    due_checks_.emplace(
        transactions, *against_payout.check, clock,
        app::RunDueChecks::Options{options.retry.retry_first, options.retry.retry_max},
        [this](BusinessDate date, const Result<domain::PayoutCheck>& outcome) {
            ReportCheck(date, outcome);
        });
}

DayRunWorker::~DayRunWorker() {
    Stop();
}

void DayRunWorker::Start() {
    thread_ = std::jthread([this](const std::stop_token& stop) { Work(stop); });
}

void DayRunWorker::Stop() {
    {
        std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    if (thread_.joinable()) {
        thread_.request_stop();
        thread_.join();
    }
    std::lock_guard lock(mutex_);
    for (const auto& request : queue_) request->outcome = Stopped();
    queue_.clear();
    done_.notify_all();
}

Result<std::optional<domain::DayRun>> DayRunWorker::Run(BusinessDate business_date, bool deep,
                                                        SteadyInstant deadline) {
    const auto request = std::make_shared<Request>(Request{business_date, deep});
    std::unique_lock lock(mutex_);
    if (stopped_) return Stopped();
    if (queue_.size() >= options_.queue_max) {
        return Status(Code::kResourceExhausted, "QUEUE_FULL",
                      std::to_string(queue_.size()) + " runs wait already");
    }
    queue_.push_back(request);
    wake_.notify_one();
    // By the clock's own time, so that a test's clock decides; the wait itself is bounded by it
    // too.
    done_.wait_for(lock, deadline - clock_.SteadyNow(),
                   [&] { return request->outcome.has_value(); });
    if (!request->outcome) return std::optional<domain::DayRun>();
    KESSAI_RETURN_IF_ERROR(request->outcome->status());
    return std::optional(**request->outcome);
}

void DayRunWorker::Work(const std::stop_token& stop) {
    SteadyInstant next_poll = clock_.SteadyNow();
    while (!stop.stop_requested()) {
        if (clock_.SteadyNow() >= next_poll) {
            Poll(stop);
            next_poll = clock_.SteadyNow() + options_.poll_every;
        }
        if (const auto request = NextRequest(stop)) {
            auto outcome = compare_.Run(request->business_date, request->deep, stop);
            Report(request->business_date, outcome);
            // If it fails it stays due.
            if (outcome.ok() && against_payout_.check != nullptr) {
                ReportCheck(
                    request->business_date,
                    against_payout_.check->Run(request->business_date, request->deep, stop));
            }
            Finish(*request, std::move(outcome));
        }
    }
}

std::shared_ptr<DayRunWorker::Request> DayRunWorker::NextRequest(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, options_.poll_every, [this] { return !queue_.empty(); });
    if (queue_.empty() || stop.stop_requested()) return nullptr;
    auto request = std::move(queue_.front());
    queue_.pop_front();
    return request;
}

void DayRunWorker::Finish(Request& request, Result<domain::DayRun> outcome) {
    std::lock_guard lock(mutex_);
    request.outcome = std::move(outcome);
    done_.notify_all();
}

void DayRunWorker::Poll(const std::stop_token& stop) {
    const Status status = due_.Run(stop);
    if (!status.ok()) log::Warn("reconciliation.due_days_unknown", {{"status", status}});
    PollPayout(stop);
    ShowStanding();
}

void DayRunWorker::PollPayout(const std::stop_token& stop) {
    if (due_checks_) {
        const Status status = due_checks_->Run(stop);
        if (!status.ok()) log::Warn("reconciliation.due_checks_unknown", {{"status", status}});
    }
    if (against_payout_.overdue != nullptr) {
        const Status status = against_payout_.overdue->Run();
        if (!status.ok()) log::Warn("reconciliation.overdue_unknown", {{"status", status}});
    }
}

void DayRunWorker::ShowStanding() {
    const Instant now = clock_.Now();
    const auto unsettled = enquiries_.Unsettled();
    if (unsettled.ok()) metrics_.OnUnsettled(*unsettled, now);
    const auto waiting = enquiries_.Waiting(now);
    if (waiting.ok()) metrics_.OnWaiting(*waiting, now);
}

void DayRunWorker::ReportCheck(BusinessDate business_date,
                               const Result<domain::PayoutCheck>& outcome) {
    const std::string date = business_date.ToString();
    metrics_.OnCheck(outcome);
    if (!outcome.ok()) {
        log::Warn("reconciliation.payout_not_checked",
                  {{"business_date", date}, {"status", outcome.status()}});
        return;
    }
    const log::Fields fields{{"business_date", date},
                             {"check_number", outcome->number},
                             {"deep", outcome->deep},
                             {"released", outcome->released},
                             {"transfers_compared", outcome->transfers_compared},
                             {"merchants_listed", outcome->merchants_listed},
                             {"discrepancies_found", outcome->discrepancies_found},
                             {"took", outcome->finished_at - outcome->started_at}};
    if (outcome->state == domain::DayRunState::kEqual) {
        log::Info("reconciliation.payout_equal", fields);
    } else {
        log::Error("reconciliation.payout_different", fields);
    }
}

void DayRunWorker::Report(BusinessDate business_date, const Result<domain::DayRun>& outcome) {
    const std::string date = business_date.ToString();
    if (!outcome.ok()) {
        metrics_.OnRunRefused();
        log::Warn("reconciliation.day_not_compared",
                  {{"business_date", date}, {"status", outcome.status()}});
        return;
    }
    metrics_.OnRun(*outcome);
    const log::Fields fields{{"business_date", date},
                             {"run_number", outcome->number},
                             {"deep", outcome->deep},
                             {"buckets_different", outcome->buckets_different},
                             {"rows_listed", outcome->rows_listed},
                             {"discrepancies_found", outcome->discrepancies_found},
                             {"took", outcome->finished_at - outcome->started_at}};
    if (outcome->state == domain::DayRunState::kEqual) {
        log::Info("reconciliation.day_equal", fields);
    } else {
        log::Error("reconciliation.day_different", fields);
    }
}

}  // namespace kessai::reconciliation::transport
