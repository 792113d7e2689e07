#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "kessai/result/result.h"
#include "kessai/time/clock.h"
#include "load/stack.h"

namespace kessai::load {

/// The processor time a process and its threads have used, to the kernel's tick (10 ms).
/// NOT_FOUND PROCESS_GONE.
Result<Duration> ProcessorTimeOf(pid_t pid);

/// Of the whole machine, since it started, over all processors.
struct MachineTime {
    Duration busy{};
    /// Taken by the hypervisor for others.
    Duration stolen{};
    Duration idle{};
};
Result<MachineTime> ProcessorTimeOfMachine();
/// The same from the text of /proc/stat, at `ticks_per_second`.
Result<MachineTime> ParseMachineTime(const std::string& proc_stat, long ticks_per_second);

/// What some processes and the machine used between two moments.
class ProcessorUse {
 public:
    /// Reads the first time. This process takes part as `own_name`.
    ProcessorUse(const std::vector<ProcessOfStack>& processes, const std::string& own_name);

    struct Report {
        std::map<std::string, Duration> by_process;
        /// Processes that ended or were started anew meanwhile: what they used is not known.
        std::vector<std::string> not_known;
        /// Of the machine, beside those processes.
        Duration others{};
        Duration stolen{};
        double busy_share = 0;
    };
    /// Reads the second time.
    Report Since() const;

 private:
    std::map<std::string, pid_t> processes_;
    std::map<std::string, Duration> before_;
    MachineTime machine_before_;
};

}  // namespace kessai::load
