#include "bench/release/process_memory.h"

#include <malloc.h>
#include <sys/resource.h>

#include <fstream>
#include <sstream>

namespace kessai::bench {

std::int64_t PeakMemoryMib() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (!line.starts_with("VmHWM:")) continue;
        std::istringstream text(line.substr(6));
        std::int64_t kib = 0;
        text >> kib;
        return kib / 1024;
    }
    return 0;
}

void ForgetPeakMemory() {
    malloc_trim(0);
    // 5: resets VmHWM (proc(5)).
    std::ofstream("/proc/self/clear_refs") << '5';
}

double CpuSecondsOfThisProcess() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::optional<pid_t> ProcessOfServer(const std::map<std::string, std::string>& variables) {
    const auto path = variables.find("pid_file");
    if (path == variables.end()) return std::nullopt;
    std::ifstream file(path->second);
    pid_t pid = 0;
    if (!(file >> pid)) return std::nullopt;
    return pid;
}

}  // namespace kessai::bench
