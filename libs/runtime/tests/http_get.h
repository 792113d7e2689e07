#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace kessai::runtime {

/// A connection to 127.0.0.1 as raw as tests of a server need it. Reads give up after 10 s.
class RawConnection {
 public:
    explicit RawConnection(std::uint16_t port) {
        socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const timeval timeout{10, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        open_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }
    ~RawConnection() { ::close(socket_); }
    RawConnection(const RawConnection&) = delete;
    RawConnection& operator=(const RawConnection&) = delete;

    bool open() const { return open_; }
    bool Send(std::string_view text) {
        return ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(text.size());
    }
    /// What arrives until the other side closes.
    std::string ReadToEnd() {
        std::string text;
        char buffer[16'384];
        for (ssize_t got = 0; (got = ::recv(socket_, buffer, sizeof buffer, 0)) > 0;) {
            text.append(buffer, static_cast<std::size_t>(got));
        }
        return text;
    }
    /// What arrives until `end` is in it, or the other side closes.
    std::string ReadUntil(std::string_view end) {
        std::string text;
        char c = 0;
        while (text.find(end) == std::string::npos && ::recv(socket_, &c, 1, 0) == 1) text += c;
        return text;
    }

 private:
    int socket_ = -1;
    bool open_ = false;
};

struct HttpReply {
    /// 0: no answer.
    int status = 0;
    std::string head;
    std::string body;
};

inline HttpReply Get(std::uint16_t port, std::string_view path, std::string_view method = "GET") {
    RawConnection connection(port);
    HttpReply reply;
    if (!connection.open()) return reply;
    connection.Send(std::string(method) + " " + std::string(path) +
                    " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const std::string text = connection.ReadToEnd();
    const std::size_t end = text.find("\r\n\r\n");
    if (!text.starts_with("HTTP/1.1 ") || end == std::string::npos) return reply;
    reply.status = std::stoi(text.substr(9, 3));
    reply.head = text.substr(0, end);
    reply.body = text.substr(end + 4);
    return reply;
}

}  // namespace kessai::runtime
