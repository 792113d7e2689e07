#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "kessai/net/address.h"
#include "kessai/net/loop.h"
#include "kessai/net/task.h"
#include "kessai/net/tls.h"
#include "kessai/result/result.h"

namespace kessai::net {

/// A connected TCP socket, with TLS on it or not. Belongs to its loop and is used there only; one
/// read and one write may wait at a time. Refusals: UNAVAILABLE CONNECTION_LOST (reset, closed in
/// the middle of a record), DEADLINE_EXCEEDED STREAM_DEADLINE, CANCELLED STREAM_CLOSED (Close was
/// called), FAILED_PRECONDITION TLS_FAILED. After a refusal the stream can only be closed.
class Stream {
 public:
    /// Takes the descriptor over.
    Stream(Loop& loop, int descriptor);
    ~Stream();  ///< Precondition: nothing waits for it.
    Stream(Stream&& other) noexcept;
    Stream& operator=(Stream&& other) noexcept;

    /// The server's and the client's side of the TLS handshake; what follows is encrypted.
    /// `server_name` is sent (SNI) and verified.
    Task<Status> HandshakeAsServer(const TlsServerContext& context);
    Task<Status> HandshakeAsClient(const TlsClientContext& context, const std::string& server_name);

    /// At least one byte into `into`, or 0 when the peer has ended its side orderly.
    Task<Result<std::size_t>> Read(char* into, std::size_t size);
    /// All of it. `data` must stay until it is done.
    Task<Status> Write(std::string_view data);

    /// What waits, or will wait, past it is refused with DEADLINE_EXCEEDED. SteadyInstant::max()
    /// means none.
    void SetDeadline(SteadyInstant when);
    SteadyInstant deadline() const;

    /// Refuses what waits with CANCELLED. The close_notify of TLS is sent if that takes no waiting.
    void Close();
    /// Ends our side, and reads on (and drops it) until the peer has ended its own, or so long or
    /// so much: closing at once with unread input would reset the connection, and the peer might
    /// lose what was written last.
    Task<void> CloseGently(Duration patience, std::size_t discard_bytes_max);
    bool is_open() const;
    /// Whether the peer of an idle stream has closed it, or sent what nobody asked for.
    bool HasInput() const;

    bool is_tls() const;
    /// TLS only: whether an earlier session was resumed.
    bool session_resumed() const;

 private:
    friend Task<Result<Stream>> Connect(Loop& loop, std::string host, std::uint16_t port,
                                        SteadyInstant deadline,
                                        std::function<bool(const IpAddress&)> guard);
    Task<Status> WaitConnected();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Says whether an address may be connected to.
using AddressGuard = std::function<bool(const IpAddress&)>;

/// Resolves `host` (a name or a literal), and connects to the first of its addresses that `guard`
/// lets through and that answers: what was checked is what is connected to. Refusals:
/// UNAVAILABLE HOST_UNKNOWN, CONNECT_FAILED; PERMISSION_DENIED ADDRESS_REFUSED (the guard let none
/// through); DEADLINE_EXCEEDED STREAM_DEADLINE. The deadline stays set on the stream.
Task<Result<Stream>> Connect(Loop& loop, std::string host, std::uint16_t port,
                             SteadyInstant deadline, AddressGuard guard = {});

/// Accepts TCP connections on one loop. Refusals of Listen: UNAVAILABLE LISTEN_FAILED (and the
/// address).
class Listener {
 public:
    /// Called on the loop's thread for every connection; takes the descriptor over.
    using OnAccept = std::function<void(int descriptor, const IpAddress& peer)>;

    /// Port 0 takes a free one. `host` is a literal address.
    static Result<std::unique_ptr<Listener>> Listen(Loop& loop, const std::string& host,
                                                    std::uint16_t port, OnAccept on_accept);
    ~Listener();  ///< Precondition: Close was called, or the loop has stopped.

    std::uint16_t port() const;
    /// Starts to accept; any thread.
    void Start();
    /// Stops accepting and closes; loop's thread.
    void Close();

 private:
    Listener();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace kessai::net
