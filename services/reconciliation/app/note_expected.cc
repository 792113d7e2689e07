#include "app/note_expected.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace kessai::reconciliation::app {
namespace {

NewOutsideItem ItemOf(const domain::ExpectedItem& expected) {
    NewOutsideItem item;
    item.identity =
        std::to_string(expected.key.object) + "/" + std::to_string(expected.key.version);
    domain::OutsideRecord& record = item.record;
    record.side = domain::OutsideSide::kExpected;
    record.account = expected.account;
    record.amount = expected.amount;
    record.date = expected.date;
    record.value_date = expected.date;
    for (const std::string& reference : expected.references) {
        record.references.emplace_back("kessai", reference);
    }
    record.text = expected.text;
    record.kind = expected.kind;
    record.key = expected.key;
    record.content = expected.content;
    return item;
}

}  // namespace

Result<std::map<std::size_t, Status>> NoteExpected(OutsideBooks& books,
                                                   std::span<const domain::ExpectedItem> items,
                                                   bool assumed_new) {
    std::map<std::size_t, Status> conflicts;
    if (items.empty()) return conflicts;
    std::map<domain::ExpectedKey, domain::ContentHash> known;
    if (!assumed_new) {
        std::vector<domain::ExpectedKey> keys;
        for (const domain::ExpectedItem& item : items) keys.push_back(item.key);
        std::ranges::sort(keys);
        KESSAI_ASSIGN_OR_RETURN(const auto found, books.FindExpected(keys));
        for (const KnownExpected& one : found) known[one.key] = one.content;
    }
    std::vector<NewOutsideItem> fresh;
    for (std::size_t i = 0; i < items.size(); ++i) {
        const auto earlier = known.find(items[i].key);
        if (earlier == known.end()) {
            fresh.push_back(ItemOf(items[i]));
        } else if (earlier->second != items[i].content) {
            conflicts.emplace(i, Status(Code::kAlreadyExists, "EFFECT_CONFLICT",
                                        "the event said something else before"));
        }
    }
    if (fresh.empty() || !conflicts.empty()) return conflicts;
    const Status stored = books.InsertItems(fresh);
    if (stored.code() == Code::kAlreadyExists && !assumed_new) {
        return Status(Code::kAborted, "EXPECTED_STORED_MEANWHILE", std::string(stored.message()));
    }
    KESSAI_RETURN_IF_ERROR(Status(stored));
    return conflicts;
}

}  // namespace kessai::reconciliation::app
