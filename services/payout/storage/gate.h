#pragma once

#include <cstdint>

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::payout::storage {

/// Rows of payout_gate, each locked by whoever writes what it counts.
enum class Gate : int {
    /// Days: marks and releases.
    kDays = 1,
    /// Dead letters: a row of their own, so that a consumer never waits for a release.
    kDeadLetters = 2,
    /// What others are told of merchants held back: a row of its own, locked behind chunks and
    /// holds.
    kHolds = 4,
};

/// The writer of outbox rows that ledger_gate counts: beside those of Gate.
inline constexpr int kLedgerWriter = 1'024 - 3;

/// Not of a day: no day's end waits for it.
inline constexpr BusinessDate kNoDay(std::chrono::sys_days(std::chrono::year(9999) / 12 / 31));

/// Where an outbox row stands among those of its object: every object belongs to one counter (its
/// partition's gate, or one of payout_gate), so its rows rise, whoever writes them.
/// `writer`: the slot, or 1,024 less the gate.
inline std::int64_t OutboxRowId(std::int64_t count, int writer) {
    return count << 10 | writer;
}

/// Who writes outbox rows that the gate counts.
inline int WriterOf(Gate gate) {
    return 1'024 - static_cast<int>(gate);
}

/// Locks the gate, counts one more, and gives the count: from 1.
Result<std::int64_t> NextCount(mysql::Session& session, Gate gate);
/// The same, as the id of an outbox row.
Result<std::int64_t> NextOutboxRow(mysql::Session& session, Gate gate);

}  // namespace kessai::payout::storage
