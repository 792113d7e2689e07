#pragma once

#include <map>
#include <string>
#include <vector>

#include "kessai/result/result.h"
#include "load/stack.h"

namespace kessai::bench {

/// Changes settings of a stack's services for a measurement, by `kessai restart … --set`, and puts
/// back what was there before.
class Settings {
 public:
    explicit Settings(const load::Stack& stack) : stack_(stack) {}
    /// Restores.
    ~Settings();
    Settings(const Settings&) = delete;
    Settings& operator=(const Settings&) = delete;

    /// Restarts the service with these settings ("executor.batch_max=1") over those it had before
    /// any change of ours. UNAVAILABLE RESTART_FAILED.
    Status Apply(const std::string& service, const std::vector<std::string>& assignments);
    /// Puts one service back, if it was changed.
    Status Restore(const std::string& service);
    /// All of them; the first refusal.
    Status RestoreAll();

    /// The "KESSAI_…=value" that a stack keeps for a service, from the text of its file.
    static std::vector<std::string> ParseOverrides(const std::string& json);

 private:
    Status Restart(const std::string& service, const std::vector<std::string>& assignments);

    const load::Stack stack_;
    std::map<std::string, std::vector<std::string>> before_;  // of the services that we changed
};

}  // namespace kessai::bench
