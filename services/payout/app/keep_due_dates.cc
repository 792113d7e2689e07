#include "app/keep_due_dates.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "kessai/calendar/bank_days.h"

namespace kessai::payout::app {
namespace {

// What was missed for longer is somebody's to decide about.
constexpr int kMissedDaysMax = 31;
constexpr std::string_view kRequestedBy = "schedule";

/// Whether all money of the days before a date is available, or held back with a reason.
bool IsReleasedBefore(BusinessDate date, const DueDateFacts& facts) {
    if (!facts.last_known_day || *facts.last_known_day < date.Previous()) return false;
    return !facts.first_unreleased_day || *facts.first_unreleased_day >= date;
}

}  // namespace

KeepDueDates::KeepDueDates(KeepDueDatesOptions options, CreateTransfers& create,
                           SendTransfers& send, LedgerStore& store, std::function<bool()> may_run,
                           const Clock& clock, Observer observer)
    : options_(options),
      create_(create),
      send_(send),
      store_(store),
      may_run_(std::move(may_run)),
      clock_(clock),
      observer_(std::move(observer)) {}

KeepDueDates::~KeepDueDates() {
    Stop();
}

void KeepDueDates::Start() {
    if (!options_.at && !options_.files_at) return;
    thread_ = std::jthread([this](std::stop_token stop) { Loop(stop); });
}

void KeepDueDates::Stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
}

Result<std::vector<BusinessDate>> KeepDueDates::DueDates(const DueDateFacts& facts) const {
    const Instant now = clock_.Now();
    const BusinessDate today = BusinessDate::OfJst(now);
    KESSAI_ASSIGN_OR_RETURN(BusinessDate last, calendar::BankDayAtOrBefore(today));
    if (now < last.At(*options_.at)) {
        KESSAI_ASSIGN_OR_RETURN(last, calendar::PreviousBankDay(last));
    }
    // Without any run before, nothing was missed: the schedule begins with its next time.
    BusinessDate date = facts.last_finished_run.value_or(today.Previous()).Next();
    date = std::max(date, today.PlusDays(-kMissedDaysMax));
    std::vector<BusinessDate> dates;
    for (; date <= last; date = date.Next()) {
        KESSAI_ASSIGN_OR_RETURN(const bool business_day, calendar::IsBankDay(date));
        if (business_day) dates.push_back(date);
    }
    return dates;
}

Status KeepDueDates::RunOnce(const std::stop_token& stop) {
    if ((!options_.at && !options_.files_at) || !may_run_()) return OkStatus();
    KESSAI_ASSIGN_OR_RETURN(const DueDateFacts facts, store_.FindDueDateFacts());
    bool waits = false;
    if (options_.at) KESSAI_RETURN_IF_ERROR(RunDueDates(facts, stop, waits));
    return options_.files_at && !waits ? MakeFiles(facts) : OkStatus();
}

Status KeepDueDates::RunDueDates(const DueDateFacts& facts, const std::stop_token& stop,
                                 bool& waits) {
    KESSAI_ASSIGN_OR_RETURN(auto dates, DueDates(facts));
    Status outcome;
    while (!dates.empty() && IsReleasedBefore(dates.front(), facts)) {
        const auto run = create_.Run(dates.front(), kRequestedBy, stop);
        if (!run.ok()) {
            outcome = run.status();
            break;
        }
        observer_.on_done(*run, clock_.Now() - dates.front().At(*options_.at));
        dates.erase(dates.begin());
    }
    waits = !dates.empty();
    observer_.on_late(dates.empty() ? Duration::zero()
                                    : clock_.Now() - dates.front().At(*options_.at));
    return outcome;
}

Status KeepDueDates::MakeFiles(const DueDateFacts& facts) {
    const Instant now = clock_.Now();
    const BusinessDate today = BusinessDate::OfJst(now);
    if (now < today.At(*options_.files_at) || facts.last_files >= today) return OkStatus();
    KESSAI_ASSIGN_OR_RETURN(const bool business_day, calendar::IsBankDay(today));
    if (!business_day) return OkStatus();
    KESSAI_ASSIGN_OR_RETURN(const auto batches, send_.Gather(today, kRequestedBy));
    KESSAI_RETURN_IF_ERROR(store_.InTransaction([&](LedgerTransaction& transaction) {
        return transaction.transfers().SetFilesMade(today);
    }));
    observer_.on_files(today, batches);
    return OkStatus();
}

void KeepDueDates::Loop(std::stop_token stop) {
    while (!stop.stop_requested()) {
        if (const Status status = RunOnce(stop); !status.ok()) observer_.on_error(status);
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, stop, options_.poll_every, [] { return false; });
    }
}

}  // namespace kessai::payout::app
