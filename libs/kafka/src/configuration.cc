#include "configuration.h"

#include <algorithm>

#include "kessai/log/log.h"

namespace kessai::kafka {
namespace {

// librdkafka's levels are those of syslog.
constexpr int kSyslogError = 3;
constexpr int kSyslogNotice = 5;

void Log(const rd_kafka_t* client, int level, const char* facility, const char* text) {
    const log::Field name("client", rd_kafka_name(client));
    const log::Field what("facility", facility);
    const log::Field message("message", text);
    // A broker that cannot be reached is an error to librdkafka and everyday life to us: what
    // matters shows in deliveries, lag and the health of relays and consumers.
    if (level <= kSyslogError) {
        log::Warn("kafka.client", {name, what, message});
    } else if (level <= kSyslogNotice) {
        log::Info("kafka.client", {name, what, message});
    } else {
        log::Debug("kafka.client", {name, what, message});
    }
}

Properties ConnectionProperties(const ConnectionOptions& connection) {
    Properties properties{
        {"bootstrap.servers", connection.brokers},
        {"client.id", connection.client_id},
        {"socket.timeout.ms", Millis(connection.request_timeout)},
        {"socket.nagle.disable", "true"},
        {"socket.keepalive.enable", "true"},
        {"reconnect.backoff.ms", Millis(connection.reconnect_backoff_first)},
        {"reconnect.backoff.max.ms", Millis(connection.reconnect_backoff_max)},
        {"statistics.interval.ms",
         connection.statistics_every.count() == 0 ? "0" : Millis(connection.statistics_every)},
    };
    const bool tls = !connection.tls_ca_file.empty();
    const bool sasl = !connection.sasl_mechanism.empty();
    properties.emplace_back("security.protocol",
                            std::string(sasl ? "sasl_" : "") + (tls ? "ssl" : "plaintext"));
    if (tls) {
        properties.emplace_back("ssl.ca.location", connection.tls_ca_file);
        properties.emplace_back("ssl.endpoint.identification.algorithm", "https");
        if (!connection.tls_certificate_file.empty() || !connection.tls_key_file.empty()) {
            properties.emplace_back("ssl.certificate.location", connection.tls_certificate_file);
            properties.emplace_back("ssl.key.location", connection.tls_key_file);
        }
    }
    if (sasl) {
        properties.emplace_back("sasl.mechanism", connection.sasl_mechanism);
        properties.emplace_back("sasl.username", connection.sasl_user);
        properties.emplace_back("sasl.password", connection.sasl_password);
    }
    return properties;
}

Status Set(rd_kafka_conf_t* configuration, const Properties& properties) {
    char why[256];
    for (const auto& [name, value] : properties) {
        if (rd_kafka_conf_set(configuration, name.c_str(), value.c_str(), why, sizeof why) !=
            RD_KAFKA_CONF_OK) {
            // `why` of librdkafka repeats the value.
            const bool secret = name == "sasl.password";
            return Status(Code::kInvalidArgument, reason::kOptionInvalid,
                          name + (secret ? " is refused" : std::string(": ") + why));
        }
    }
    return OkStatus();
}

}  // namespace

Result<Owned<rd_kafka_conf_t>> Configure(const ConnectionOptions& connection,
                                         const Properties& properties) {
    if (connection.brokers.empty()) {
        return Status(Code::kInvalidArgument, reason::kOptionInvalid, "no brokers are given");
    }
    Owned<rd_kafka_conf_t> configuration(rd_kafka_conf_new());
    KESSAI_RETURN_IF_ERROR(Set(configuration.get(), ConnectionProperties(connection)));
    KESSAI_RETURN_IF_ERROR(Set(configuration.get(), properties));
    rd_kafka_conf_set_log_cb(configuration.get(), Log);
    return configuration;
}

std::string Millis(Duration duration) {
    const auto millis = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
    return std::to_string(std::max<std::int64_t>(1, millis));
}

}  // namespace kessai::kafka
