#include "wiring/parts.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "app/change_discrepancy.h"
#include "app/enquiries.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/telemetry.h"
#include "transport/reconciliation_service.h"
#include "transport/repair_service.h"

namespace kessai::reconciliation {

void BuildServer(const Options& options, runtime::Context& context, const Core& core,
                 const auth::KeyRingSource& keys, const Days& days, const Outside& outside,
                 const Files& files) {
    const Clock& clock = context.clock();
    const auto& verifier = context.Own(std::make_unique<auth::TokenVerifier>(
        keys, clock, auth::TokenVerifier::Options{.audience = "reconciliation"}));
    auto& workers = context.Own(std::make_unique<rpc::WorkerPool>(rpc::WorkerPool::Options{
        .name = "queries", .threads = static_cast<std::size_t>(options.query_threads)}));
    // Those who wait for a run hold no database session.
    auto& run_workers = context.Own(std::make_unique<rpc::WorkerPool>(
        rpc::WorkerPool::Options{.name = "runs", .threads = 4, .queue_max = 16}));
    context.Keep(rpc::Observe(context.metrics(), workers));
    context.Keep(rpc::Observe(context.metrics(), run_workers));
    context.Keep(rpc::Observe(context.metrics(), verifier));
    auto& enquiries = context.Own(std::make_unique<app::Enquiries>(core.transactions));
    auto& change = context.Own(std::make_unique<app::ChangeDiscrepancy>(core.transactions, clock));
    auto& service = context.Own(
        std::make_unique<transport::ReconciliationService>(enquiries, change, days.runs));
    auto& repair_service =
        context.Own(std::make_unique<transport::RepairService>(days.repairs, enquiries));
    auto& calls = context.Own(std::make_unique<rpc::CallTelemetry>(
        context.metrics(),
        std::vector<std::string_view>{transport::kServiceName, transport::kRepairServiceName,
                                      transport::kStatementServiceName, transport::kFileServiceName,
                                      inbox::kDeadLetterServiceName},
        &context.tracer()));

    rpc::ServerOptions server_options = options.grpc;
    server_options.tls = options.tls;
    // A statement file and what stands around it.
    server_options.receive_bytes_max = std::max<std::size_t>(
        server_options.receive_bytes_max, options.outside.file_bytes_max + 64 * 1'024);
    auto& server =
        context.Own(std::make_unique<rpc::Server>(server_options, clock, verifier, &calls));
    rpc::Service methods(transport::kServiceName, transport::Policy());
    service.Register(methods, workers, run_workers);
    server.Add(std::move(methods));
    rpc::Service repair_methods(transport::kRepairServiceName, transport::RepairPolicy());
    repair_service.Register(repair_methods, workers, run_workers);
    server.Add(std::move(repair_methods));
    // Imports and runs hold a database session each, and have threads of their own.
    auto& outside_workers = context.Own(std::make_unique<rpc::WorkerPool>(
        rpc::WorkerPool::Options{.name = "outside", .threads = 2, .queue_max = 16}));
    context.Keep(rpc::Observe(context.metrics(), outside_workers));
    rpc::Service statements(transport::kStatementServiceName, transport::StatementPolicy());
    outside.service.Register(statements, workers, outside_workers);
    server.Add(std::move(statements));
    rpc::Service file_methods(transport::kFileServiceName, transport::FilePolicy());
    files.service.Register(file_methods, workers, run_workers, files.slow);
    server.Add(std::move(file_methods));
    server.Add(core.dead_letters.MakeService(workers));
    context.Add({.name = "grpc",
                 .start = [&server]() -> Status {
                     KESSAI_RETURN_IF_ERROR(server.Start());
                     server.SetServing(true);
                     return OkStatus();
                 },
                 .drain =
                     [&server, &clock](SteadyInstant deadline) {
                         server.Stop(
                             std::chrono::duration_cast<Duration>(deadline - clock.SteadyNow()));
                     }});
}

}  // namespace kessai::reconciliation
