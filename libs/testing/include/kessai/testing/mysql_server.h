#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kessai/mysql/session.h"

namespace kessai::testing {

/// A schema of its own with a user that can reach only it; both are dropped at the end.
class MysqlSchema {
 public:
    ~MysqlSchema();
    MysqlSchema(const MysqlSchema&) = delete;
    MysqlSchema& operator=(const MysqlSchema&) = delete;

    const std::string& name() const { return options_.schema; }
    /// To connect as the schema's user, who is not privileged.
    const mysql::ConnectOptions& options() const { return options_; }
    /// To connect to the schema as the server's administrator.
    const mysql::ConnectOptions& admin_options() const { return admin_; }

 private:
    friend class MysqlServer;
    MysqlSchema(mysql::ConnectOptions admin, mysql::ConnectOptions options)
        : admin_(std::move(admin)), options_(std::move(options)) {}
    mysql::ConnectOptions admin_;
    mysql::ConnectOptions options_;
};

/// A real MariaDB to test against. Whatever cannot be set up ends the test process with a message.
class MysqlServer {
 public:
    /// The server of KESSAI_TEST_MYSQL=mysql://user:password@host:port (an administrator), or else
    /// a private one that lives until the process ends. Never stop this one.
    static MysqlServer& Shared();
    /// A private server in a temporary directory, on a free port of 127.0.0.1. `arguments` are
    /// added to the server's command line.
    static std::unique_ptr<MysqlServer> Launch(std::vector<std::string> arguments = {});
    ~MysqlServer();

    /// To connect as administrator.
    const mysql::ConnectOptions& admin() const;
    std::unique_ptr<MysqlSchema> CreateSchema();

    // Of a private server only:
    void Kill9();
    /// A clean shutdown.
    void Stop();
    /// Starts it again on the same port and data, and waits until it answers.
    void Start();
    void Restart() {
        Stop();
        Start();
    }
    /// The last lines of its log.
    std::string Log() const;

 private:
    struct Impl;
    explicit MysqlServer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace kessai::testing
