#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kessai/result/result.h"
#include "kessai/rpc/tls.h"
#include "kessai/time/clock.h"

namespace kessai::auth {
class TokenVerifier;
}

namespace kessai::rpc {

class CallObserver;
class Service;

struct ServerOptions {
    /// "0.0.0.0:7443"; port 0 takes a free one.
    std::string listen_address = "127.0.0.1:0";
    /// None: plain text, for tests only. With it, clients must show a certificate of the CA.
    std::optional<TlsFiles> tls = {};
    /// Names (DNS or URI SAN) of client certificates that may connect; empty: all of the CA's. The
    /// TLS handshake of others fails.
    std::vector<std::string> allowed_peers = {};

    /// What a call without a deadline gets, and the longest any call gets.
    Duration deadline_default = std::chrono::seconds(5);
    Duration deadline_max = std::chrono::seconds(30);

    std::size_t receive_bytes_max = 4 * 1024 * 1024;
    std::size_t send_bytes_max = 4 * 1024 * 1024;
    /// Metadata of one call, in bytes.
    std::size_t metadata_bytes_max = 16 * 1024;
    /// Calls open at once on one connection.
    int concurrent_streams_max = 1'000;
    /// Memory that gRPC may use for buffers, in bytes, and threads it may start.
    std::size_t memory_bytes_max = 512 * 1024 * 1024;
    int threads_max = 64;

    /// After this (±10 %, gRPC's own) a connection is asked to end, so that clients resolve again
    /// and find new pods; `grace` later it is cut. Grace exceeds every deadline, and is below the
    /// pod's termination grace (deploy.md R5, R7).
    Duration connection_age_max = std::chrono::minutes(5);
    Duration connection_age_grace = std::chrono::seconds(40);
    Duration connection_idle_max = std::chrono::minutes(15);

    /// The server's own pings, which find dead clients.
    Duration keepalive_interval = std::chrono::seconds(30);
    Duration keepalive_timeout = std::chrono::seconds(10);
    /// Clients that ping more often than this are cut off.
    Duration client_ping_interval_min = std::chrono::seconds(5);
};

/// A gRPC server: listens, and answers the services added to it, and gRPC's health service
/// (grpc.health.v1, NOT_SERVING until SetServing). Thread safe after Start.
class Server {
 public:
    /// Everything handed in must outlive the server. `observer` may be null.
    Server(ServerOptions options, const Clock& clock, const auth::TokenVerifier& verifier,
           CallObserver* observer);
    /// Stops at once when Stop was not called.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Before Start. Stops the process when a method of the contract was not registered.
    void Add(Service service);

    /// Listens. UNAVAILABLE LISTEN_FAILED, or TLS_FILES_INVALID.
    Status Start();
    /// The port it listens on, after Start.
    int port() const;

    /// What the health service says.
    void SetServing(bool serving);

    /// Finishes what was accepted: health says NOT_SERVING, clients are told to go elsewhere
    /// (GOAWAY), new connections are refused, calls in progress and open commands of streams are
    /// answered. True when all was done within `bound`; what is left then is cancelled, and false
    /// is returned once the handlers have let go of it or, at the latest, two seconds later. Once.
    bool Stop(Duration bound);

 private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace kessai::rpc
