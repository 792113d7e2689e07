#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace kessai::reconciliation::app {

/// Threads for work that its owner does itself when they are all busy. Thread safe. What was taken
/// is done before the destructor ends.
class HelpingThreads {
 public:
    /// They begin with the first work, so that who never has any pays nothing.
    explicit HelpingThreads(int threads) : threads_max_(static_cast<std::size_t>(threads)) {}
    ~HelpingThreads() {
        {
            const std::lock_guard lock(mutex_);
            ending_ = true;
        }
        changed_.notify_all();
    }
    HelpingThreads(const HelpingThreads&) = delete;
    HelpingThreads& operator=(const HelpingThreads&) = delete;

    /// False, and `work` is not called: as much waits already as there are threads.
    bool Offer(std::function<void()> work) {
        {
            const std::lock_guard lock(mutex_);
            if (waiting_.size() == threads_max_) return false;
            waiting_.push_back(std::move(work));
            if (threads_.size() < threads_max_) threads_.emplace_back([this] { Run(); });
        }
        changed_.notify_one();
        return true;
    }

 private:
    void Run() {
        std::unique_lock lock(mutex_);
        while (true) {
            changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
            if (waiting_.empty()) return;
            const std::function<void()> work = std::move(waiting_.front());
            waiting_.pop_front();
            lock.unlock();
            work();
            lock.lock();
        }
    }

    const std::size_t threads_max_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> waiting_;
    bool ending_ = false;
    /// The last member: they use the others.
    std::vector<std::jthread> threads_;
};

}  // namespace kessai::reconciliation::app
