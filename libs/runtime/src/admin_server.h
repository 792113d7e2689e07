#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "kessai/result/result.h"

namespace kessai::runtime {

struct AdminReply {
    int status = 200;
    std::string content_type = "application/json";
    std::string body;
};

/// The small HTTP server beside a service's own: answers GET and HEAD on one thread, which never
/// waits for a client. At most 64 connections (more are closed at once), 8 KiB of header, no body,
/// 10 s for each request. Plain HTTP: the port is for the pod's network only.
class AdminServer {
 public:
    /// Gives the reply for a path; called on the server's thread, returns at once.
    using Handler = std::function<AdminReply(const std::string& path)>;

    explicit AdminServer(Handler handler);
    ~AdminServer();
    AdminServer(const AdminServer&) = delete;
    AdminServer& operator=(const AdminServer&) = delete;

    /// Refuses with UNAVAILABLE ADMIN_LISTEN_FAILED. Port 0 takes a free one.
    Status Start(const std::string& host, std::uint16_t port);
    /// The port it listens on.
    std::uint16_t port() const;
    void Stop();

 private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace kessai::runtime
