#pragma once

#include "kessai/mysql/migration.h"

namespace kessai::mysql::embedded {

/// What kessai_migrations made of tests/embed.
MigrationSet Migrations();

}  // namespace kessai::mysql::embedded
