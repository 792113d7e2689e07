#pragma once

#include <cppconn/driver.h>

#include <string>

#include "kessai/mysql/session.h"

namespace kessai::mysql {

/// Making it initializes the client library, which is not thread safe: once, here, whoever connects
/// first.
sql::Driver& ConnectorDriver();

/// What every connection is set to, besides the isolation level.
inline constexpr const char* kIsolationStatement =
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
std::string SettingsStatement(const ConnectOptions& options);

/// The client library counts in whole seconds, from one on.
int WholeSeconds(Duration duration);
Duration ReadTimeout(const ConnectOptions& options);

}  // namespace kessai::mysql
