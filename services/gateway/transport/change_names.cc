#include "transport/change_names.h"

#include <algorithm>
#include <cstdint>

namespace kessai::gateway::transport {
namespace {

// What payment and payout take at once, and what of it stands in a log line.
constexpr std::size_t kRepublishedMax = 1'000;
constexpr std::size_t kNamesLogged = 20;
constexpr std::size_t kReasonMax = 1'000;

/// The changes whose events are to be published again.
std::vector<domain::ChangeName> ReadChanges(JsonFields& fields) {
    std::vector<domain::ChangeName> changes;
    const auto list = fields.OptionalArray("changes");
    if (!list || list->size() == 0 || list->size() > kRepublishedMax) {
        fields.Malformed("changes", "is not a list of 1 to 1,000");
        return changes;
    }
    for (const auto entry : *list) {
        simdjson::dom::object object;
        if (entry.get(object) != simdjson::SUCCESS) {
            fields.Malformed("changes", "holds what is no object");
            return changes;
        }
        JsonFields inner(object, "changes");
        inner.OnlyThese({"objectId", "version"});
        domain::ChangeName change;
        change.object_id = inner.Id("objectId");
        change.version = static_cast<std::uint32_t>(inner.Integer("version", 1, UINT32_MAX));
        if (!inner.ok()) {
            fields.Refuse(inner.status());
            return changes;
        }
        if (std::ranges::find(changes, change) != changes.end()) {
            fields.Malformed("changes", "names a change twice");
            return changes;
        }
        changes.push_back(change);
    }
    return changes;
}

}  // namespace

Republish ReadRepublish(JsonFields& fields) {
    fields.OnlyThese({"changes", "reason"});
    Republish wish;
    wish.changes = ReadChanges(fields);
    wish.reason = fields.Text("reason", kReasonMax);
    return wish;
}

std::string NamesOf(const std::vector<domain::ChangeName>& changes) {
    std::string names;
    for (std::size_t i = 0; i < changes.size() && i < kNamesLogged; ++i) {
        if (i > 0) names += ' ';
        names += std::to_string(changes[i].object_id) + "/" + std::to_string(changes[i].version);
    }
    if (changes.size() > kNamesLogged) {
        names += " and " + std::to_string(changes.size() - kNamesLogged) + " more";
    }
    return names;
}

}  // namespace kessai::gateway::transport
