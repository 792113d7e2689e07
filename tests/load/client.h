#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/net/loop.h"
#include "kessai/net/task.h"
#include "kessai/net/tls.h"
#include "kessai/net/unique_function.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::load {

/// What became of a request.
struct Answer {
    enum class Fate : std::uint8_t {
        kAnswered,
        /// Not one byte of it left.
        kNotSent,
        /// Some or all of it left, and no whole answer came: whether it was done is not known.
        kUnknown,
    };
    Fate fate = Fate::kNotSent;
    int status = 0;
    /// Followed by kPaddingBytes readable bytes; valid during the call.
    std::string_view body;
    /// Unless answered: a name from a small set, such as CONNECT_FAILED. A literal.
    std::string_view reason;

    static constexpr std::size_t kPaddingBytes = 64;
};

/// Sends requests over a fixed number of HTTP/1.1 connections, TLS or not, that are kept open;
/// requests wait in one queue for whichever connection is free first. It is made to cost little: no
/// header is interpreted that does not matter, and requests come as ready-made bytes. Connects to
/// loopback addresses only. Nothing is sent twice. Loop's thread only.
class Client {
 public:
    struct Options {
        std::string host = "127.0.0.1";
        std::uint16_t port = 0;
        /// Null: plain HTTP.
        std::shared_ptr<net::TlsClientContext> tls;
        /// What the certificate must say.
        std::string server_name = "localhost";
        std::size_t connections = 16;
        /// Requests that may wait for a connection; more are answered kNotSent CLIENT_QUEUE_FULL.
        std::size_t queue_max = 100'000;
        Duration connect_timeout = std::chrono::seconds(5);
    };
    using OnAnswer = net::UniqueFunction<void(const Answer&)>;

    Client(net::Loop& loop, Options options, const Clock& clock = SystemClock());
    ~Client();  ///< Precondition: Close has ended, or nothing was ever sent.

    /// `request` is all its bytes. `on_answer` is called exactly once, on the loop, before the
    /// deadline or soon after, and may send again.
    void Send(std::string request, SteadyInstant deadline, OnAnswer on_answer);

    /// The same for coroutines; the answer's body is copied.
    struct Reply {
        Answer::Fate fate = Answer::Fate::kNotSent;
        int status = 0;
        std::string_view reason;
        std::string body;
        /// For messages: "503", or "CONNECT_FAILED".
        std::string Describe() const;
    };
    net::Task<Reply> Ask(std::string request, SteadyInstant deadline);

    /// Opens all connections, so that a measurement does not begin with handshakes. The first
    /// refusal, if one failed.
    net::Task<Status> Open();

    /// Ends all connections; what waits or is under way is answered kNotSent or kUnknown CLOSED.
    net::Task<void> Close();

    std::size_t queued() const { return queue_.size(); }
    std::size_t in_flight() const { return in_flight_; }
    std::uint64_t connects() const { return connects_; }

 private:
    struct Request {
        std::string bytes;
        SteadyInstant deadline;
        OnAnswer on_answer;
    };
    struct Connection;

    net::Task<void> Serve(Connection& connection);
    net::Task<Status> Connect(Connection& connection, SteadyInstant deadline);
    net::Task<void> Exchange(Connection& connection, Request& request);

    net::Loop& loop_;
    const Options options_;
    const Clock& clock_;
    std::deque<Request> queue_;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::deque<Connection*> idle_;
    std::size_t serving_ = 0;
    std::size_t in_flight_ = 0;
    std::uint64_t connects_ = 0;
    bool closing_ = false;
    std::unique_ptr<net::Arrival<bool>> closed_;
};

}  // namespace kessai::load
