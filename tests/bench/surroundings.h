#pragma once

#include <map>
#include <string>
#include <vector>

#include "kessai/result/result.h"
#include "load/stack.h"

namespace kessai::bench {

/// The machine that a figure is from.
struct Machine {
    int cores = 0;
    std::string model;
    double memory_gib = 0;
    std::string kernel;
};
Machine DescribeMachine();

/// What the servers say of how durable they are: asked of them, not read from our own files.
struct Durability {
    /// MariaDB's variables, such as innodb_flush_log_at_trx_commit.
    std::map<std::string, std::string> mysql;
    /// Per topic: "replicas", "min.insync.replicas", "unclean.leader.election.enable".
    std::map<std::string, std::map<std::string, std::string>> topics;
    /// Per service with an outbox: what its producer waits for; -1 is all in-sync replicas.
    std::map<std::string, int> producer_acks;
    /// Whatever could not be read, and why.
    std::vector<std::string> not_known;
};
Durability ReadDurability(const load::Stack& stack);

}  // namespace kessai::bench
