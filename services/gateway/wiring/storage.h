#pragma once

#include "app/change_deliveries.h"
#include "app/credential_store.h"
#include "app/user_directory.h"
#include "app/webhook_store.h"
#include "domain/file_links.h"
#include "kessai/mysql/pool.h"
#include "kessai/runtime/main.h"
#include "options.h"
#include "storage/leased_ids.h"

namespace kessai::gateway::wiring {

/// The database, and what is kept in it. All of it belongs to the context.
struct Storage {
    mysql::Pool& pool;
    storage::LeasedIds& ids;
    app::CredentialStore& credentials;
    app::UserDirectory& users;
    app::WebhookStore& webhooks;
    app::ChangeDeliveries& change_deliveries;
    const domain::FileLinks& file_links;
};

Result<Storage> BuildStorage(const Options& options, runtime::Context& context);

}  // namespace kessai::gateway::wiring
