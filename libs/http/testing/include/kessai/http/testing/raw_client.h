#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>

namespace kessai::http::testing {

/// A blocking socket of the test's own, so that tests decide every byte and its time.
class RawClient {
 public:
    explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        timeval limit{10, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    }
    ~RawClient() { ::close(fd_); }

    bool Send(std::string_view text) {
        return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(text.size());
    }
    /// One answer: header and, by Content-Length, body. Empty when the connection ended before.
    std::string Answer(bool head = false) {
        while (true) {
            const auto end = buffer_.find("\r\n\r\n");
            if (end != std::string::npos) {
                std::size_t body = 0;
                const auto at = buffer_.find("Content-Length: ");
                if (!head && at != std::string::npos && at < end) {
                    body = std::stoul(buffer_.substr(at + 16));
                }
                if (buffer_.size() >= end + 4 + body) {
                    std::string answer = buffer_.substr(0, end + 4 + body);
                    buffer_.erase(0, end + 4 + body);
                    return answer;
                }
            }
            if (!Receive()) return {};
        }
    }
    /// Whether the server ends the connection (after what is left to read).
    bool Ended() {
        while (Receive()) {
        }
        return ended_;
    }
    int fd() const { return fd_; }
    bool connected() const { return connected_; }

 private:
    bool Receive() {
        char piece[4096];
        const ssize_t got = ::recv(fd_, piece, sizeof(piece), 0);
        if (got == 0 || (got < 0 && errno == ECONNRESET)) ended_ = true;
        if (got <= 0) return false;
        buffer_.append(piece, static_cast<std::size_t>(got));
        return true;
    }
    int fd_;
    bool connected_ = false;
    bool ended_ = false;
    std::string buffer_;
};

}  // namespace kessai::http::testing
