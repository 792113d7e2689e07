#include "kessai/mysql/config.h"

namespace kessai::mysql {

using std::chrono::minutes;
using std::chrono::seconds;

void Describe(config::Schema& schema, PoolOptions& options) {
    ConnectOptions& connect = options.connect;
    schema.Text("host", &connect.host,
                {.description = "Server name, resolved again for every connection"});
    schema.Int("port", &connect.port, {.description = "Server port", .min = 1, .max = 65535});
    schema.Text("user", &connect.user, {.description = "Database user", .required = true});
    schema.Secret("password", &connect.password, {.description = "The user's password"},
                  &options.password_file);
    schema.Text("schema", &connect.schema,
                {.description = "The service's own schema", .required = true});
    schema.File("tls_ca_file", &connect.tls_ca_file,
                {.description = "Authorities that sign the server's certificate; empty: no TLS"});
    schema.Time("connect_timeout", &connect.connect_timeout,
                {.description = "For making a connection", .min = seconds(1), .max = seconds(60)});
    schema.Time(
        "read_timeout", &connect.read_timeout,
        {.description = "For the server's answer to any statement; above lock_wait_timeout_s",
         .min = seconds(2),
         .max = minutes(60)});
    schema.Time("write_timeout", &connect.write_timeout,
                {.description = "For sending a statement", .min = seconds(1), .max = minutes(10)});
    schema.Int("lock_wait_timeout_s", &connect.lock_wait_timeout_s,
               {.description = "How long a statement waits for a row lock",
                .unit = "s",
                .min = 1,
                .max = 60});
    schema.Int("wait_timeout_s", &connect.wait_timeout_s,
               {.description = "The server ends a session that is silent for so long, which frees "
                               "the rows of a lost replica",
                .unit = "s",
                .min = 5,
                .max = 3600});
    schema.Int(
        "sessions_max", &options.sessions_max,
        {.description = "Connections open at most", .unit = "connections", .min = 1, .max = 512});
    schema.Int("waiters_max", &options.waiters_max,
               {.description = "Callers that may wait for a connection", .min = 1, .max = 10'000});
    schema.Time("lifetime_max", &options.lifetime_max,
                {.description = "Older connections are replaced, so that new addresses are found",
                 .min = seconds(10),
                 .max = minutes(24 * 60)});
}

}  // namespace kessai::mysql
