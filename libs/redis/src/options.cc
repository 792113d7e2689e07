#include "kessai/redis/options.h"

#include "kessai/config/schema.h"

namespace kessai::redis {

using namespace std::chrono_literals;

void Describe(config::Schema& schema, Options& options) {
    schema.Text("host", &options.host, {.description = "Name or address of the Redis server"});
    schema.Int("port", &options.port, {.description = "Its port", .min = 1, .max = 65'535});
    schema.Text("user", &options.user,
                {.description = "User to sign in as; empty: the default one"});
    schema.Secret("password", &options.password,
                  {.description = "Its password; empty: no sign-in"});
    schema.Int("database", &options.database,
               {.description = "Number of the database; 0 with a cluster", .min = 0, .max = 1'000});
    schema.File("tls_ca_file", &options.tls_ca_file,
                {.description = "PEM file of the authorities that sign the server's certificate; "
                                "empty: no TLS"});
    schema.Time("connect_timeout", &options.connect_timeout,
                {.description = "To connect and sign in", .min = 10ms, .max = 30s});
    schema.Time("command_timeout", &options.command_timeout,
                {.description = "For an answer; then the connection counts as lost",
                 .min = 5ms,
                 .max = 30s});
    schema.Int("pipeline_max", &options.pipeline_max,
               {.description = "Commands that may wait for their answer on a connection",
                .unit = "commands",
                .min = 1,
                .max = 1'000'000});
    schema.Time("backoff_first", &options.backoff_first,
                {.description = "Before the second attempt to connect", .min = 1ms, .max = 60s});
    schema.Time(
        "backoff_max", &options.backoff_max,
        {.description = "Longest wait between attempts to connect", .min = 1ms, .max = 60s});
}

}  // namespace kessai::redis
