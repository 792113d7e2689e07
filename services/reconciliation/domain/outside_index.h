#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "domain/outside_item.h"
#include "domain/outside_rule.h"

namespace kessai::reconciliation::domain {

/// An item with its texts as numbers: those of equal texts are equal.
struct IndexedItem {
    OutsideItemId id{};
    /// Of account and currency.
    std::uint32_t account = 0;
    std::int64_t amount = 0;
    /// Since 1970.
    std::int32_t day = 0;
    /// Of the normal references, rising.
    std::vector<std::uint32_t> references = {};
};

/// Both sides, each in the order of its ids, so that the order in which items came decides nothing.
struct IndexedSides {
    std::vector<IndexedItem> expected = {};
    std::vector<IndexedItem> booked = {};
};

/// Refuses with OUTSIDE_ITEM_TWICE.
Result<IndexedSides> IndexSides(const std::vector<OutsideItem>& expected,
                                const std::vector<OutsideItem>& booked);

bool ShareReference(const IndexedItem& a, const IndexedItem& b);

/// What a search may be among: amounts and days, both ends included.
struct SearchRange {
    std::int64_t amount_min = 0;
    std::int64_t amount_max = 0;
    std::int32_t day_min = 0;
    std::int32_t day_max = 0;
};

/// What a search found: positions of items, rising.
struct Found {
    std::vector<std::uint32_t> items = {};
    /// All there are: no bound was reached.
    bool complete = true;
    /// How many entries were looked at.
    std::int64_t work = 0;
};

/// Items of one side by account, reference, amount and day. Value type.
class OutsideIndex {
 public:
    /// Of `items` those that are not `taken`. With `by_reference` an item is found by any of its
    /// references, otherwise by its account alone.
    OutsideIndex(const std::vector<IndexedItem>& items, const std::vector<bool>& taken,
                 bool by_reference);

    /// The items of `like`'s account (with one of its references) in `range`: at most `found_max`,
    /// looking at no more than `work_max` entries.
    Found Find(const IndexedItem& like, const SearchRange& range, std::size_t found_max,
               std::int64_t work_max) const;

    /// Under what an item is found: account, and reference or 0.
    std::vector<std::uint64_t> KeysOf(const IndexedItem& item) const;

 private:
    struct Entry {
        std::uint64_t key;
        std::int64_t amount;
        std::int32_t day;
        std::uint32_t item;

        auto operator<=>(const Entry&) const = default;
    };

    bool by_reference_;
    std::vector<Entry> entries_;
};

}  // namespace kessai::reconciliation::domain
