#include "kessai/net/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <vector>

namespace kessai::net {

namespace {

using boost::asio::posix::stream_descriptor;
using Wait = stream_descriptor::wait_type;

Status Lost(const std::string& what) {
    return {Code::kUnavailable, "CONNECTION_LOST", what};
}

std::string ErrnoText(int number) {
    char text[128];
    return strerror_r(number, text, sizeof(text));
}

std::string TlsErrorText() {
    char text[256] = "no detail";
    if (const auto error = ERR_get_error(); error != 0)
        ERR_error_string_n(error, text, sizeof(text));
    ERR_clear_error();
    return text;
}

// OpenSSL's bytes go to the socket itself: no buffer in between, and no SIGPIPE.
int BioRead(BIO* bio, char* into, std::size_t size, std::size_t* count) {
    const int fd = static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
    BIO_clear_retry_flags(bio);
    const ssize_t got = ::recv(fd, into, size, 0);
    if (got > 0) {
        *count = static_cast<std::size_t>(got);
        return 1;
    }
    *count = 0;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        BIO_set_retry_read(bio);
    } else if (got == 0) {
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    }
    return 0;
}

int BioWrite(BIO* bio, const char* data, std::size_t size, std::size_t* count) {
    const int fd = static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
    BIO_clear_retry_flags(bio);
    const ssize_t sent = ::send(fd, data, size, MSG_NOSIGNAL);
    if (sent > 0) {
        *count = static_cast<std::size_t>(sent);
        return 1;
    }
    *count = 0;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        BIO_set_retry_write(bio);
    }
    return 0;
}

long BioControl(BIO* bio, int command, long, void*) {
    switch (command) {
        case BIO_CTRL_FLUSH:
        case BIO_CTRL_DUP:
            return 1;
        case BIO_CTRL_EOF:
            return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
        default:
            return 0;
    }
}

const BIO_METHOD* SocketBio() {
    static BIO_METHOD* const method = [] {
        BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "kessai");
        BIO_meth_set_read_ex(made, BioRead);
        BIO_meth_set_write_ex(made, BioWrite);
        BIO_meth_set_ctrl(made, BioControl);
        return made;
    }();
    return method;
}

}  // namespace

struct Stream::Impl {
    Impl(Loop& on, int descriptor)
        : loop(on), socket(on.context(), descriptor), timer(on, [this] {
              expired = true;
              Cancel();
          }) {}
    ~Impl() {
        if (ssl != nullptr) SSL_free(ssl);
    }

    Loop& loop;
    stream_descriptor socket;
    Timer timer;
    SteadyInstant deadline = SteadyInstant::max();
    SSL* ssl = nullptr;
    bool expired = false;
    bool closed = false;
    bool broken = false;

    int fd() { return socket.native_handle(); }

    void Cancel() {
        boost::system::error_code ignored;
        socket.cancel(ignored);
    }

    Status Refusal() const {
        if (closed) return {Code::kCancelled, "STREAM_CLOSED", "the stream was closed"};
        if (expired) return {Code::kDeadlineExceeded, "STREAM_DEADLINE", "the peer took too long"};
        return OkStatus();
    }

    /// Waits until the socket can be read or written; level triggered.
    auto Until(Wait what) {
        struct Awaiter {
            Impl& stream;
            Wait what;
            bool failed = false;
            bool await_ready() const { return stream.closed || stream.expired; }
            void await_suspend(std::coroutine_handle<> self) {
                stream.socket.async_wait(what,
                                         [this, self](const boost::system::error_code& error) {
                                             failed = static_cast<bool>(error);
                                             self.resume();
                                         });
            }
            Status await_resume() const {
                Status refusal = stream.Refusal();
                if (refusal.ok() && failed) return Lost("waiting for the socket failed");
                return refusal;
            }
        };
        return Awaiter{*this, what};
    }

    void AttachTls(SSL_CTX* context) {
        ssl = SSL_new(context);
        BIO* bio = BIO_new(SocketBio());
        BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd())));
        BIO_set_init(bio, 1);
        SSL_set_bio(ssl, bio, bio);
    }

    Status TlsFailure(int outcome, const char* during) {
        const int error = SSL_get_error(ssl, outcome);
        broken = true;
        if (error == SSL_ERROR_SYSCALL ||
            ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
            ERR_clear_error();
            return Lost(std::string("closed or reset during ") + during);
        }
        return {Code::kFailedPrecondition, "TLS_FAILED", during + (": " + TlsErrorText())};
    }

    Task<Status> Handshake() {
        while (true) {
            ERR_clear_error();
            const int outcome = SSL_do_handshake(ssl);
            if (outcome == 1) co_return OkStatus();
            const int error = SSL_get_error(ssl, outcome);
            Status waited;
            if (error == SSL_ERROR_WANT_READ) {
                waited = co_await Until(stream_descriptor::wait_read);
            } else if (error == SSL_ERROR_WANT_WRITE) {
                waited = co_await Until(stream_descriptor::wait_write);
            } else {
                if (error == SSL_ERROR_SSL) {
                    const long verified = SSL_get_verify_result(ssl);
                    if (verified != X509_V_OK) {
                        broken = true;
                        ERR_clear_error();
                        co_return Status(
                            Code::kFailedPrecondition, "TLS_FAILED",
                            std::string("certificate: ") + X509_verify_cert_error_string(verified));
                    }
                }
                co_return TlsFailure(outcome, "the TLS handshake");
            }
            if (!waited.ok()) {
                broken = true;
                co_return waited;
            }
        }
    }
};

Stream::Stream(Loop& loop, int descriptor) {
    int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    impl_ = std::make_unique<Impl>(loop, descriptor);
    boost::system::error_code ignored;
    impl_->socket.native_non_blocking(true, ignored);
}
Stream::~Stream() {
    if (impl_) Close();
}
Stream::Stream(Stream&& other) noexcept = default;
Stream& Stream::operator=(Stream&& other) noexcept = default;

Task<Status> Stream::HandshakeAsServer(const TlsServerContext& context) {
    SSL_CTX* settings = context.Acquire();
    impl_->AttachTls(settings);
    SSL_CTX_free(settings);  // the SSL holds one of its own
    SSL_set_accept_state(impl_->ssl);
    co_return co_await impl_->Handshake();
}

Task<Status> Stream::HandshakeAsClient(const TlsClientContext& context,
                                       const std::string& server_name) {
    impl_->AttachTls(context.context());
    SSL_set_connect_state(impl_->ssl);
    auto literal = IpAddress::Parse(server_name);
    if (literal.ok()) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(impl_->ssl), server_name.c_str());
    } else {
        SSL_set_tlsext_host_name(impl_->ssl, server_name.c_str());
        SSL_set_hostflags(impl_->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        if (SSL_set1_host(impl_->ssl, server_name.c_str()) != 1) {
            co_return Status(Code::kFailedPrecondition, "TLS_FAILED", "the name can't be verified");
        }
    }
    co_return co_await impl_->Handshake();
}

Task<Result<std::size_t>> Stream::Read(char* into, std::size_t size) {
    Impl& stream = *impl_;
    // Usually nothing is there yet: wait first, unless TLS holds bytes that it has read already.
    bool wait_first = stream.ssl == nullptr || SSL_has_pending(stream.ssl) == 0;
    Wait what = stream_descriptor::wait_read;
    while (true) {
        if (wait_first) {
            Status waited = co_await stream.Until(what);
            if (!waited.ok()) co_return waited;
        } else if (Status refusal = stream.Refusal(); !refusal.ok()) {
            co_return refusal;
        }
        wait_first = true;
        if (stream.ssl == nullptr) {
            const ssize_t got = ::recv(stream.fd(), into, size, 0);
            if (got >= 0) co_return static_cast<std::size_t>(got);
            if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) continue;
            stream.broken = true;
            co_return Lost(ErrnoText(errno));
        }
        std::size_t got = 0;
        ERR_clear_error();
        const int outcome = SSL_read_ex(stream.ssl, into, size, &got);
        if (outcome == 1) co_return got;
        switch (SSL_get_error(stream.ssl, outcome)) {
            case SSL_ERROR_WANT_READ:
                what = stream_descriptor::wait_read;
                break;
            case SSL_ERROR_WANT_WRITE:
                what = stream_descriptor::wait_write;
                break;
            case SSL_ERROR_ZERO_RETURN:
                co_return std::size_t{0};
            default: {
                Status failure = stream.TlsFailure(outcome, "reading");
                co_return failure;
            }
        }
    }
}

Task<Status> Stream::Write(std::string_view data) {
    Impl& stream = *impl_;
    if (stream.broken) co_return Lost("an earlier write was cut short");
    while (!data.empty()) {
        if (Status refusal = stream.Refusal(); !refusal.ok()) co_return refusal;
        Wait what = stream_descriptor::wait_write;
        if (stream.ssl == nullptr) {
            const ssize_t sent = ::send(stream.fd(), data.data(), data.size(), MSG_NOSIGNAL);
            if (sent >= 0) {
                data.remove_prefix(static_cast<std::size_t>(sent));
                continue;
            }
            if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
                stream.broken = true;
                co_return Lost(ErrnoText(errno));
            }
        } else {
            std::size_t sent = 0;
            ERR_clear_error();
            const int outcome = SSL_write_ex(stream.ssl, data.data(), data.size(), &sent);
            if (outcome == 1) {
                data.remove_prefix(sent);
                continue;
            }
            switch (SSL_get_error(stream.ssl, outcome)) {
                case SSL_ERROR_WANT_READ:
                    what = stream_descriptor::wait_read;
                    break;
                case SSL_ERROR_WANT_WRITE:
                    break;
                default: {
                    Status failure = stream.TlsFailure(outcome, "writing");
                    co_return failure;
                }
            }
        }
        Status waited = co_await stream.Until(what);
        if (!waited.ok()) {
            stream.broken = true;
            co_return waited;
        }
    }
    co_return OkStatus();
}

void Stream::SetDeadline(SteadyInstant when) {
    impl_->expired = false;
    impl_->deadline = when;
    impl_->timer.ExpiresAt(when);
}
SteadyInstant Stream::deadline() const {
    return impl_->deadline;
}

void Stream::Close() {
    if (impl_->closed) return;
    impl_->closed = true;
    impl_->timer.Cancel();
    if (impl_->ssl != nullptr && !impl_->broken && !impl_->expired &&
        SSL_is_init_finished(impl_->ssl) == 1) {
        ERR_clear_error();
        SSL_shutdown(impl_->ssl);
        ERR_clear_error();
    }
    boost::system::error_code ignored;
    impl_->socket.close(ignored);
}

Task<void> Stream::CloseGently(Duration patience, std::size_t discard_bytes_max) {
    Impl& stream = *impl_;
    if (stream.closed) co_return;
    if (stream.ssl != nullptr && !stream.broken && SSL_is_init_finished(stream.ssl) == 1) {
        ERR_clear_error();
        SSL_shutdown(stream.ssl);
        ERR_clear_error();
    }
    stream.broken = true;
    ::shutdown(stream.fd(), SHUT_WR);
    SetDeadline(SystemClock().SteadyNow() + patience);
    char discarded[4096];
    while (true) {
        Status waited = co_await stream.Until(stream_descriptor::wait_read);
        if (!waited.ok()) break;
        const ssize_t got = ::recv(stream.fd(), discarded, sizeof(discarded), 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (got <= 0 || static_cast<std::size_t>(got) >= discard_bytes_max) break;
        discard_bytes_max -= static_cast<std::size_t>(got);
    }
    Close();
}

bool Stream::is_open() const {
    return impl_ != nullptr && !impl_->closed;
}

bool Stream::HasInput() const {
    if (impl_->ssl != nullptr && SSL_has_pending(impl_->ssl) != 0) return true;
    char byte;
    const ssize_t got = ::recv(impl_->fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

bool Stream::is_tls() const {
    return impl_->ssl != nullptr;
}
bool Stream::session_resumed() const {
    return impl_->ssl != nullptr && SSL_session_reused(impl_->ssl) == 1;
}

namespace {

struct Endpoint {
    sockaddr_storage address{};
    socklen_t size = 0;
};

/// Waits for the resolver, which runs on a thread of Asio's own, or for the deadline.
class Lookup {
 public:
    Lookup(Loop& loop, std::string host, std::string port)
        : resolver_(loop.context()),
          host_(std::move(host)),
          port_(std::move(port)),
          timer_(loop, [this] { resolver_.cancel(); }) {}

    auto Until(SteadyInstant deadline) {
        struct Awaiter {
            Lookup& lookup;
            SteadyInstant deadline;
            bool await_ready() const { return false; }
            void await_suspend(std::coroutine_handle<> self) {
                lookup.timer_.ExpiresAt(deadline);
                lookup.resolver_.async_resolve(
                    lookup.host_, lookup.port_, boost::asio::ip::resolver_base::numeric_service,
                    [this, self](const boost::system::error_code& error,
                                 boost::asio::ip::tcp::resolver::results_type found) {
                        lookup.timer_.Cancel();
                        lookup.error_ = error;
                        for (const auto& entry : found) {
                            Endpoint endpoint;
                            endpoint.size = static_cast<socklen_t>(entry.endpoint().size());
                            std::memcpy(&endpoint.address, entry.endpoint().data(), endpoint.size);
                            lookup.found_.push_back(endpoint);
                        }
                        self.resume();
                    });
            }
            void await_resume() const {}
        };
        return Awaiter{*this, deadline};
    }

    const boost::system::error_code& error() const { return error_; }
    const std::vector<Endpoint>& found() const { return found_; }

 private:
    boost::asio::ip::tcp::resolver resolver_;
    std::string host_;
    std::string port_;
    Timer timer_;
    boost::system::error_code error_;
    std::vector<Endpoint> found_;
};

}  // namespace

Task<Result<Stream>> Connect(Loop& loop, std::string host, std::uint16_t port,
                             SteadyInstant deadline, AddressGuard guard) {
    constexpr std::size_t kAddressesMax = 8;
    Lookup lookup(loop, host, std::to_string(port));
    co_await lookup.Until(deadline);
    if (lookup.error()) {
        if (SystemClock().SteadyNow() >= deadline) {
            co_return Status(Code::kDeadlineExceeded, "STREAM_DEADLINE",
                             "resolving " + host + " took too long");
        }
        co_return Status(Code::kUnavailable, "HOST_UNKNOWN",
                         host + ": " + lookup.error().message());
    }
    Status last(Code::kUnavailable, "HOST_UNKNOWN", host + " has no address");
    std::size_t tried = 0;
    for (const auto& endpoint : lookup.found()) {
        const auto& address = reinterpret_cast<const sockaddr&>(endpoint.address);
        const IpAddress ip = IpAddress::FromSockaddr(address);
        if (guard && !guard(ip)) {
            if (tried == 0) {
                last = Status(Code::kPermissionDenied, "ADDRESS_REFUSED",
                              host + " is at " + ip.ToString() + ", which is not allowed");
            }
            continue;
        }
        if (++tried > kAddressesMax) break;
        const int fd = ::socket(address.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0) {
            last = Status(Code::kUnavailable, "CONNECT_FAILED", ErrnoText(errno));
            continue;
        }
        Stream stream(loop, fd);
        stream.SetDeadline(deadline);
        int error = 0;
        if (::connect(fd, &address, endpoint.size) != 0) error = errno;
        if (error == EINPROGRESS) {
            Status waited = co_await stream.WaitConnected();
            if (waited.ok()) co_return std::move(stream);
            last = waited;
            if (waited.code() == Code::kDeadlineExceeded) co_return last;
            continue;
        }
        if (error == 0) co_return std::move(stream);
        last =
            Status(Code::kUnavailable, "CONNECT_FAILED", ip.ToString() + ": " + ErrnoText(error));
    }
    co_return last;
}

Task<Status> Stream::WaitConnected() {
    Status waited = co_await impl_->Until(stream_descriptor::wait_write);
    if (!waited.ok()) co_return waited;
    int error = 0;
    socklen_t size = sizeof(error);
    ::getsockopt(impl_->fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) co_return Status(Code::kUnavailable, "CONNECT_FAILED", ErrnoText(error));
    co_return OkStatus();
}

struct Listener::Impl {
    Impl(Loop& on, int descriptor, OnAccept callback)
        : loop(on),
          socket(on.context(), descriptor),
          on_accept(std::move(callback)),
          retry(on, [this] { Wait(); }) {}

    Loop& loop;
    stream_descriptor socket;
    OnAccept on_accept;
    std::uint16_t port = 0;
    bool closed = false;
    Timer retry;

    void Wait() {
        if (closed) return;
        socket.async_wait(stream_descriptor::wait_read,
                          [this](const boost::system::error_code& error) {
                              if (error || closed) return;
                              Accept();
                          });
    }

    void Accept() {
        // Bounded, so that a flood of connections leaves the loop time for the others.
        for (int count = 0; count < 64 && !closed; ++count) {
            sockaddr_storage peer{};
            socklen_t size = sizeof(peer);
            const int fd = ::accept4(socket.native_handle(), reinterpret_cast<sockaddr*>(&peer),
                                     &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd >= 0) {
                on_accept(fd, IpAddress::FromSockaddr(reinterpret_cast<sockaddr&>(peer)));
                continue;
            }
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                // Out of descriptors: accepting again at once would only spin.
                retry.ExpiresAfter(std::chrono::milliseconds(100));
                return;
            }
            if (errno == ECONNABORTED || errno == EINTR) continue;
            break;
        }
        Wait();
    }
};

Listener::Listener() = default;
Listener::~Listener() = default;

Result<std::unique_ptr<Listener>> Listener::Listen(Loop& loop, const std::string& host,
                                                   std::uint16_t port, OnAccept on_accept) {
    const auto failed = [&](const std::string& what) {
        return Status(Code::kUnavailable, "LISTEN_FAILED",
                      host + ":" + std::to_string(port) + ": " + what);
    };
    auto address = IpAddress::Parse(host);
    if (!address.ok()) return failed("not an IP address");
    const bool v4 = address->is_v4();
    sockaddr_in in4{};
    sockaddr_in6 in6{};
    in4.sin_family = AF_INET;
    in4.sin_port = htons(port);
    std::memcpy(&in4.sin_addr, address->bytes().data() + 12, 4);
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(port);
    std::memcpy(&in6.sin6_addr, address->bytes().data(), 16);

    const int fd = ::socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return failed(ErrnoText(errno));
    int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    const sockaddr* name =
        v4 ? reinterpret_cast<const sockaddr*>(&in4) : reinterpret_cast<const sockaddr*>(&in6);
    const socklen_t name_size = v4 ? sizeof(in4) : sizeof(in6);
    if (::bind(fd, name, name_size) != 0 || ::listen(fd, SOMAXCONN) != 0) {
        const int error = errno;
        ::close(fd);
        return failed(ErrnoText(error));
    }
    sockaddr_storage bound{};
    socklen_t bound_size = sizeof(bound);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &bound_size);

    std::unique_ptr<Listener> listener(new Listener());
    listener->impl_ = std::make_unique<Impl>(loop, fd, std::move(on_accept));
    listener->impl_->port = ntohs(v4 ? reinterpret_cast<sockaddr_in&>(bound).sin_port
                                     : reinterpret_cast<sockaddr_in6&>(bound).sin6_port);
    return listener;
}

std::uint16_t Listener::port() const {
    return impl_->port;
}
void Listener::Start() {
    impl_->loop.Post([impl = impl_.get()] { impl->Wait(); });
}
void Listener::Close() {
    if (impl_->closed) return;
    impl_->closed = true;
    impl_->retry.Cancel();
    boost::system::error_code ignored;
    impl_->socket.close(ignored);
}

}  // namespace kessai::net
