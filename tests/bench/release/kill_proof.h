#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::bench {

struct KillOptions {
    /// The program that releases the day and ends, waiting while another one has the turn.
    std::vector<std::string> command;
    int kills = 20;
    std::uint64_t seed = 1;
    /// What the release took untouched: points are drawn evenly from their sum.
    double recount_seconds = 0;
    double write_seconds = 0;
};

/// A day's release that was killed again and again.
struct KillProof {
    int asked = 0;
    /// Kills while a release was under way: before its first chunk of that run, and among chunks.
    int in_recount = 0;
    int in_writing = 0;
    /// Of the day, and how many were done at each kill.
    std::int64_t chunks = 0;
    std::vector<std::int64_t> done_at_kill;
    /// From the first start to the last end, the waits for the dead processes' turns included.
    double seconds = 0;
    /// Every row of releases, balances, chunks and the round is that of the untouched release.
    bool equal = false;
    /// What was not as it must be, in words.
    std::vector<std::string> wrong;
};

/// Puts the release of a day aside that went through untouched, closes the day as it was before,
/// and has it released by processes of their own, each killed by SIGKILL at a random point but the
/// last; then holds what they left against what was put aside.
Result<KillProof> ProveKillsChangeNothing(mysql::Session& session, BusinessDate day,
                                          const KillOptions& options,
                                          const std::function<void(const std::string&)>& tell);

}  // namespace kessai::bench
