#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::config {
class Schema;
}

namespace kessai::redis {

struct Options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 6379;
    /// Empty: none (or the default user, when only a password is given).
    std::string user;
    std::string password;
    int database = 0;
    /// PEM file of the authorities that sign the server's certificate. Empty: no TLS.
    std::string tls_ca_file;

    Duration connect_timeout = std::chrono::milliseconds(500);
    /// A command without an answer for so long breaks its connection: later answers could not be
    /// told apart from missing ones.
    Duration command_timeout = std::chrono::milliseconds(250);
    /// Commands that wait for their answer, for each connection; more are refused at once.
    std::size_t pipeline_max = 8'192;
    /// Between attempts to connect: doubled up to the larger one, with jitter.
    Duration backoff_first = std::chrono::milliseconds(50);
    Duration backoff_max = std::chrono::seconds(2);
};

/// Declares the options' keys, to be put under a section such as "redis".
void Describe(config::Schema& schema, Options& options);

/// Refusals of this library.
namespace reason {
/// UNAVAILABLE: there is no connection now. Costs no time, and nothing was sent.
inline constexpr std::string_view kRedisDown = "REDIS_DOWN";
/// UNKNOWN: the connection broke, or the answer took too long; the command may have been done.
inline constexpr std::string_view kReplyLost = "REDIS_REPLY_LOST";
/// RESOURCE_EXHAUSTED: `pipeline_max` commands wait already. Nothing was sent.
inline constexpr std::string_view kPipelineFull = "REDIS_PIPELINE_FULL";
/// INTERNAL: Redis answered with an error; it is in the message.
inline constexpr std::string_view kRedisError = "REDIS_ERROR";
}  // namespace reason

/// Told of what happens to a connection; on its loop's thread.
class Observer {
 public:
    virtual ~Observer() = default;
    virtual void OnUp() {}
    /// A connection that was up is lost.
    virtual void OnDown(const Status& /*why*/) {}
    virtual void OnConnectFailed(const Status& /*why*/) {}
};

}  // namespace kessai::redis
