#pragma once

#include <mutex>
#include <shared_mutex>

#include "domain/plan_book.h"

namespace kessai::payout::app {

/// The fee plans, and who is under them, as far as this process has read them. They are only ever
/// added to, so what is here
/// is never wrong, only short of what a gate's revision says there is. Thread safe.
class PlanCache {
 public:
    std::int64_t revision() const {
        const std::shared_lock lock(mutex_);
        return book_.revision();
    }
    void Add(const domain::PlanUpdates& updates) {
        const std::unique_lock lock(mutex_);
        book_.Add(updates);
    }
    /// Runs `read(const domain::PlanBook&)` while nothing is added.
    template <class F>
    auto Read(F read) const {
        const std::shared_lock lock(mutex_);
        return read(book_);
    }

 private:
    mutable std::shared_mutex mutex_;
    domain::PlanBook book_;
};

}  // namespace kessai::payout::app
