#include "listening.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kessai/testing/eventually.h"

namespace kessai::testing {
namespace {

bool Accepts(const std::string& host, int port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    const bool accepted =
        connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(fd);
    return accepted;
}

}  // namespace

bool EventuallyListening(Process& process, const std::string& host, int port) {
    bool listening = false;
    (void)Eventually(
        [&] {
            listening = Accepts(host, port);
            return listening || !process.Running();
        },
        std::chrono::seconds(60));
    return listening && process.Running();
}

}  // namespace kessai::testing
