#include "domain/outside_index.h"

#include <algorithm>
#include <string>
#include <utility>

namespace kessai::reconciliation::domain {
namespace {

/// Texts to numbers from 1, in the order of the texts.
class Numbers {
 public:
    void Add(std::string text) { texts_.push_back(std::move(text)); }
    void Number() {
        std::ranges::sort(texts_);
        const auto rest = std::ranges::unique(texts_);
        texts_.erase(rest.begin(), rest.end());
    }
    std::uint32_t Of(const std::string& text) const {
        const auto at = std::ranges::lower_bound(texts_, text);
        return static_cast<std::uint32_t>(at - texts_.begin()) + 1;
    }

 private:
    std::vector<std::string> texts_;
};

std::string AccountOf(const OutsideItem& item) {
    return std::string(item.amount.currency().code()) + ' ' + item.account;
}

Status CheckIds(const std::vector<IndexedItem>& items, std::string_view side) {
    const auto twice = std::ranges::adjacent_find(items, {}, &IndexedItem::id);
    if (twice == items.end()) return OkStatus();
    return Status(
        Code::kInvalidArgument, reason::kOutsideItemTwice,
        "id " + twice->id.ToString() + " is there twice among what is " + std::string(side));
}

}  // namespace

Result<IndexedSides> IndexSides(const std::vector<OutsideItem>& expected,
                                const std::vector<OutsideItem>& booked) {
    Numbers accounts;
    Numbers references;
    using Normal = std::vector<std::vector<std::string>>;
    const auto collect = [&](const std::vector<OutsideItem>& items) {
        Normal normal(items.size());
        for (std::size_t i = 0; i < items.size(); ++i) {
            accounts.Add(AccountOf(items[i]));
            for (const std::string& written : items[i].references) {
                std::string reference = NormalReference(written);
                if (reference.empty()) continue;
                references.Add(reference);
                normal[i].push_back(std::move(reference));
            }
        }
        return normal;
    };
    const Normal of_expected = collect(expected);
    const Normal of_booked = collect(booked);
    accounts.Number();
    references.Number();
    const auto index = [&](const std::vector<OutsideItem>& items, const Normal& normal) {
        std::vector<IndexedItem> indexed;
        indexed.reserve(items.size());
        for (std::size_t i = 0; i < items.size(); ++i) {
            IndexedItem& item = indexed.emplace_back();
            item.id = items[i].id;
            item.account = accounts.Of(AccountOf(items[i]));
            item.amount = items[i].amount.minor();
            item.day = static_cast<std::int32_t>(items[i].date.day().time_since_epoch().count());
            for (const std::string& reference : normal[i]) {
                item.references.push_back(references.Of(reference));
            }
            std::ranges::sort(item.references);
            const auto rest = std::ranges::unique(item.references);
            item.references.erase(rest.begin(), rest.end());
        }
        std::ranges::sort(indexed, {}, &IndexedItem::id);
        return indexed;
    };
    IndexedSides sides{index(expected, of_expected), index(booked, of_booked)};
    KESSAI_RETURN_IF_ERROR(CheckIds(sides.expected, "expected"));
    KESSAI_RETURN_IF_ERROR(CheckIds(sides.booked, "booked"));
    return sides;
}

bool ShareReference(const IndexedItem& a, const IndexedItem& b) {
    auto x = a.references.begin();
    auto y = b.references.begin();
    while (x != a.references.end() && y != b.references.end()) {
        if (*x == *y) return true;
        *x < *y ? ++x : ++y;
    }
    return false;
}

OutsideIndex::OutsideIndex(const std::vector<IndexedItem>& items, const std::vector<bool>& taken,
                           bool by_reference)
    : by_reference_(by_reference) {
    for (std::uint32_t i = 0; i < items.size(); ++i) {
        if (taken[i]) continue;
        for (const std::uint64_t key : KeysOf(items[i])) {
            entries_.push_back({key, items[i].amount, items[i].day, i});
        }
    }
    std::ranges::sort(entries_);
}

std::vector<std::uint64_t> OutsideIndex::KeysOf(const IndexedItem& item) const {
    constexpr int kAccountBits = 32;
    const std::uint64_t account = std::uint64_t{item.account} << kAccountBits;
    if (!by_reference_) return {account};
    std::vector<std::uint64_t> keys;
    for (const std::uint32_t reference : item.references) keys.push_back(account | reference);
    return keys;
}

Found OutsideIndex::Find(const IndexedItem& like, const SearchRange& range, std::size_t found_max,
                         std::int64_t work_max) const {
    Found found;
    for (const std::uint64_t key : KeysOf(like)) {
        // Of equal amounts, only those of the days are looked at.
        auto at =
            std::ranges::lower_bound(entries_, Entry{key, range.amount_min, range.day_min, 0});
        for (; at != entries_.end() && at->key == key && at->amount <= range.amount_max; ++at) {
            if (range.amount_min == range.amount_max && at->day > range.day_max) break;
            if (found.work == work_max) {
                found.complete = false;
                break;
            }
            ++found.work;
            if (at->day < range.day_min || at->day > range.day_max) continue;
            const auto place = std::ranges::lower_bound(found.items, at->item);
            if (place != found.items.end() && *place == at->item) continue;
            if (found.items.size() == found_max) {
                found.complete = false;
                break;
            }
            found.items.insert(place, at->item);
        }
    }
    return found;
}

}  // namespace kessai::reconciliation::domain
