#pragma once

#include <memory>
#include <string>

namespace kessai::testing {

/// Listens on a port of 127.0.0.1 and passes everything on to `host:port`, until a test makes the
/// network fail. Thread safe.
class TcpProxy {
 public:
    TcpProxy(std::string host, int port);
    ~TcpProxy();
    TcpProxy(const TcpProxy&) = delete;
    TcpProxy& operator=(const TcpProxy&) = delete;

    int port() const;

    /// The next time a client sends `text`: it is passed on, and when the server answers, the
    /// answer is dropped and the connection cut. The server did it, the client cannot know.
    void LoseReplyTo(std::string text);
    /// The next time a client sends `text`: it is not passed on and the connection is cut.
    void LoseRequest(std::string text);
    /// How often one of the two happened.
    int cuts() const;

    /// Cuts all connections, before it returns.
    void CutAll();
    /// While frozen nothing is passed on in either direction, and nothing is closed.
    void Freeze(bool frozen);
    /// While refusing, new connections are closed at once.
    void Refuse(bool refusing);
    /// New connections go there (a fail-over).
    void PointTo(std::string host, int port);
    /// Connections accepted so far.
    int accepted() const;

 private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace kessai::testing
