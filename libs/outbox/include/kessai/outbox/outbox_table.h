#pragma once

#include <cstdint>

#include "kessai/mysql/migration.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai::mysql {
class Session;
}  // namespace kessai::mysql

namespace kessai::outbox {

/// Table outbox. The relay also needs the table of lease::Migrations().
mysql::MigrationSet Migrations();

/// How many rows of this business date or an earlier one wait to be published. 0, read after no
/// transaction can write such a row any more: Kafka has every event up to that date.
Result<std::int64_t> CountRowsUpTo(mysql::Session& session, BusinessDate business_date);

/// Whether rows of one batch still wait.
Result<bool> HasRow(mysql::Session& session, std::int64_t row_id);

/// How long the oldest row has waited by the database's clock; zero when there is none.
Result<Duration> OldestAge(mysql::Session& session);

}  // namespace kessai::outbox
