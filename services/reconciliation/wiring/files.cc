#include "wiring/parts.h"

#include <cstddef>
#include <memory>

#include "app/file_templates.h"
#include "app/merchant_files.h"
#include "app/order_files.h"
#include "app/run_files.h"
#include "kessai/filestore/options.h"
#include "kessai/rpc/telemetry.h"
#include "storage/mysql_file_books.h"
#include "transport/file_metrics.h"
#include "transport/file_worker.h"
#include "transport/grpc_file_rows.h"
#include "transport/grpc_merchant_directory.h"

namespace kessai::reconciliation {

Files BuildFiles(const Options& options, runtime::Context& context, const Core& core,
                 const Peers& peers) {
    const Clock& clock = context.clock();
    auto& store = context.Own(filestore::OpenStore(options.file_store, clock));
    auto& transactions =
        context.Own(std::make_unique<storage::MysqlFileTransactions>(core.pool, core.ids));
    auto& leases = context.Own(std::make_unique<storage::MysqlFileRunLeases>(core.pool, clock));
    auto& rows = context.Own(std::make_unique<transport::GrpcFileRows>(
        peers.to_payment, peers.to_payout, peers.signer, clock));
    auto& merchants = context.Own(
        std::make_unique<transport::GrpcMerchantDirectory>(peers.to_payment, peers.signer));
    // It was checked with the options.
    const auto schedule_at = domain::ParseTimeOfDay(options.files.schedule_at).value();
    auto& templates = context.Own(
        std::make_unique<app::FileTemplates>(transactions, merchants, rows, clock, schedule_at));
    auto& orders = context.Own(std::make_unique<app::OrderFiles>(transactions, merchants, clock,
                                                                 options.files.keep_records));
    auto& runs = context.Own(std::make_unique<app::RunFiles>(transactions, leases, rows, store,
                                                             clock, options.files.run));
    auto& files = context.Own(std::make_unique<app::MerchantFiles>(transactions, store, clock,
                                                                   options.files.keep_records));
    auto& metrics = context.Own(std::make_unique<transport::FileMetrics>(context.metrics()));
    auto& worker = context.Own(std::make_unique<transport::FileWorker>(
        options.files.worker,
        transport::FileWorker::Ports{transactions, templates, orders, runs, files, store}, metrics,
        clock));
    context.Add({.name = "files",
                 .start = [&worker]() -> Status {
                     worker.Start();
                     return OkStatus();
                 },
                 .stop = [&worker] { worker.Stop(); }});
    auto& slow = context.Own(std::make_unique<rpc::WorkerPool>(rpc::WorkerPool::Options{
        .name = "files", .threads = static_cast<std::size_t>(options.files.serve_threads)}));
    context.Keep(rpc::Observe(context.metrics(), slow));
    return {context.Own(std::make_unique<transport::FileService>(templates, orders, files, worker)),
            slow};
}

}  // namespace kessai::reconciliation
