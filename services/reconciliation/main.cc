#include <string>

#include "kessai/digest/store.h"
#include "kessai/inbox/consumer.h"
#include "kessai/lease/lease_table.h"
#include "kessai/log/log.h"
#include "kessai/mysql/migration.h"
#include "kessai/outbox/outbox_table.h"
#include "kessai/runtime/main.h"
#include "options.h"
#include "storage/audit_chain.h"
#include "storage/migrations.h"
#include "wiring/parts.h"

namespace kessai::reconciliation {
namespace {

Status Migrate(const Options& options, runtime::Context& context) {
    mysql::ConnectOptions connect = options.mysql.connect;
    connect.read_timeout = std::chrono::minutes(30);
    KESSAI_ASSIGN_OR_RETURN(const auto session, mysql::Session::Connect(connect));
    const mysql::MigrationSet sets[] = {lease::Migrations(), outbox::Migrations(),
                                        inbox::Migrations(), digest::Migrations(),
                                        storage::Migrations()};
    mysql::MigrationReport report;
    KESSAI_RETURN_IF_ERROR(mysql::Migrate(*session, sets, &report));
    for (const std::string& step : report.applied) log::Info("migrated", {{"step", step}});
    KESSAI_ASSIGN_OR_RETURN(const auto chain, storage::AuditChain::FromHex(options.audit_key));
    return storage::ChainOlderSteps(*session, chain, context.clock());
}

Status Build(const Options& options, runtime::Context& context) {
    KESSAI_ASSIGN_OR_RETURN(const Core core, BuildCore(options, context));
    KESSAI_ASSIGN_OR_RETURN(auto key_file,
                            auth::KeyRingFile::Open({.path = options.internal_token_key_file}));
    const auto& keys = context.Own(std::move(key_file));
    BuildRelay(options, context, core);
    KESSAI_ASSIGN_OR_RETURN(const Outside outside, BuildOutside(options, context, core));
    BuildConsumers(options, context, core, outside);
    KESSAI_ASSIGN_OR_RETURN(const Peers peers, BuildPeers(options, context, keys));
    const Days days = BuildDays(options, context, core, peers);
    const Files files = BuildFiles(options, context, core, peers);
    BuildServer(options, context, core, keys, days, outside, files);
    return OkStatus();
}

}  // namespace
}  // namespace kessai::reconciliation

int main(int argc, char** argv) {
    namespace reconciliation = kessai::reconciliation;
    reconciliation::Options options;
    return kessai::runtime::Main(
        argc, argv,
        {.name = "reconciliation",
         .describe =
             [&](kessai::config::Schema& schema) { reconciliation::Describe(schema, options); },
         .migrate =
             [&](kessai::runtime::Context& context) {
                 return reconciliation::Migrate(options, context);
             },
         .build =
             [&](kessai::runtime::Context& context) {
                 return reconciliation::Build(options, context);
             }});
}
