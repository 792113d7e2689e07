#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "app/check_payout.h"
#include "app/compare_day.h"
#include "app/enquiries.h"
#include "app/note_transfers.h"
#include "app/run_due_days.h"
#include "domain/day_run.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"
#include "transport/reconciliation_metrics.h"

namespace kessai::reconciliation::transport {

struct DayRunWorkerOptions {
    /// How often it looks for days that are due.
    Duration poll_every = std::chrono::seconds(5);
    /// Runs that were asked for and wait for their turn.
    std::size_t queue_max = 8;
    app::RunDueDays::Options retry{};
};

/// What holds payout against what was heard; without it days are only compared.
struct AgainstPayout {
    app::CheckPayout* check = nullptr;
    app::FindOverdueResults* overdue = nullptr;
};

/// The thread that compares days and checks them against payout: those asked for, and those that
/// are due. Thread safe.
class DayRunWorker {
 public:
    /// All must outlive it.
    DayRunWorker(DayRunWorkerOptions options, app::Transactions& transactions,
                 app::CompareDay& compare, ReconciliationMetrics& metrics, const Clock& clock,
                 AgainstPayout against_payout = {});
    ~DayRunWorker();
    DayRunWorker(const DayRunWorker&) = delete;
    DayRunWorker& operator=(const DayRunWorker&) = delete;

    void Start();
    /// Ends the run under way at its next bucket; it stays due. Requests that wait are answered
    /// with UNAVAILABLE RUN_STOPPED.
    void Stop();

    /// Compares a day, checks it against payout, and waits for the outcome of the comparison, until
    /// `deadline` at most; nullopt then, and the run goes on. RESOURCE_EXHAUSTED QUEUE_FULL,
    /// UNAVAILABLE RUN_STOPPED, and what app::CompareDay refuses.
    Result<std::optional<domain::DayRun>> Run(BusinessDate business_date, bool deep,
                                              SteadyInstant deadline);

 private:
    struct Request {
        BusinessDate business_date;
        bool deep = false;
        std::optional<Result<domain::DayRun>> outcome{};
    };

    void Work(const std::stop_token& stop);
    std::shared_ptr<Request> NextRequest(const std::stop_token& stop);
    void Finish(Request& request, Result<domain::DayRun> outcome);
    void Poll(const std::stop_token& stop);
    void PollPayout(const std::stop_token& stop);
    void Report(BusinessDate business_date, const Result<domain::DayRun>& outcome);
    void ReportCheck(BusinessDate business_date, const Result<domain::PayoutCheck>& outcome);
    void ShowStanding();

    const DayRunWorkerOptions options_;
    app::CompareDay& compare_;
    app::Enquiries enquiries_;
    app::RunDueDays due_;
    const AgainstPayout against_payout_;
    std::optional<app::RunDueChecks> due_checks_;
    ReconciliationMetrics& metrics_;
    const Clock& clock_;

    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::condition_variable done_;
    std::deque<std::shared_ptr<Request>> queue_;
    bool stopped_ = false;
    std::jthread thread_;
};

}  // namespace kessai::reconciliation::transport
