#include "app/run_due_days.h"

#include <algorithm>
#include <vector>

namespace kessai::reconciliation::app {

namespace {
/// Days looked at in one round: more are due only after a long stop, and their turn comes.
constexpr int kDaysPerRound = 32;
}  // namespace

Status RunDueDays::Run(const std::stop_token& stop) {
    std::vector<BusinessDate> due;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(due, books.days.ListDue(kDaysPerRound));
        return OkStatus();
    }));
    std::erase_if(retries_,
                  [&](const auto& retry) { return !std::ranges::binary_search(due, retry.first); });
    for (const BusinessDate business_date : due) {
        if (stop.stop_requested()) break;
        const auto retry = retries_.find(business_date);
        if (retry != retries_.end() && clock_.SteadyNow() < retry->second.at) continue;
        Compare(business_date, stop);
    }
    return OkStatus();
}

void RunDueDays::Compare(BusinessDate business_date, const std::stop_token& stop) {
    const auto outcome = compare_.Run(business_date, /*deep=*/false, stop);
    const bool elsewhere = outcome.status().reason() == "RUN_RUNNING";
    if (!elsewhere) on_run_(business_date, outcome);
    if (outcome.ok()) {
        retries_.erase(business_date);
        return;
    }
    Retry& retry = retries_[business_date];
    retry.wait = std::clamp(retry.wait * 2, options_.retry_first, options_.retry_max);
    if (elsewhere) retry.wait = options_.retry_first;
    retry.at = clock_.SteadyNow() + retry.wait;
}

}  // namespace kessai::reconciliation::app
