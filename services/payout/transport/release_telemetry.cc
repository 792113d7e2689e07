#include "transport/release_telemetry.h"

#include <chrono>
#include <string>
#include <vector>

namespace kessai::payout::transport {
namespace {

std::vector<std::string> HoldReasons() {
    std::vector<std::string> names;
    for (const auto reason : {domain::HoldReason::kEventParked, domain::HoldReason::kRecountDiffers,
                              domain::HoldReason::kFeeDiffers, domain::HoldReason::kSealBroken}) {
        names.emplace_back(domain::HoldReasonName(reason));
    }
    return names;
}

}  // namespace

ReleaseTelemetry::ReleaseTelemetry(metrics::Registry& registry)
    : recount_seconds_(registry.AddHistogram(
          {.name = "kessai_payout_recount_seconds", .help = "Time of recounting a day"},
          metrics::kLongTime)),
      release_seconds_(registry.AddHistogram(
          {.name = "kessai_payout_release_seconds", .help = "Time of a release after its recount"},
          metrics::kLongTime)),
      held_back_(registry.AddCounters({.name = "kessai_payout_held_back_total",
                                       .help = "Merchants whose day was held back, by reason"},
                                      {{"reason", HoldReasons()}})),
      released_faults_(
          registry.AddCounter({.name = "kessai_payout_released_faults_total",
                               .help = "Merchants with a wrong accrual that a deep run of a day "
                                       "found after their release"})),
      errors_(registry.AddCounter({.name = "kessai_payout_day_errors_total",
                                   .help = "Rounds of the day keeper that were refused"})),
      late_(registry.AddGauge({.name = "kessai_payout_release_late_seconds",
                               .help = "How late the oldest day is that was to be released by "
                                       "itself; 0: none"})),
      held_back_lines_(std::chrono::milliseconds(10)),
      released_fault_lines_(std::chrono::milliseconds(10)),
      error_lines_(std::chrono::seconds(10)) {}

app::ReleaseObserver ReleaseTelemetry::Observer() {
    return {.on_recount =
                [this](const app::ReleaseRound& round, Duration took, std::int64_t rows) {
                    recount_seconds_.Observe(took);
                    log::Info("release.recounted", {{"business_date", round.day.ToString()},
                                                    {"round", round.round},
                                                    {"rows", rows},
                                                    {"took", took}});
                },
            .on_held_back =
                [this](const app::ReleaseRound& round, const domain::HeldBack& held) {
                    held_back_.With(domain::HoldReasonName(held.reason)).Add();
                    // Each is a row that ListHeldBack gives; the log has a sample.
                    if (!held_back_lines_.Allow()) return;
                    log::Warn("release.held_back",
                              {{"business_date", round.day.ToString()},
                               {"merchant_id", held.merchant},
                               {"reason", domain::HoldReasonName(held.reason)},
                               {"note", held.note},
                               {"suppressed", held_back_lines_.TakeSuppressed()}});
                },
            .on_finished =
                [this](const app::ReleaseRound& round, Duration took) {
                    release_seconds_.Observe(took);
                    log::Info("release.finished", {{"business_date", round.day.ToString()},
                                                   {"round", round.round},
                                                   {"took", took}});
                },
            .on_released_fault =
                [this](const app::ReleaseRound& round, domain::MerchantId merchant,
                       const std::string& fault) {
                    released_faults_.Add();
                    if (!released_fault_lines_.Allow()) return;
                    log::Error("release.fault_after_release",
                               {{"business_date", round.day.ToString()},
                                {"merchant_id", merchant},
                                {"fault", fault},
                                {"suppressed", released_fault_lines_.TakeSuppressed()}});
                }};
}

void ReleaseTelemetry::OnLate(Duration by) {
    late_.Set(by);
}

void ReleaseTelemetry::OnError(const Status& why) {
    errors_.Add();
    if (!error_lines_.Allow()) return;
    log::Warn("day_keeper.refused", {{"why", why}, {"suppressed", error_lines_.TakeSuppressed()}});
}

}  // namespace kessai::payout::transport
