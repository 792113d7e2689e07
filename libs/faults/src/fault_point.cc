#include "kessai/faults/fault_point.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <map>
#include <mutex>

namespace kessai::faults {
namespace {

struct Points {
    std::mutex mutex;
    std::map<std::string, Point*, std::less<>> by_name;
    std::string directory;
};

/// Made at first use, because points register before main; never destroyed, because threads may
/// pass points until the end.
Points& AllPoints() {
    static auto* const points = new Points;
    return *points;
}

Status Unknown(std::string message) {
    return Status(Code::kInvalidArgument, "FAULT_UNKNOWN", "KESSAI_TEST_FAULT: " + message);
}

Status ArmOne(std::string_view fault) {
    std::uint64_t nth = 1;
    std::string_view name = fault;
    if (const std::size_t colon = fault.find(':'); colon != std::string_view::npos) {
        name = fault.substr(0, colon);
        const std::string_view count = fault.substr(colon + 1);
        const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), nth);
        if (error != std::errc() || end != count.data() + count.size() || nth == 0) {
            return Unknown("expected name:nth, not \"" + std::string(fault) + '"');
        }
    }
    const auto known = AllPoints().by_name.find(name);
    if (known == AllPoints().by_name.end()) {
        return Unknown("no fault point of this process is named \"" + std::string(name) + '"');
    }
    known->second->ArmAt(nth);
    return {};
}

/// Whether the process is to die here: true unless it did so in an earlier life.
bool LeaveMark(std::string_view name, std::uint64_t nth) {
    const std::string& directory = AllPoints().directory;
    if (directory.empty()) return true;
    const std::string file = directory + '/' + std::string(name) + '.' + std::to_string(nth);
    const int descriptor = ::open(file.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
    if (descriptor < 0) return errno != EEXIST;
    ::close(descriptor);
    return true;
}

}  // namespace

Point::Point(const char* name) : name_(name) {
    const std::lock_guard lock(AllPoints().mutex);
    AllPoints().by_name.emplace(name, this);
}

void Point::ArmAt(std::uint64_t nth) {
    passes_.store(0);
    armed_at_.store(nth);
}

void Point::PassArmed() {
    const std::uint64_t nth = armed_at_.load();
    if (nth == 0 || passes_.fetch_add(1) + 1 != nth) return;
    if (!LeaveMark(name_, nth)) {
        armed_at_.store(0);
        return;
    }
    ::kill(::getpid(), SIGKILL);
    // The signal may be delivered to another thread first; this one goes no further.
    while (true) ::pause();
}

std::vector<std::string> Names() {
    const std::lock_guard lock(AllPoints().mutex);
    std::vector<std::string> names;
    for (const auto& [name, point] : AllPoints().by_name) names.push_back(name);
    return names;
}

Status Arm(std::string_view faults, std::string_view directory) {
    const std::lock_guard lock(AllPoints().mutex);
    AllPoints().directory = directory;
    while (!faults.empty()) {
        const std::size_t comma = faults.find(',');
        KESSAI_RETURN_IF_ERROR(ArmOne(faults.substr(0, comma)));
        faults = comma == std::string_view::npos ? "" : faults.substr(comma + 1);
    }
    return {};
}

Status ArmFromEnvironment() {
    const char* faults = std::getenv("KESSAI_TEST_FAULT");
    if (faults == nullptr || *faults == '\0') return {};
    if (!Compiled()) return Unknown("is set, but this build has no fault points");
    const char* directory = std::getenv("KESSAI_TEST_FAULT_DIR");
    return Arm(faults, directory == nullptr ? "" : directory);
}

}  // namespace kessai::faults
