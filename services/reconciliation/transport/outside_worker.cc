#include "transport/outside_worker.h"

#include <string>

#include "kessai/log/log.h"

namespace kessai::reconciliation::transport {
namespace {

/// In whose name it runs.
constexpr std::string_view kActor = "reconciliation";

}  // namespace

void OutsideWorker::Start() {
    thread_ = std::jthread([this](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            Poll();
            std::unique_lock lock(mutex_);
            wake_.wait_for(lock, stop, poll_every_, [] { return false; });
        }
    });
}

void OutsideWorker::Stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
}

void OutsideWorker::Poll() {
    const auto summaries = enquiries_.Summaries();
    if (!summaries.ok()) {
        log::Warn("reconciliation.outside_unknown", {{"status", summaries.status()}});
        return;
    }
    bool any = false;
    for (const app::AccountSummary& summary : *summaries) {
        if (!summary.run_is_due || summary.rules_version == 0) continue;
        const auto run = match_.Run(summary.account.name, app::DayRange::All(), kActor);
        if (run.ok()) {
            metrics_.OnRun(*run);
            any = true;
        } else {
            log::Warn("reconciliation.outside_not_matched",
                      {{"account", summary.account.name}, {"status", run.status()}});
        }
    }
    if (!any) {
        metrics_.OnSummaries(*summaries);
    } else if (const auto after = enquiries_.Summaries(); after.ok()) {
        metrics_.OnSummaries(*after);
    }
}

}  // namespace kessai::reconciliation::transport
