#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace kessai::bench {

/// The most memory that this process has had resident since ForgetPeakMemory, in MiB.
std::int64_t PeakMemoryMib();
/// Gives freed memory back to the kernel and begins anew.
void ForgetPeakMemory();

/// Processor time of this process and all its threads, ended ones too.
double CpuSecondsOfThisProcess();

/// The database's process, by the pid file that its variables name; nothing if it is not of this
/// machine, or the file is not ours to read.
std::optional<pid_t> ProcessOfServer(const std::map<std::string, std::string>& variables);

}  // namespace kessai::bench
