#include "wiring/parts.h"

#include <memory>

#include "kessai/lease/lease_table.h"
#include "kessai/log/log.h"
#include "kessai/mysql/telemetry.h"
#include "storage/mysql_books.h"

namespace kessai::reconciliation {

Result<Core> BuildCore(const Options& options, runtime::Context& context) {
    const Clock& clock = context.clock();
    KESSAI_ASSIGN_OR_RETURN(const auto hasher, digest::RowHasher::FromHex(options.digest_key));

    KESSAI_ASSIGN_OR_RETURN(const auto key, storage::AuditChain::FromHex(options.audit_key));
    const auto& chain = context.Own(std::make_unique<storage::AuditChain>(key));

    auto& queries = context.Own(std::make_unique<mysql::QueryTelemetry>(context.metrics()));
    auto& pool = context.Own(std::make_unique<mysql::Pool>(options.mysql, clock, &queries));
    context.Keep(mysql::ExposePool(context.metrics(), pool));
    context.Add({.name = "mysql", .stop = [&pool] { pool.Close(); }});

    auto& ids = context.Own(std::make_unique<lease::LeasedIds>(pool, clock, [](const Status& why) {
        log::Warn("reconciliation.no_worker_number", {{"status", why}});
    }));
    context.Add({.name = "ids",
                 .start = [&ids]() -> Status {
                     ids.Start();
                     return OkStatus();
                 },
                 .ready = [&ids] { return ids.Ready(); },
                 .stop = [&ids] { ids.Stop(); }});

    return Core{pool,
                ids,
                context.Own(std::make_unique<digest::RowHasher>(hasher)),
                chain,
                context.Own(std::make_unique<storage::MysqlTransactions>(pool, ids, clock, chain)),
                context.Own(std::make_unique<transport::ReconciliationMetrics>(context.metrics())),
                context.Own(std::make_unique<inbox::DeadLetterDesk>(pool, clock))};
}

}  // namespace kessai::reconciliation
