#include "load/process_time.h"

#include <unistd.h>

#include <array>
#include <fstream>
#include <iterator>
#include <sstream>

namespace kessai::load {

namespace {

Result<std::string> ReadProc(const std::string& path) {
    std::ifstream file(path);
    if (!file) return Status(Code::kNotFound, "PROCESS_GONE", path + " is not there");
    return std::string(std::istreambuf_iterator<char>(file), {});
}

Duration FromTicks(std::int64_t ticks, long per_second) {
    return Duration(ticks * 1'000'000 / per_second);
}

}  // namespace

Result<Duration> ProcessorTimeOf(pid_t pid) {
    KESSAI_ASSIGN_OR_RETURN(const std::string text,
                            ReadProc("/proc/" + std::to_string(pid) + "/stat"));
    // The name, in brackets, may hold anything.
    const std::size_t name_end = text.rfind(')');
    if (name_end == std::string::npos) {
        return Status(Code::kNotFound, "PROCESS_GONE", "no process " + std::to_string(pid));
    }
    std::istringstream fields(text.substr(name_end + 2));
    std::string skipped;
    for (int field = 3; field < 14; ++field) fields >> skipped;
    std::int64_t user = 0;
    std::int64_t system = 0;
    fields >> user >> system;
    return FromTicks(user + system, ::sysconf(_SC_CLK_TCK));
}

Result<MachineTime> ParseMachineTime(const std::string& proc_stat, long ticks_per_second) {
    std::istringstream line(proc_stat.substr(0, proc_stat.find('\n')));
    std::string name;
    std::array<std::int64_t, 8> ticks{};  // user nice system idle iowait irq softirq steal
    line >> name;
    for (auto& count : ticks) line >> count;
    if (name != "cpu" || !line) {
        return Status(Code::kNotFound, "PROCESS_GONE", "/proc/stat is not as expected");
    }
    MachineTime time;
    time.busy = FromTicks(ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6], ticks_per_second);
    time.idle = FromTicks(ticks[3] + ticks[4], ticks_per_second);
    time.stolen = FromTicks(ticks[7], ticks_per_second);
    return time;
}

Result<MachineTime> ProcessorTimeOfMachine() {
    KESSAI_ASSIGN_OR_RETURN(const std::string text, ReadProc("/proc/stat"));
    return ParseMachineTime(text, ::sysconf(_SC_CLK_TCK));
}

ProcessorUse::ProcessorUse(const std::vector<ProcessOfStack>& processes,
                           const std::string& own_name) {
    for (const ProcessOfStack& process : processes) {
        if (process.pid > 0) processes_[process.name] = process.pid;
    }
    processes_[own_name] = ::getpid();
    for (const auto& [name, pid] : processes_) {
        if (auto time = ProcessorTimeOf(pid); time.ok()) before_[name] = *time;
    }
    if (auto machine = ProcessorTimeOfMachine(); machine.ok()) machine_before_ = *machine;
}

ProcessorUse::Report ProcessorUse::Since() const {
    Report report;
    Duration sum{};
    for (const auto& [name, pid] : processes_) {
        auto now = ProcessorTimeOf(pid);
        const auto before = before_.find(name);
        if (!now.ok() || before == before_.end() || *now < before->second) {
            report.not_known.push_back(name);
            continue;
        }
        report.by_process[name] = *now - before->second;
        sum += *now - before->second;
    }
    if (auto machine = ProcessorTimeOfMachine(); machine.ok()) {
        const Duration busy = machine->busy - machine_before_.busy;
        const Duration idle = machine->idle - machine_before_.idle;
        report.stolen = machine->stolen - machine_before_.stolen;
        report.others = std::max(busy - sum, Duration{});
        const Duration all = busy + idle + report.stolen;
        if (all > Duration{}) {
            report.busy_share = static_cast<double>((busy + report.stolen).count()) /
                                static_cast<double>(all.count());
        }
    }
    return report;
}

}  // namespace kessai::load
