#include "app/parallel.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

namespace kessai::payout::app {

Status RunInParallel(int count, int threads, const std::function<Status(int, int)>& work) {
    std::atomic<int> next{0};
    std::mutex mutex;
    Status first;
    const auto run = [&](int thread) {
        for (int item = next.fetch_add(1); item < count; item = next.fetch_add(1)) {
            Status status = work(item, thread);
            if (status.ok()) continue;
            next.store(count);
            const std::lock_guard lock(mutex);
            if (first.ok()) first = std::move(status);
        }
    };
    std::vector<std::jthread> others;
    for (int thread = 1; thread < std::min(count, threads); ++thread) {
        others.emplace_back(run, thread);
    }
    run(0);
    others.clear();
    return first;
}

Status Stopping() {
    return Status(Code::kUnavailable, "STOPPING", "the service is being stopped");
}

}  // namespace kessai::payout::app
