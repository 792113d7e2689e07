#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "kessai/result/result.h"

namespace kessai::reconciliation::app {

/// Pieces of work from one thread to another. Whoever puts waits while it is full.
template <class T>
class BoundedQueue {
 public:
    explicit BoundedQueue(std::size_t items_max) : items_max_(items_max) {}

    /// False: nobody takes any more.
    bool Put(T item) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return closed_ || items_.size() < items_max_; });
        if (closed_) return false;
        items_.push_back(std::move(item));
        changed_.notify_all();
        return true;
    }
    /// Nothing more is put. `status` is what the last Take gives, if it is a refusal.
    void End(Status status) {
        const std::lock_guard lock(mutex_);
        ended_ = true;
        status_ = std::move(status);
        changed_.notify_all();
    }

    /// Waits. None at the end.
    Result<std::optional<T>> Take() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return ended_ || !items_.empty(); });
        if (items_.empty()) {
            if (!status_.ok()) return status_;
            return std::optional<T>();
        }
        std::optional<T> item = std::move(items_.front());
        items_.pop_front();
        changed_.notify_all();
        return item;
    }
    /// Nothing more is taken.
    void Close() {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        items_.clear();
        changed_.notify_all();
    }

 private:
    const std::size_t items_max_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<T> items_;
    bool ended_ = false;
    bool closed_ = false;
    Status status_;
};

}  // namespace kessai::reconciliation::app
