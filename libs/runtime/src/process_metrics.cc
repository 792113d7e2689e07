#include "process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>

#include "build_info.h"
#include "kessai/log/log.h"

namespace kessai::runtime {
namespace {

double CpuSeconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double ResidentBytes() {
    long pages = 0;
    if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
        if (std::fscanf(file, "%*s %ld", &pages) != 1) pages = 0;
        std::fclose(file);
    }
    return static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double EntriesOf(const char* directory) {
    int entries = 0;
    if (DIR* open = ::opendir(directory)) {
        while (const dirent* entry = ::readdir(open)) entries += entry->d_name[0] != '.';
        ::closedir(open);
    }
    return entries;
}

}  // namespace

std::vector<std::shared_ptr<void>> AddProcessMetrics(metrics::Registry& registry,
                                                     const Clock& clock) {
    const BuildInfo& build = ThisBuild();
    registry
        .AddGauge({.name = "kessai_build_info",
                   .help = "1, with what this process was built from as labels",
                   .labels = {{"version", std::string(build.version)},
                              {"commit", std::string(build.commit)},
                              {"build_type", std::string(build.build_type)}}})
        .Set(1);
    registry
        .AddGauge({.name = "process_start_time_seconds",
                   .help = "When the process started, since 1970 in UTC"})
        .Set(clock.Now().time_since_epoch());
    std::vector<std::shared_ptr<void>> guards;
    guards.push_back(registry.AddCallbackCounter(
        {.name = "process_cpu_seconds_total", .help = "User and system time spent"}, &CpuSeconds));
    guards.push_back(registry.AddCallbackGauge(
        {.name = "process_resident_memory_bytes", .help = "Memory in RAM"}, &ResidentBytes));
    guards.push_back(
        registry.AddCallbackGauge({.name = "process_open_fds", .help = "Open file descriptors"},
                                  [] { return EntriesOf("/proc/self/fd"); }));
    guards.push_back(registry.AddCallbackGauge({.name = "process_threads", .help = "Threads"},
                                               [] { return EntriesOf("/proc/self/task"); }));
    guards.push_back(registry.AddCallbackCounter(
        {.name = "kessai_log_lines_dropped_total",
         .help = "Log lines dropped because the queue was full or nobody read them"},
        [] { return static_cast<double>(log::DroppedLines()); }));
    return guards;
}

}  // namespace kessai::runtime
