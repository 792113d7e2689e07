#include "app/parallel.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace kessai::reconciliation::app {

Status RunInParallel(int count, int threads, const std::function<Status(int)>& work) {
    std::atomic<int> next{0};
    std::mutex mutex;
    Status first;
    const auto run = [&] {
        for (int item = next.fetch_add(1); item < count; item = next.fetch_add(1)) {
            Status status = work(item);
            if (status.ok()) continue;
            next.store(count);
            const std::lock_guard lock(mutex);
            if (first.ok()) first = std::move(status);
        }
    };
    std::vector<std::jthread> others;
    for (int thread = 1; thread < std::min(count, threads); ++thread) others.emplace_back(run);
    run();
    others.clear();
    return first;
}

}  // namespace kessai::reconciliation::app
