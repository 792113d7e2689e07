#pragma once

#include <memory>
#include <string>

#include "kessai/ids/id_generator.h"
#include "kessai/mysql/pool.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::lease {

struct WorkerNumberOptions {
    /// The numbers' leases are "<group>/<number>". One group for all makers of one kind of id.
    std::string group = "worker";
    /// Empty: NewOwner().
    std::string owner;
    Duration duration = std::chrono::seconds(30);
    Duration renew_every = std::chrono::seconds(5);
    Duration margin = std::chrono::seconds(3);
    /// How far ahead of the ids' time the stored ceiling is kept.
    Duration ceiling_ahead = std::chrono::seconds(60);
};

/// Leases a worker number of 0 … 1023 for this process and makes its IdGenerator.
///
/// No id is ever committed twice, though processes are killed at any moment, stand still for any
/// time, and clocks jump:
///  1. `data` of the lease's row is a *ceiling*: a millisecond (since the ids' epoch) at or above
///     that of every id that may have been committed under this number.
///  2. A holder stores a ceiling before it commits ids up to it: `Confirm` refuses while the
///     generator is beyond what is surely stored. A lost reply leaves the row's ceiling higher
///     than the holder believes, never lower.
///  3. Whoever takes the number over does so under a new fence, and begins above the ceiling it
///     then finds. The old holder cannot raise the ceiling any more (a renewal compares the fence
///     in the same statement), so whatever it still commits is at or below it.
/// So commit an id only after Confirm, called after the id was made and before the commit. Ids of
/// transactions that did not commit may come again; nobody has seen those. Nothing here relies on
/// the lease's time: that only decides when a number is free for somebody else.
/// Thread safe.
class WorkerNumberLease {
 public:
    WorkerNumberLease(mysql::Pool& pool, WorkerNumberOptions options,
                      const Clock& clock = SystemClock());
    ~WorkerNumberLease();
    WorkerNumberLease(const WorkerNumberLease&) = delete;
    WorkerNumberLease& operator=(const WorkerNumberLease&) = delete;

    /// Takes a free number and begins to renew it in the background. May be called again after a
    /// refusal.
    /// RESOURCE_EXHAUSTED NO_FREE_NUMBER, and what the database refuses.
    Status Start();
    /// Stores the highest millisecond used and releases the number.
    void Stop();

    /// The current generator, null before Start. A new one (that continues above the old one's
    /// ids) takes its place when the number was lost to somebody else and another one was leased:
    /// take it anew for each batch.
    std::shared_ptr<IdGenerator> generator() const;

    /// Ok if every id that `generator` made so far may be committed. UNAVAILABLE
    /// WORKER_NUMBER_NOT_HELD: run the batch again with generator(), after a short wait in which a
    /// higher ceiling is stored or another number leased.
    Status Confirm(const IdGenerator& generator) const;

    /// The number leased now, -1 if none.
    int number() const;
    /// Whether the lease was renewed lately, for readiness and metrics.
    bool Held() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace kessai::lease
