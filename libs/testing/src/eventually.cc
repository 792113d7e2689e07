#include "kessai/testing/eventually.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace kessai::testing {

bool Eventually(const std::function<bool()>& condition, Duration within) {
    const auto deadline = std::chrono::steady_clock::now() + within;
    Duration pause = std::chrono::milliseconds(1);
    for (;;) {
        if (condition()) return true;
        if (std::chrono::steady_clock::now() >= deadline) return false;
        std::this_thread::sleep_for(pause);
        pause = std::min<Duration>(pause * 2, std::chrono::milliseconds(50));
    }
}

}  // namespace kessai::testing
