#include "transport/repair_worker.h"

#include <utility>
#include <vector>

#include "kessai/log/log.h"

namespace kessai::reconciliation::transport {

RepairWorker::RepairWorker(RepairWorkerOptions options, const app::RepairPorts& ports,
                           RepairMetrics& metrics, std::function<bool()> holds)
    : options_(std::move(options)),
      transactions_(ports.transactions),
      metrics_(metrics),
      holds_(std::move(holds)),
      run_(
          ports, options_.policy,
          [this](const domain::Repair& repair) {
              metrics_.OnEnd(repair);
              log::Info("reconciliation.repair_ended",
                        {{"discrepancy", repair.discrepancy.value()},
                         {"number", repair.number},
                         {"kind", domain::KindName(repair.kind)},
                         {"state", domain::StateName(repair.state)}});
          },
          [this](const app::RepairName& name, const Status& status) {
              metrics_.OnTrouble();
              log::Warn("reconciliation.repair_waits", {{"discrepancy", name.discrepancy.value()},
                                                        {"number", name.number},
                                                        {"status", status}});
          }) {}

RepairWorker::~RepairWorker() {
    Stop();
}

void RepairWorker::Start() {
    thread_ = std::jthread([this](const std::stop_token& stop) { Work(stop); });
}

void RepairWorker::Stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
}

void RepairWorker::Work(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        RunOnce(stop);
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, stop, options_.poll_every, [] { return false; });
    }
}

void RepairWorker::RunOnce(const std::stop_token& stop) {
    if (holds_()) {
        const Status status = run_.Run(stop);
        if (!status.ok()) log::Warn("reconciliation.repairs_unknown", {{"status", status}});
    }
    std::vector<app::OpenRepairs> open;
    const Status counted = transactions_.Run([&](app::Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(open, books.repairs.CountOpen());
        return OkStatus();
    });
    if (counted.ok()) metrics_.OnOpen(open);
}

}  // namespace kessai::reconciliation::transport
