#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "kessai/digest/row_hash.h"
#include "kessai/kafka/connection.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"
#include "rules/history_chain.h"

namespace kessai::audit {

/// Where a platform is, and how to audit it.
struct AuditOptions {
    explicit AuditOptions(digest::RowHasher digest_hasher) : hasher(digest_hasher) {}

    mysql::ConnectOptions payment;
    mysql::ConnectOptions payout;
    mysql::ConnectOptions reconciliation;
    mysql::ConnectOptions gateway;
    kafka::ConnectionOptions kafka;
    std::string payment_topic = "payment.events.v1";
    std::string payout_topic = "payout.events.v1";
    /// With the key of the day digests.
    digest::RowHasher hasher;
    /// With the key of the audit trail; nothing: it is not known, and the trail cannot be checked.
    std::optional<HistoryChain> history_chain;

    /// What earlier audits saw of the audit trail's ends, compared and written anew; empty: nothing
    /// is kept.
    std::string trail_ends_file;

    /// How long changes may take to arrive downstream, once the payment schema was read.
    Duration wait = std::chrono::seconds(60);
    /// Where sorters put what does not fit their memory, and how much each may take.
    std::string work_directory = "/tmp";
    std::size_t sorter_memory_bytes = std::size_t{32} << 20;
    /// Findings shown of each kind; all are counted.
    std::size_t examples_max = 20;
};

/// What the command line says beside that.
struct CommandLine {
    std::string stack_file;
    bool help = false;
    bool json = false;
    int wait_s = 60;
    int lines = 20;
    int memory_mib = 32;
    std::string work_directory;
    std::string trail_ends_file;
};

/// The text that --help prints.
extern const char* const kUsage;

/// INVALID_ARGUMENT OPTION_INVALID, naming the argument.
Result<CommandLine> ParseCommandLine(int argc, const char* const* argv);

/// Reads a stack's file (tools/kessai/access.py describes it, README.md what is read of it).
/// INVALID_ARGUMENT STACK_FILE_INVALID, NOT_FOUND FILE_UNREADABLE, each with the name.
Result<AuditOptions> ReadStackFile(const CommandLine& command_line);

}  // namespace kessai::audit
