#include "kessai/rpc/worker_pool.h"

#include <pthread.h>

#include "kessai/result/check.h"

namespace kessai::rpc {

WorkerPool::WorkerPool(Options options) : options_(std::move(options)) {
    KESSAI_CHECK(options_.threads > 0, "a pool needs a thread");
    threads_.reserve(options_.threads);
    for (std::size_t i = 0; i < options_.threads; ++i) {
        threads_.emplace_back([this] { Work(); });
        // Linux takes 15 characters.
        pthread_setname_np(threads_.back().native_handle(), options_.name.substr(0, 15).c_str());
    }
}

WorkerPool::~WorkerPool() {
    Stop();
}

Status WorkerPool::Enqueue(std::unique_ptr<Task> task) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) {
            return Status(Code::kUnavailable, reason::kDraining,
                          options_.name + " takes no more work");
        }
        if (queue_.size() >= options_.queue_max) {
            ++refused_;
            return Status(Code::kResourceExhausted, reason::kQueueFull,
                          options_.name + " has " + std::to_string(queue_.size()) + " waiting");
        }
        queue_.push_back(std::move(task));
    }
    wake_.notify_one();
    return {};
}

void WorkerPool::Work() {
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;
        std::unique_ptr<Task> task = std::move(queue_.front());
        queue_.pop_front();
        ++running_;
        lock.unlock();
        task->Run();
        task.reset();
        lock.lock();
        --running_;
    }
}

void WorkerPool::Stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) {
        if (thread.joinable()) thread.join();
    }
}

WorkerPool::Counts WorkerPool::counts() const {
    const std::lock_guard lock(mutex_);
    return {queue_.size(), running_, refused_};
}

}  // namespace kessai::rpc
