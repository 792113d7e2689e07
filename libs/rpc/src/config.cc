#include "kessai/rpc/config.h"

#include <memory>
#include <string>

namespace kessai::rpc {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

/// Two keys for the one address, so that a deployment can set the port alone.
void DescribeListening(config::Schema& schema, std::string& address) {
    struct Parts {
        std::string host = "127.0.0.1";
        std::uint16_t port = 0;
    };
    const auto parts = std::make_shared<Parts>();
    schema.Text("listen_host", &parts->host,
                {.description = "Address that the gRPC server listens on", .max_length = 255});
    schema.Int("listen_port", &parts->port,
               {.description = "Its port; 0 takes a free one", .required = true});
    // The rule keeps the parts as long as the schema does.
    schema.Check([parts, &address]() -> Status {
        const bool v6 = parts->host.find(':') != std::string::npos;
        address = (v6 ? "[" + parts->host + "]" : parts->host) + ":" + std::to_string(parts->port);
        return {};
    });
}

}  // namespace

void Describe(config::Schema& schema, ServerOptions& options) {
    DescribeListening(schema, options.listen_address);
    schema.TextList(
        "allowed_peers", &options.allowed_peers,
        {.description = "Names in client certificates that may connect; empty: all that "
                        "the authority signed"});
    schema.Time("deadline_default", &options.deadline_default,
                {.description = "For calls that name no deadline",
                 .min = milliseconds(10),
                 .max = minutes(5)});
    schema.Time("deadline_max", &options.deadline_max,
                {.description = "The longest deadline of any call",
                 .min = milliseconds(10),
                 .max = minutes(30)});
    schema.Size("receive_bytes_max", &options.receive_bytes_max,
                {.description = "Largest message received", .min = 1024, .max = 64 * 1024 * 1024});
    schema.Size("send_bytes_max", &options.send_bytes_max,
                {.description = "Largest message sent", .min = 1024, .max = 64 * 1024 * 1024});
    schema.Time("connection_age_max", &options.connection_age_max,
                {.description = "After this a connection is asked to end, so that clients resolve "
                                "again and find new replicas",
                 .min = seconds(1),
                 .max = minutes(24 * 60)});
    schema.Time("connection_age_grace", &options.connection_age_grace,
                {.description = "And so much later it is cut; above every deadline",
                 .min = seconds(1),
                 .max = minutes(10)});
}

void Describe(config::Schema& schema, TlsFiles& options) {
    schema.File(
        "ca_file", &options.ca_path,
        {.description = "Authority that signs the services' certificates", .required = true});
    schema.File("cert_file", &options.certificate_chain_path,
                {.description = "This process's certificate chain", .required = true});
    schema.File("key_file", &options.private_key_path,
                {.description = "Its private key", .required = true});
}

}  // namespace kessai::rpc
