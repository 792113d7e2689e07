#pragma once

#include <mutex>
#include <shared_mutex>

#include "domain/plan_book.h"

namespace kessai::payout::app {

/// The fee plans, and who is under them, as far as this process has read them. They are only ever
/// added to, so what is here is never wrong, only short of what a gate's revision says there is.
/// Thread safe.
class PlanCache {
 public:
    std::int64_t revision() const {
        const std::shared_lock lock = EnterToRead();
        return book_.revision();
    }
    /// Waits for whoever reads, and whoever comes to read meanwhile waits behind it: a batch that
    /// needs new plans holds its partition's gate, and a recount or preview always has some thread
    /// that reads.
    void Add(const domain::PlanUpdates& updates) {
        const std::lock_guard turn(turn_);
        const std::unique_lock lock(mutex_);
        book_.Add(updates);
    }
    /// Runs `read(const domain::PlanBook&)` while nothing is added; `read` must not use the cache.
    template <class F>
    auto Read(F read) const {
        const std::shared_lock lock = EnterToRead();
        return read(book_);
    }

 private:
    std::shared_lock<std::shared_mutex> EnterToRead() const {
        const std::lock_guard turn(turn_);
        return std::shared_lock(mutex_);
    }

    /// Taken before `mutex_`, which alone may let readers in for ever.
    mutable std::mutex turn_;
    mutable std::shared_mutex mutex_;
    domain::PlanBook book_;
};

}  // namespace kessai::payout::app
