#pragma once

#include <memory>
#include <string>

namespace kessai::testing {

/// A real Redis to test against. What cannot be set up ends the test process with a message.
/// The shared one holds others' keys too: prefix yours with UniqueName().
class RedisServer {
 public:
    /// The server of KESSAI_TEST_REDIS=redis://:password@host:port, or else a private one that
    /// lives until the process ends. Never stop this one.
    static RedisServer& Shared();
    static std::unique_ptr<RedisServer> Launch();
    ~RedisServer();

    const std::string& host() const;
    int port() const;
    const std::string& password() const;

    // Of a private server only; it keeps nothing on disk.
    void Kill9();
    void Stop();
    void Start();
    void Restart() {
        Stop();
        Start();
    }

 private:
    struct Impl;
    explicit RedisServer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace kessai::testing
