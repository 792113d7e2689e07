#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kessai/result/result.h"
#include "kessai/rpc/tls.h"
#include "kessai/time/clock.h"

namespace grpc {
class Channel;
}

namespace kessai::rpc {

class CallObserver;

struct ChannelOptions {
    /// "dns:///payment.kessai.svc.cluster.local.:7443": a headless service's name (its trailing dot
    /// saves the search list) and the pods' port. Calls go round-robin over all its addresses.
    std::string target = {};
    /// None: plain text, for tests only.
    std::optional<TlsFiles> tls = {};
    /// The name the server's certificate must have, where it isn't the target's host.
    std::string server_name = {};

    /// Full methods ("/kessai.payment.v1.PaymentService/GetCode"), or all of a service
    /// ("/kessai.payment.v1.PaymentService/"), that may be sent again on UNAVAILABLE: questions,
    /// and commands that are idempotent under their own key. Others are sent once.
    std::vector<std::string> retried_methods = {};
    /// Tries in all, and the back-off between them (gRPC adds jitter).
    int tries_max = 3;
    Duration backoff_initial = std::chrono::milliseconds(50);
    Duration backoff_max = std::chrono::seconds(1);
    /// The budget: a retry takes one token of `retry_tokens`, a success gives `retry_token_ratio`
    /// back; below half of them nothing is retried.
    int retry_tokens = 100;
    double retry_token_ratio = 0.1;

    Duration connect_timeout = std::chrono::seconds(5);
    Duration reconnect_backoff_initial = std::chrono::milliseconds(100);
    Duration reconnect_backoff_max = std::chrono::seconds(5);
    Duration keepalive_interval = std::chrono::seconds(20);
    Duration keepalive_timeout = std::chrono::seconds(10);
    std::size_t receive_bytes_max = 4 * 1024 * 1024;
};

/// A way to one service: connections, load balancing, keep-alive, retries. Connects when first used
/// or told to. Copies share it. Thread safe.
class Channel {
 public:
    /// Refuses with TLS_FILES_INVALID. `observer` may be null; it must outlive the channel's calls.
    static Result<Channel> Create(ChannelOptions options, const Clock& clock,
                                  CallObserver* observer = nullptr);

    /// Begins to connect, if need be; true once there is a connection.
    bool Ready() const;
    /// Waits until there is one. UNAVAILABLE NOT_SENT after `timeout`.
    Status WaitReady(Duration timeout) const;

    struct State;
    const State& state() const { return *state_; }
    const std::shared_ptr<grpc::Channel>& grpc_channel() const;

 private:
    explicit Channel(std::shared_ptr<const State> state) : state_(std::move(state)) {}
    std::shared_ptr<const State> state_;
};

}  // namespace kessai::rpc
