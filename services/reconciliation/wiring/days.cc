#include "wiring/parts.h"

#include <memory>

#include "app/check_payout.h"
#include "app/compare_day.h"
#include "app/count_matches.h"
#include "app/look_again.h"
#include "kessai/lease/lease.h"
#include "storage/mysql_books.h"
#include "transport/grpc_payout_day_book.h"
#include "transport/grpc_peer_book.h"
#include "transport/grpc_repair_peers.h"
#include "transport/repair_metrics.h"
#include "transport/repair_worker.h"

namespace kessai::reconciliation {
namespace {

/// The replica that holds the lease carries repairs on.
app::OrderRepair& BuildRepairs(const Options& options, runtime::Context& context, const Core& core,
                               const app::RepairPorts& ports) {
    auto& lease = context.Own(std::make_unique<lease::Lease>(
        core.pool, lease::LeaseOptions{.name = "reconciliation.repairs", .owner = {}},
        context.clock()));
    auto& metrics = context.Own(std::make_unique<transport::RepairMetrics>(context.metrics()));
    auto& worker = context.Own(std::make_unique<transport::RepairWorker>(
        options.repairs, ports, metrics, [&lease] { return lease.Held(); }));
    context.Add({.name = "repairs",
                 .start = [&lease, &worker]() -> Status {
                     lease.Start();
                     worker.Start();
                     return OkStatus();
                 },
                 .stop =
                     [&lease, &worker] {
                         worker.Stop();
                         lease.Stop();
                     }});
    return context.Own(std::make_unique<app::OrderRepair>(ports));
}

}  // namespace

Days BuildDays(const Options& options, runtime::Context& context, const Core& core,
               const Peers& peers) {
    const Clock& clock = context.clock();
    auto& payment = context.Own(std::make_unique<transport::GrpcPaymentBook>(
        peers.to_payment, peers.signer, options.peers));
    auto& payout = context.Own(
        std::make_unique<transport::GrpcPayoutBook>(peers.to_payout, peers.signer, options.peers));
    auto& leases = context.Own(std::make_unique<storage::MysqlRunLeases>(core.pool, clock));
    auto& payout_day = context.Own(std::make_unique<transport::GrpcPayoutDayBook>(
        peers.to_payout, peers.signer, options.peers));
    auto& compare = context.Own(std::make_unique<app::CompareDay>(
        app::CompareDayPorts{core.transactions, leases, payment, payout, core.hasher, clock,
                             &payout_day},
        options.compare_threads));
    auto& check = context.Own(std::make_unique<app::CheckPayout>(
        app::CheckPayoutPorts{core.transactions, leases, payout_day, core.hasher, clock}));
    auto& overdue = context.Own(std::make_unique<app::FindOverdueResults>(
        core.transactions, clock, options.result_bank_days));
    auto& runs = context.Own(std::make_unique<transport::DayRunWorker>(
        options.day_run, core.transactions, compare, core.metrics, clock,
        transport::AgainstPayout{&check, &overdue}));
    context.Add({.name = "day_runs",
                 .start = [&runs]() -> Status {
                     runs.Start();
                     return OkStatus();
                 },
                 .stop = [&runs] { runs.Stop(); }});
    auto& repair_peers = context.Own(std::make_unique<transport::GrpcRepairPeers>(
        peers.to_payment, peers.to_payout, peers.signer, core.transactions,
        options.repair_call_timeout));
    const auto& look = context.Own(std::make_unique<app::LookAgain>(
        core.transactions, payment, payout, payout_day, repair_peers, core.hasher));
    auto& count = context.Own(std::make_unique<app::CountMatches>(core.transactions, clock));
    return Days{runs,
                BuildRepairs(options, context, core,
                             {core.transactions, repair_peers, look, count, core.hasher, clock})};
}

}  // namespace kessai::reconciliation
