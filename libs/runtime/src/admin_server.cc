#include "admin_server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <optional>
#include <thread>

namespace kessai::runtime {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr int kConnectionsMax = 64;
constexpr std::size_t kHeaderBytesMax = 8 << 10;
constexpr std::chrono::seconds kRequestTimeout{10};
constexpr std::chrono::milliseconds kAcceptPause{100};

/// One client, kept alive by its pending operation.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
    Connection(tcp::socket socket, const AdminServer::Handler& handler, int& open)
        : stream_(std::move(socket)), handler_(handler), open_(open) {
        ++open_;
    }
    ~Connection() { --open_; }

    void Read() {
        parser_.emplace();
        parser_->header_limit(kHeaderBytesMax);
        parser_->body_limit(std::uint64_t{0});
        stream_.expires_after(kRequestTimeout);
        http::async_read(stream_, buffer_, *parser_,
                         [self = shared_from_this()](beast::error_code error, std::size_t) {
                             if (!error) self->Answer();
                         });
    }

 private:
    void Answer() {
        const http::request<http::empty_body>& request = parser_->get();
        reply_ = {};
        reply_.version(request.version());
        reply_.keep_alive(request.keep_alive());
        if (request.method() != http::verb::get && request.method() != http::verb::head) {
            reply_.result(http::status::method_not_allowed);
            reply_.set(http::field::allow, "GET, HEAD");
        } else {
            const std::string target(request.target());
            AdminReply reply = handler_(target.substr(0, target.find('?')));
            reply_.result(static_cast<unsigned>(reply.status));
            reply_.set(http::field::content_type, reply.content_type);
            reply_.body() = std::move(reply.body);
        }
        reply_.set(http::field::cache_control, "no-store");
        reply_.prepare_payload();
        if (request.method() == http::verb::head) reply_.body().clear();
        stream_.expires_after(kRequestTimeout);
        http::async_write(stream_, reply_,
                          [self = shared_from_this()](beast::error_code error, std::size_t) {
                              if (!error && self->reply_.keep_alive()) self->Read();
                          });
    }

    beast::tcp_stream stream_;
    beast::flat_buffer buffer_{kHeaderBytesMax};
    std::optional<http::request_parser<http::empty_body>> parser_;
    http::response<http::string_body> reply_;
    const AdminServer::Handler& handler_;
    int& open_;
};

}  // namespace

struct AdminServer::State {
    explicit State(Handler to_call) : handler(std::move(to_call)) {}

    Handler handler;
    /// Touched by the server's thread only.
    int open = 0;
    asio::io_context io{1};
    tcp::acceptor acceptor{io};
    asio::steady_timer pause{io};
    std::uint16_t port = 0;
    std::thread thread;

    void Accept() {
        acceptor.async_accept([this](beast::error_code error, tcp::socket socket) {
            if (error == asio::error::operation_aborted) return;
            if (error) {
                // Out of descriptors, most likely: asking again at once would only spin.
                pause.expires_after(kAcceptPause);
                pause.async_wait([this](beast::error_code cancelled) {
                    if (!cancelled) Accept();
                });
                return;
            }
            if (open < kConnectionsMax) {
                std::make_shared<Connection>(std::move(socket), handler, open)->Read();
            }
            Accept();
        });
    }
};

AdminServer::AdminServer(Handler handler) : state_(std::make_unique<State>(std::move(handler))) {}

AdminServer::~AdminServer() {
    Stop();
}

Status AdminServer::Start(const std::string& host, std::uint16_t port) {
    try {
        tcp::resolver resolver(state_->io);
        const auto found = resolver.resolve(host, std::to_string(port), tcp::resolver::passive);
        const tcp::endpoint endpoint = *found.begin();
        state_->acceptor.open(endpoint.protocol());
        state_->acceptor.set_option(tcp::acceptor::reuse_address(true));
        state_->acceptor.bind(endpoint);
        state_->acceptor.listen();
        state_->port = state_->acceptor.local_endpoint().port();
    } catch (const boost::system::system_error& e) {
        return Status(
            Code::kUnavailable, "ADMIN_LISTEN_FAILED",
            "cannot listen on " + host + ":" + std::to_string(port) + ": " + e.code().message());
    }
    state_->Accept();
    state_->thread = std::thread([this] {
        pthread_setname_np(pthread_self(), "admin-http");
        state_->io.run();
    });
    return {};
}

std::uint16_t AdminServer::port() const {
    return state_->port;
}

void AdminServer::Stop() {
    if (!state_->thread.joinable()) return;
    state_->io.stop();
    state_->thread.join();
}

}  // namespace kessai::runtime
