#include "wiring/storage.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "domain/secret_box.h"
#include "kessai/lease/leased_ids.h"
#include "kessai/log/log.h"
#include "kessai/mysql/telemetry.h"
#include "storage/mysql_credential_store.h"
#include "storage/mysql_user_directory.h"
#include "storage/mysql_webhook_store.h"

namespace kessai::gateway::wiring {

Result<Storage> BuildStorage(const Options& options, runtime::Context& context) {
    const Clock& clock = context.clock();
    auto& queries = context.Own(std::make_unique<mysql::QueryTelemetry>(context.metrics()));
    auto& pool = context.Own(std::make_unique<mysql::Pool>(options.mysql, clock, &queries));
    context.Keep(mysql::ExposePool(context.metrics(), pool));
    context.Add({.name = "mysql", .stop = [&pool] { pool.Close(); }});

    std::vector<std::string> keys{options.secrets_key};
    if (!options.secrets_previous_key.empty()) keys.push_back(options.secrets_previous_key);
    KESSAI_ASSIGN_OR_RETURN(auto made_box, domain::SecretBox::Create(keys));
    const auto& box = context.Own(std::make_unique<domain::SecretBox>(std::move(made_box)));

    auto& leased =
        context.Own(std::make_unique<lease::LeasedIds>(pool, clock, [](const Status& why) {
            log::Warn("gateway.no_worker_number", {{"status", why}});
        }));
    context.Add({.name = "ids",
                 .start = [&leased]() -> Status {
                     leased.Start();
                     return OkStatus();
                 },
                 .ready = [&leased] { return leased.Ready(); },
                 .stop = [&leased] { leased.Stop(); }});
    auto& ids = context.Own(std::make_unique<storage::LeasedIds>(leased));
    return Storage{pool,
                   ids,
                   context.Own(std::make_unique<storage::MysqlCredentialStore>(pool, box)),
                   context.Own(std::make_unique<storage::MysqlUserDirectory>(pool, ids, clock)),
                   context.Own(std::make_unique<storage::MysqlWebhookStore>(pool, box)),
                   context.Own(std::make_unique<storage::MysqlChangeDeliveries>()),
                   context.Own(std::make_unique<domain::FileLinks>(options.files.links,
                                                                   box.KeysFor("file links")))};
}

}  // namespace kessai::gateway::wiring
