#pragma once

#include <string>
#include <string_view>

#include "kessai/time/clock.h"

namespace kessai::kafka {

/// How to reach the brokers, for producers and consumers.
struct ConnectionOptions {
    /// "host:port,host:port": where to ask for the cluster first.
    std::string brokers;
    /// In the brokers' logs and quotas.
    std::string client_id = "kessai";

    /// A PEM file of the authorities that sign the brokers' certificates. Empty: no TLS. With it a
    /// broker is refused unless its certificate is signed by one of them and names its host.
    std::string tls_ca_file;
    /// Our own certificate and key (PEM), where the brokers ask for one. Both or neither.
    std::string tls_certificate_file;
    std::string tls_key_file;

    /// "PLAIN", "SCRAM-SHA-256" or "SCRAM-SHA-512"; empty: no SASL.
    std::string sasl_mechanism;
    std::string sasl_user;
    std::string sasl_password;

    /// A request that is not answered is sent again, on a new connection.
    Duration request_timeout = std::chrono::seconds(10);
    /// Waits between attempts to connect double from the first to the last.
    Duration reconnect_backoff_first = std::chrono::milliseconds(50);
    Duration reconnect_backoff_max = std::chrono::seconds(2);
    /// Between reports to the statistics' listener. Zero: none.
    Duration statistics_every = std::chrono::seconds(5);
};

/// The named reasons of this library's refusals, with the code each comes with.
namespace reason {
/// INVALID_ARGUMENT: the client library refuses an option (which, in the message).
inline constexpr std::string_view kOptionInvalid = "KAFKA_OPTION_INVALID";
/// RESOURCE_EXHAUSTED: the producer's queue is full; wait for deliveries.
inline constexpr std::string_view kQueueFull = "KAFKA_QUEUE_FULL";
/// INVALID_ARGUMENT: larger than the producer or the broker takes.
inline constexpr std::string_view kMessageTooLarge = "KAFKA_MESSAGE_TOO_LARGE";
/// ABORTED: the message was purged, or the producer ended; whether the broker has it is unknown.
inline constexpr std::string_view kPurged = "KAFKA_PURGED";
/// FAILED_PRECONDITION: the producer had an error after which order or uniqueness is not certain,
/// and takes nothing any more.
inline constexpr std::string_view kFatal = "KAFKA_FATAL";
/// NOT_FOUND: the cluster has no such topic or partition.
inline constexpr std::string_view kTopicUnknown = "KAFKA_TOPIC_UNKNOWN";
/// OUT_OF_RANGE: the broker does not have the offset any more, or not yet.
inline constexpr std::string_view kOffsetOutOfRange = "KAFKA_OFFSET_OUT_OF_RANGE";
/// PERMISSION_DENIED: authentication or authorization failed.
inline constexpr std::string_view kNotAuthorized = "KAFKA_NOT_AUTHORIZED";
/// UNAVAILABLE: brokers cannot be reached, have no leader, or are too slow.
inline constexpr std::string_view kUnavailable = "KAFKA_UNAVAILABLE";
/// FAILED_PRECONDITION: the partition is not assigned to this consumer (any more).
inline constexpr std::string_view kNotAssigned = "KAFKA_NOT_ASSIGNED";
/// INTERNAL: anything else.
inline constexpr std::string_view kError = "KAFKA_ERROR";
}  // namespace reason

}  // namespace kessai::kafka
