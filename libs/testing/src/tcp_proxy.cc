#include "kessai/testing/tcp_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>
#include <set>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "kessai/result/check.h"

namespace kessai::testing {
namespace {

constexpr int kPollMs = 20;

int Dial(const std::string& host, int port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

bool SendAll(int fd, std::string_view data) {
    while (!data.empty()) {
        const ssize_t sent = send(fd, data.data(), data.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        data.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

}  // namespace

struct TcpProxy::Impl {
    mutable std::mutex mutex;
    std::string host;
    int upstream_port = 0;
    int listener = -1;
    int port = 0;
    bool stopping = false;
    bool frozen = false;
    bool refusing = false;
    std::string lose_reply_to;
    std::string lose_request;
    int cuts = 0;
    int accepted = 0;
    /// Both ends of each connection, until its thread closes them.
    std::set<std::pair<int, int>> open;
    /// One for each connection so far; only the acceptor adds to them, until it ends.
    std::vector<std::thread> servers;
    std::thread acceptor;

    void Accept();
    void Serve(int client, int upstream);
    void PassOn(int client, int upstream);
};

TcpProxy::TcpProxy(std::string host, int port) : impl_(std::make_shared<Impl>()) {
    impl_->host = std::move(host);
    impl_->upstream_port = port;
    impl_->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    KESSAI_CHECK(bind(impl_->listener, generic, size) == 0 && listen(impl_->listener, 128) == 0 &&
                     getsockname(impl_->listener, generic, &size) == 0,
                 "a proxy can listen on 127.0.0.1");
    impl_->port = ntohs(address.sin_port);
    impl_->acceptor = std::thread([impl = impl_.get()] { impl->Accept(); });
}

TcpProxy::~TcpProxy() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->stopping = true;
    }
    // Until it has ended it may add one more, which moves the others in memory.
    impl_->acceptor.join();
    for (std::thread& server : impl_->servers) server.join();
    close(impl_->listener);
}

void TcpProxy::Impl::Accept() {
    for (;;) {
        {
            const std::lock_guard lock(mutex);
            if (stopping) return;
        }
        pollfd ready{listener, POLLIN, 0};
        if (poll(&ready, 1, kPollMs) <= 0) continue;
        const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) continue;
        std::string to_host;
        int to_port = 0;
        {
            const std::lock_guard lock(mutex);
            ++accepted;
            if (!refusing) {
                to_host = host;
                to_port = upstream_port;
            }
        }
        const int upstream = to_host.empty() ? -1 : Dial(to_host, to_port);
        if (upstream < 0) {
            close(client);
            continue;
        }
        const std::lock_guard lock(mutex);
        open.emplace(client, upstream);
        servers.emplace_back([this, client, upstream] { Serve(client, upstream); });
    }
}

void TcpProxy::Impl::Serve(int client, int upstream) {
    PassOn(client, upstream);
    const std::lock_guard lock(mutex);
    open.erase({client, upstream});
    close(client);
    close(upstream);
}

void TcpProxy::Impl::PassOn(int client, int upstream) {
    char buffer[65536];
    bool lose_next_reply = false;
    for (;;) {
        bool wait = false;
        {
            const std::lock_guard lock(mutex);
            if (stopping) return;
            wait = frozen;
        }
        pollfd ready[2] = {{client, POLLIN, 0}, {upstream, POLLIN, 0}};
        if (wait) {
            poll(nullptr, 0, kPollMs);
            continue;
        }
        if (poll(ready, 2, kPollMs) <= 0) continue;
        {
            // What came after Freeze returned is not passed on.
            const std::lock_guard lock(mutex);
            if (frozen) continue;
        }
        if (ready[0].revents != 0) {
            const ssize_t size = recv(client, buffer, sizeof buffer, 0);
            if (size <= 0) return;
            const std::string_view data(buffer, static_cast<std::size_t>(size));
            {
                const std::lock_guard lock(mutex);
                if (!lose_request.empty() && data.find(lose_request) != std::string_view::npos) {
                    lose_request.clear();
                    ++cuts;
                    return;
                }
                if (!lose_reply_to.empty() && data.find(lose_reply_to) != std::string_view::npos) {
                    lose_reply_to.clear();
                    lose_next_reply = true;
                }
            }
            if (!SendAll(upstream, data)) return;
        }
        if (ready[1].revents != 0) {
            const ssize_t size = recv(upstream, buffer, sizeof buffer, 0);
            if (size <= 0) return;
            if (lose_next_reply) {
                const std::lock_guard lock(mutex);
                ++cuts;
                return;
            }
            if (!SendAll(client, {buffer, static_cast<std::size_t>(size)})) return;
        }
    }
}

int TcpProxy::port() const {
    return impl_->port;
}

void TcpProxy::LoseReplyTo(std::string text) {
    const std::lock_guard lock(impl_->mutex);
    impl_->lose_reply_to = std::move(text);
}

void TcpProxy::LoseRequest(std::string text) {
    const std::lock_guard lock(impl_->mutex);
    impl_->lose_request = std::move(text);
}

int TcpProxy::cuts() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->cuts;
}

void TcpProxy::CutAll() {
    const std::lock_guard lock(impl_->mutex);
    for (const auto& [client, upstream] : impl_->open) {
        shutdown(client, SHUT_RDWR);
        shutdown(upstream, SHUT_RDWR);
    }
}

void TcpProxy::Freeze(bool frozen) {
    const std::lock_guard lock(impl_->mutex);
    impl_->frozen = frozen;
}

void TcpProxy::Refuse(bool refusing) {
    const std::lock_guard lock(impl_->mutex);
    impl_->refusing = refusing;
}

void TcpProxy::PointTo(std::string host, int port) {
    const std::lock_guard lock(impl_->mutex);
    impl_->host = std::move(host);
    impl_->upstream_port = port;
}

int TcpProxy::accepted() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->accepted;
}

}  // namespace kessai::testing
