#include "kessai/testing/tcp_proxy.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include "kessai/testing/eventually.h"

namespace kessai::testing {
namespace {

sockaddr_in Loopback(int port, std::uint32_t last = 1) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl((INADDR_LOOPBACK & ~0xFFU) + last);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
}

/// Connects, and waits until the other end closes; false once the proxy is gone.
bool ConnectOnce(int port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // Of another address than the proxy's: else a socket may come to be connected to itself.
    const sockaddr_in own = Loopback(0, 2);
    const sockaddr_in address = Loopback(port);
    EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
    char byte = 0;
    const bool connected =
        connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    if (connected) (void)recv(fd, &byte, 1, 0);
    close(fd);
    return connected;
}

/// Accepts connections and closes them.
class Server {
 public:
    Server() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address = Loopback(0);
        socklen_t size = sizeof address;
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(bind(listener_, generic, size), 0);
        EXPECT_EQ(listen(listener_, 128), 0);
        EXPECT_EQ(getsockname(listener_, generic, &size), 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] {
            for (int fd = 0; (fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
                close(fd);
            }
        });
    }
    ~Server() {
        shutdown(listener_, SHUT_RDWR);
        thread_.join();
        close(listener_);
    }
    int port() const { return port_; }

 private:
    const int listener_;
    int port_ = 0;
    std::thread thread_;
};

// Goal: a proxy may be destroyed while somebody connects to it, as the pools of a service do.
// Method: many proxies, each ended after another number of connections, so that the one that still
// comes in meets every state of the proxy's lists.
TEST(TcpProxyTest, EndsWhileClientsConnect) {
    const Server server;
    for (int round = 0; round < 100; ++round) {
        std::optional<TcpProxy> proxy(std::in_place, "127.0.0.1", server.port());
        std::vector<std::jthread> clients;
        for (int client = 0; client < 4; ++client) {
            clients.emplace_back([port = proxy->port()] {
                while (ConnectOnce(port)) {
                }
            });
        }
        ASSERT_EVENTUALLY(proxy->accepted() > round % 16);
        proxy.reset();
    }
}

}  // namespace
}  // namespace kessai::testing
