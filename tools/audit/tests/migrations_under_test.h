#pragma once

#include "kessai/mysql/migration.h"

/// The services' schemas, embedded from their migrations: tables only, none of their code.
namespace kessai::audit::testing {

namespace payment_schema {
mysql::MigrationSet Migrations();
}
namespace payout_schema {
mysql::MigrationSet Migrations();
}
namespace reconciliation_schema {
mysql::MigrationSet Migrations();
}

}  // namespace kessai::audit::testing
