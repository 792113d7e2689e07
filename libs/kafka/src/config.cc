#include "kessai/kafka/config.h"

namespace kessai::kafka {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

void Describe(config::Schema& schema, ConnectionOptions& options) {
    schema.Text(
        "brokers", &options.brokers,
        {.description = "Brokers to begin with, host:port joined by commas", .required = true});
    schema.Text("client_id", &options.client_id,
                {.description = "How the brokers' logs and quotas call this process"});
    schema.File("tls_ca_file", &options.tls_ca_file,
                {.description = "Authorities that sign the brokers' certificates; empty: no TLS"});
    schema.File("tls_certificate_file", &options.tls_certificate_file,
                {.description = "Our certificate, where the brokers want one"});
    schema.File("tls_key_file", &options.tls_key_file, {.description = "Its private key"});
    schema.Text("sasl_mechanism", &options.sasl_mechanism,
                {.description = "SCRAM-SHA-512 and so on; empty: none"});
    schema.Text("sasl_user", &options.sasl_user, {.description = "SASL user"});
    schema.Secret("sasl_password", &options.sasl_password, {.description = "SASL password"});
    schema.Time("request_timeout", &options.request_timeout,
                {.description = "For a broker's answer", .min = seconds(1), .max = minutes(5)});
    schema.Time("statistics_every", &options.statistics_every,
                {.description = "How often lag and queue metrics are read",
                 .min = milliseconds(500),
                 .max = minutes(1)});
}

}  // namespace kessai::kafka
