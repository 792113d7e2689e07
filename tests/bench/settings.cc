#include "bench/settings.h"

#include <simdjson.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "load/command.h"

namespace kessai::bench {

Settings::~Settings() {
    if (Status restored = RestoreAll(); !restored.ok()) {
        std::fprintf(stderr, "bench: settings were not put back: %s\n",
                     restored.ToString().c_str());
    }
}

std::vector<std::string> Settings::ParseOverrides(const std::string& json) {
    std::vector<std::string> assignments;
    simdjson::dom::parser parser;
    simdjson::dom::object entries;
    if (parser.parse(json).get(entries) != simdjson::SUCCESS) return assignments;
    for (const auto entry : entries) {
        std::string_view value;
        if (entry.value.get(value) != simdjson::SUCCESS) continue;
        std::string assignment(entry.key);
        assignment.append("=").append(value);
        assignments.push_back(std::move(assignment));
    }
    return assignments;
}

Status Settings::Apply(const std::string& service, const std::vector<std::string>& assignments) {
    if (!before_.contains(service)) {
        std::ifstream file(stack_.directory + "/config/" + service + ".overrides.json");
        const std::string text(std::istreambuf_iterator<char>(file), {});
        before_[service] = ParseOverrides(text);
    }
    std::vector<std::string> all = before_[service];
    all.insert(all.end(), assignments.begin(), assignments.end());
    return Restart(service, all);
}

Status Settings::Restore(const std::string& service) {
    const auto found = before_.find(service);
    if (found == before_.end()) return OkStatus();
    const std::vector<std::string> assignments = found->second;
    KESSAI_RETURN_IF_ERROR(Restart(service, assignments));
    before_.erase(service);
    return OkStatus();
}

Status Settings::RestoreAll() {
    Status first;
    while (!before_.empty()) {
        const std::string service = before_.begin()->first;
        Status restored = Restore(service);
        if (!restored.ok()) {
            before_.erase(service);  // once is enough
            if (first.ok()) first = std::move(restored);
        }
    }
    return first;
}

Status Settings::Restart(const std::string& service, const std::vector<std::string>& assignments) {
    std::vector<std::string> command{stack_.Command(), "restart",  service,         "--stack",
                                     stack_.name,      "--preset", stack_.Preset(), "--clear"};
    for (const std::string& assignment : assignments) {
        command.push_back("--set");
        command.push_back(assignment);
    }
    auto output = load::RunCommand(command, std::chrono::minutes(3));
    if (output.ok() && output->exit_code == 0) return OkStatus();
    return {Code::kUnavailable, "RESTART_FAILED",
            service + ": " +
                (output.ok() ? output->text.substr(0, 1'000) : output.status().ToString())};
}

}  // namespace kessai::bench
