#include "kessai/metrics/schema.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>

namespace kessai::metrics {
namespace {

struct Entry {
    std::string type;
    std::string unit;
    std::string help;
    std::vector<std::string> labels;
    std::vector<std::string> services;
};

constexpr std::string_view kKeys[] = {"name", "type", "unit", "labels", "services", "help"};

std::string Joined(const std::vector<std::string>& texts) {
    std::string joined;
    for (const std::string& text : texts) joined += (joined.empty() ? "" : ", ") + text;
    return '[' + joined + ']';
}

bool Concerns(const Entry& entry, std::string_view service) {
    return std::any_of(entry.services.begin(), entry.services.end(),
                       [&](const std::string& each) { return each == service || each == "all"; });
}

std::map<std::string, Entry> ReadEntries(const std::string& file,
                                         std::vector<std::string>& problems) {
    std::map<std::string, Entry> entries;
    const YAML::Node root = YAML::LoadFile(file);
    for (const auto& node : root) {
        const std::string where = file + ":" + std::to_string(node.Mark().line + 1) + ": ";
        for (const auto& key : node) {
            const auto name = key.first.as<std::string>();
            if (std::find(std::begin(kKeys), std::end(kKeys), name) == std::end(kKeys)) {
                problems.push_back(where + "unknown key " + name);
            }
        }
        const auto name = node["name"].as<std::string>();
        Entry entry{node["type"].as<std::string>(), node["unit"].as<std::string>(),
                    node["help"].as<std::string>(), node["labels"].as<std::vector<std::string>>(),
                    node["services"].as<std::vector<std::string>>()};
        std::sort(entry.labels.begin(), entry.labels.end());
        if (!entries.emplace(name, std::move(entry)).second) {
            problems.push_back(where + name + " is repeated");
        }
    }
    return entries;
}

void Compare(const Declared& declared, const Entry& entry, std::vector<std::string>& problems) {
    const auto differs = [&](std::string_view what, const std::string& here,
                             const std::string& there) {
        if (here == there) return;
        problems.push_back(declared.name + ": " + std::string(what) + " " + here +
                           ", in the schema " + there);
    };
    differs("type", declared.type, entry.type);
    differs("help", declared.help, entry.help);
    differs("labels", Joined(declared.labels), Joined(entry.labels));
}

std::string GuessUnit(std::string_view name) {
    if (name.ends_with("_total")) name.remove_suffix(6);
    return std::string(name.substr(name.rfind('_') + 1));
}

/// A help text may have what means something else in YAML, such as a colon.
std::string Quoted(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + '"';
}

}  // namespace

std::vector<std::string> CompareWithSchema(const std::vector<Declared>& declared,
                                           const std::string& schema_file,
                                           std::string_view service) {
    std::vector<std::string> problems;
    std::map<std::string, Entry> entries;
    try {
        entries = ReadEntries(schema_file, problems);
    } catch (const YAML::Exception& e) {
        problems.push_back(schema_file + ": " + e.what());
        return problems;
    }
    std::map<std::string, const Declared*> by_name;
    for (const Declared& each : declared) {
        by_name[each.name] = &each;
        const auto entry = entries.find(each.name);
        if (entry == entries.end() || !Concerns(entry->second, service)) {
            problems.push_back(each.name + " is not in the schema for " + std::string(service));
        } else {
            Compare(each, entry->second, problems);
        }
    }
    for (const auto& [name, entry] : entries) {
        if (Concerns(entry, service) && !by_name.contains(name)) {
            problems.push_back(name + " is in the schema but " + std::string(service) +
                               " does not register it");
        }
    }
    return problems;
}

std::string ProposeEntries(const std::vector<Declared>& declared, std::string_view service) {
    std::string text;
    for (const Declared& each : declared) {
        text += "- name: " + each.name + "\n  type: " + each.type +
                "\n  unit: " + GuessUnit(each.name) + "\n  labels: " + Joined(each.labels) +
                "\n  services: [" + std::string(service) + "]\n  help: " + Quoted(each.help) + "\n";
    }
    return text;
}

}  // namespace kessai::metrics
