#include <memory>
#include <string_view>

#include "kessai/inbox/consumer.h"
#include "kessai/lease/lease_table.h"
#include "kessai/log/log.h"
#include "kessai/mysql/migration.h"
#include "kessai/outbox/outbox_table.h"
#include "kessai/rpc/telemetry.h"
#include "kessai/runtime/main.h"
#include "options.h"
#include "storage/migrations.h"
#include "transport/http_telemetry.h"
#include "wiring/apis.h"
#include "wiring/issuers.h"
#include "wiring/loops.h"
#include "wiring/server.h"
#include "wiring/storage.h"
#include "wiring/upstreams.h"
#include "wiring/webhooks.h"

namespace kessai::gateway {
namespace {

Status Migrate(const Options& options, runtime::Context&) {
    mysql::ConnectOptions connect = options.mysql.connect;
    connect.read_timeout = std::chrono::minutes(30);
    KESSAI_ASSIGN_OR_RETURN(const auto session, mysql::Session::Connect(connect));
    const mysql::MigrationSet sets[] = {lease::Migrations(), outbox::Migrations(),
                                        inbox::Migrations(), storage::Migrations()};
    mysql::MigrationReport report;
    KESSAI_RETURN_IF_ERROR(mysql::Migrate(*session, sets, &report));
    for (const std::string& step : report.applied) log::Info("migrated", {{"step", step}});
    return OkStatus();
}

app::RoleScopes ScopesOfRoles(const Options& options) {
    app::RoleScopes roles;
    for (const auto& [role, text] : options.roles) {
        auto& scopes = roles[role];
        std::string_view rest = text;
        while (!rest.empty()) {
            const auto space = rest.find(' ');
            if (space != 0) scopes.emplace_back(rest.substr(0, space));
            rest = space == std::string_view::npos ? std::string_view{} : rest.substr(space + 1);
        }
    }
    return roles;
}

Status Build(const Options& options, runtime::Context& context) {
    auto& telemetry = context.Own(std::make_unique<transport::HttpTelemetry>(
        transport::HttpTelemetry::Options{options.https.log_one_in, options.https.slow_after},
        context.metrics()));
    KESSAI_ASSIGN_OR_RETURN(auto built_storage, wiring::BuildStorage(options, context));
    const wiring::Storage& storage = context.Own(std::make_unique<wiring::Storage>(built_storage));
    auto& workers = context.Own(std::make_unique<rpc::WorkerPool>(
        rpc::WorkerPool::Options{.name = "workers",
                                 .threads = static_cast<std::size_t>(options.worker_threads),
                                 .queue_max = options.worker_queue_max}));
    context.Keep(rpc::Observe(context.metrics(), workers));
    context.Add({.name = "workers", .stop = [&workers] { workers.Stop(); }});
    KESSAI_ASSIGN_OR_RETURN(const wiring::Upstreams upstreams,
                            wiring::BuildUpstreams(options, context));
    KESSAI_ASSIGN_OR_RETURN(wiring::Outbound outbound, wiring::BuildOutbound(options, context));
    transport::ApiHandlers handlers;
    KESSAI_ASSIGN_OR_RETURN(const wiring::Issuers issuers,
                            wiring::BuildIssuers(options, context, outbound, handlers));
    const auto& roles = context.Own(std::make_unique<app::RoleScopes>(ScopesOfRoles(options)));
    auto& loops = context.Own(std::make_unique<wiring::LoopServices>());
    for (int i = 0; i < options.https.loops; ++i) {
        KESSAI_RETURN_IF_ERROR(wiring::AddLoop(options, context, storage, workers, issuers, roles,
                                               telemetry, i, loops));
    }
    wiring::FollowCredentials(context, storage, loops);
    KESSAI_ASSIGN_OR_RETURN(
        auto built_webhooks,
        wiring::BuildWebhooks(options, context, storage, workers, outbound, telemetry));
    auto& webhooks = context.Own(std::make_unique<wiring::Webhooks>(built_webhooks));
    const auto& dead_letters = wiring::BuildConsumers(options, context, storage, webhooks);
    wiring::BuildApis(options, context, storage, workers, upstreams, loops, webhooks, dead_letters,
                      handlers);
    return wiring::BuildServer(options, context, loops, telemetry, handlers);
}

}  // namespace
}  // namespace kessai::gateway

int main(int argc, char** argv) {
    kessai::gateway::Options options;
    return kessai::runtime::Main(
        argc, argv,
        {.name = "gateway",
         .describe =
             [&](kessai::config::Schema& schema) { kessai::gateway::Describe(schema, options); },
         .migrate =
             [&](kessai::runtime::Context& context) {
                 return kessai::gateway::Migrate(options, context);
             },
         .build =
             [&](kessai::runtime::Context& context) {
                 return kessai::gateway::Build(options, context);
             }});
}
