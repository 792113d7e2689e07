#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kessai/result/result.h"

namespace kessai::load {

/// Where a running stack is, from its access.json (tools/kessai/access.py). Passwords are read when
/// they are needed.
struct Stack {
    struct Endpoint {
        std::string host;
        std::uint16_t port = 0;
    };
    struct MysqlAccess {
        Endpoint server;
        std::string user;
        std::string password;
        std::map<std::string, std::string> schemas;  // by service
    };

    std::string name;
    std::string directory;
    /// Of the build that it runs.
    std::string binaries;
    Endpoint gateway;
    std::string ca_file;
    std::map<std::string, Endpoint> admin;  // by service
    /// Whoever may read every schema and change nothing.
    MysqlAccess mysql;
    std::string kafka_brokers;

    /// What the Host field says and the certificate is for.
    std::string Authority() const { return "localhost:" + std::to_string(gateway.port); }
    /// The tree's one command.
    std::string Command() const { return directory + "/../../kessai"; }
    /// The CMake preset that `binaries` were built with.
    std::string Preset() const;

    /// INVALID_ARGUMENT STACK_FILE_UNUSABLE; PERMISSION_DENIED NOT_LOOPBACK when any address in it
    /// is not this machine's own: a load must never hit anybody else's system.
    static Result<Stack> Load(const std::string& access_file);
};

struct ProcessOfStack {
    std::string name;
    pid_t pid = 0;
    bool ready = false;
};

/// Asks `kessai status`. UNAVAILABLE STACK_STATUS_UNKNOWN.
Result<std::vector<ProcessOfStack>> ProcessesOf(const Stack& stack);

}  // namespace kessai::load
