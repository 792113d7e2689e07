#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kessai/lease/lease_table.h"
#include "kessai/mysql/pool.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::lease {

struct LeaseOptions {
    /// What the lease is for, at most 190 bytes.
    std::string name;
    /// Empty: NewOwner().
    std::string owner;
    /// How long it lasts in the database without renewal: a dead holder blocks others so long.
    Duration duration = std::chrono::seconds(10);
    /// Between renewals, and between attempts to acquire. At most a third of `duration`.
    Duration renew_every = std::chrono::seconds(2);
    /// The holder stops so long before its lease ends in the database: for clocks that run at
    /// different rates, differences between the clocks of a primary and its successor, and work
    /// under way.
    Duration margin = std::chrono::seconds(2);
};

/// Keeps one lease in the background: acquires it when it is free, renews it, gives it up in
/// Stop. Held() turns false by the holder's own steady clock before the lease ends, though the
/// database cannot be reached. Thread safe. The pool and the clock must outlive it.
class Lease {
 public:
    Lease(mysql::Pool& pool, LeaseOptions options, const Clock& clock = SystemClock());
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    /// Called on the lease's thread (by Stop: on the caller's) when it was acquired and when it was
    /// lost or stopped. A loss may be told late, when the database hangs: Current() is exact.
    /// Set before Start.
    void OnChange(std::function<void(bool held)> callback);
    void Start();
    /// Releases the lease and joins the thread.
    void Stop();

    bool Held() const { return Current().has_value(); }
    /// The grant while it is held, with `ends_at` less the margin: pass it to
    /// ConfirmInTransaction.
    std::optional<Grant> Current() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

struct LeaseGroupOptions {
    /// The leases of the group are "<group>/<number>", its members "<group>.member/<owner>".
    std::string group;
    std::string owner;
    /// Numbers 0 … size-1, at most 512.
    int size = 0;
    Duration duration = std::chrono::seconds(10);
    Duration renew_every = std::chrono::seconds(2);
    Duration margin = std::chrono::seconds(2);
};

/// Shares `size` numbered leases (outbox shards) out among the running members: each keeps its
/// part ⌈size/members⌉ and gives back what it has above it, so a new replica gets its share
/// within some renewals. One thread and a few statements a renewal, whatever the size.
/// Thread safe.
class LeaseGroup {
 public:
    LeaseGroup(mysql::Pool& pool, LeaseGroupOptions options, const Clock& clock = SystemClock());
    ~LeaseGroup();
    LeaseGroup(const LeaseGroup&) = delete;
    LeaseGroup& operator=(const LeaseGroup&) = delete;

    /// Called on the group's thread (by Stop: on the caller's): a number was acquired, or was lost.
    /// Before a number is given back to others the callback with held=false has returned. A loss
    /// may be told late, when the database hangs: Current() is exact. Set before Start.
    void OnChange(std::function<void(int number, bool held)> callback);
    void Start();
    void Stop();

    /// The grant of a number while it is held.
    std::optional<Grant> Current(int number) const;
    std::vector<int> HeldNumbers() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace kessai::lease
