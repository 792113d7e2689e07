#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kessai/http/message.h"
#include "kessai/http/router.h"
#include "kessai/net/address.h"
#include "kessai/net/loop.h"
#include "kessai/net/tls.h"
#include "kessai/result/result.h"

namespace kessai::http {

struct ServerLimits {
    std::size_t header_bytes_max = 16 * 1024;
    std::size_t header_fields_max = 100;
    std::size_t connections_max = 20'000;
    std::size_t connections_per_address_max = 2'000;
    std::size_t handshakes_max = 256;  // at once, per loop
    std::uint64_t requests_per_connection_max = 100'000;
    /// Requests whose handlers run at once; more are answered 503.
    std::size_t requests_in_flight_max = 20'000;
    /// Bodies (beyond the first 4 KiB of each) that are being received at once, all together.
    std::size_t buffered_bytes_max = 256 * 1024 * 1024;
    Duration handshake_timeout = std::chrono::seconds(10);
    /// From a request's first byte to the end of its header.
    Duration header_timeout = std::chrono::seconds(10);
    /// A body, or reading an answer, may take this long plus the time its bytes need at the slowest
    /// rate that is allowed.
    Duration transfer_grace = std::chrono::seconds(5);
    std::size_t transfer_bytes_per_second_min = 1'024;
    /// Between requests.
    Duration idle_timeout = std::chrono::seconds(75);
    /// While draining, a connection that was in use lately gets so long to send one request more,
    /// whose answer tells it to close: a request that is on its way when its connection is closed
    /// is lost to its sender. Others end at once.
    Duration drain_idle{};
};

/// One request and its answer, for logs, metrics and traces. Views are valid during the call.
struct Exchange {
    const Request& request;
    const Response& response;
    Duration took{};
    std::size_t response_bytes = 0;
};

enum class Refused : std::uint8_t { kConnections, kAddress, kHandshakes, kDraining };

/// Told of what happens; called on the loops' threads, must not block or throw.
class ServerObserver {
 public:
    virtual ~ServerObserver() = default;
    virtual void OnExchange(const Exchange&) {}
    virtual void OnConnectionOpened() {}
    virtual void OnConnectionClosed() {}
    virtual void OnConnectionRefused(Refused) {}
    virtual void OnHandshake(bool /*succeeded*/, bool /*resumed*/) {}
};

/// HTTP/1.1 over TLS, or in plain for tests and behind a proxy. Connections are spread over the
/// loops and stay on theirs. A connection's requests are answered one after the other, in their
/// order (pipelined ones wait in its buffer).
class Server {
 public:
    struct Options {
        ServerLimits limits;
        /// Null: plain HTTP.
        std::shared_ptr<net::TlsServerContext> tls;
        /// Peers whose X-Forwarded-For says who the client is.
        std::vector<net::IpNetwork> trusted_proxies;
    };

    /// `router`, `loops` and `observer` outlive the server. The first loop accepts.
    Server(Options options, const Router& router, std::vector<net::Loop*> loops,
           ServerObserver& observer);
    ~Server();  ///< Precondition: Drain was called, or Listen never.

    /// Refuses with UNAVAILABLE LISTEN_FAILED. Port 0 takes a free one.
    Status Listen(const std::string& host, std::uint16_t port);
    std::uint16_t port() const;

    /// Accepts nothing more, ends connections that have been idle for limits.drain_idle, lets the
    /// others finish what they are at (their last answer says `Connection: close`), and ends the
    /// rest after `patience`. Blocks; not on a
    /// loop's thread. True when none had to be cut off.
    bool Drain(Duration patience);

    std::size_t connections() const;
    std::size_t requests_in_flight() const;
    /// What bodies of open requests hold of ServerLimits::buffered_bytes_max.
    std::size_t buffered_bytes() const;

    struct Core;  ///< Its own business.

 private:
    std::shared_ptr<Core> core_;
};

}  // namespace kessai::http
