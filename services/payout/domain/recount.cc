#include "domain/recount.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <tuple>

namespace kessai::payout::domain {
namespace {

constexpr std::size_t kSmallestTable = 64;
// How far ahead of an addition its slot is asked for.
constexpr std::size_t kRowsAhead = 12;

auto KeyOf(const MerchantSums& sums) {
    return std::tuple(sums.merchant, sums.tax_class);
}

// An object and not a function, so that sorting and merging take it in.
constexpr auto kInOrder = [](const MerchantSums& a, const MerchantSums& b) {
    return KeyOf(a) < KeyOf(b);
};

/// The run of entries of one merchant that begins at `at`.
std::size_t RunLength(std::span<const MerchantSums> sums, std::size_t at) {
    std::size_t end = at;
    while (end < sums.size() && sums[end].merchant == sums[at].merchant) ++end;
    return end - at;
}

Sums Total(std::span<const MerchantSums> run) {
    Sums total;
    for (const MerchantSums& part : run) total = total + part.sums;
    return total;
}

}  // namespace

SegmentSums::SegmentSums(std::size_t merchants_expected)
    : slots_(std::bit_ceil(std::max(kSmallestTable, merchants_expected * 2))) {}

std::size_t SegmentSums::HomeOf(std::int64_t merchant, std::uint64_t tax_class) const {
    const std::size_t hash = std::hash<MerchantId>{}(MerchantId{merchant});
    return (hash + tax_class) & (slots_.size() - 1);
}

// A slot with no items is free: every entry has at least one.
SegmentSums::Slot& SegmentSums::SlotOf(std::int64_t merchant, std::uint64_t tax_class) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = HomeOf(merchant, tax_class);
    while (slots_[at].item_count != 0 &&
           (slots_[at].merchant != merchant || slots_[at].tax_class != tax_class)) {
        at = (at + 1) & mask;
    }
    return slots_[at];
}

void SegmentSums::Add(std::span<const AccruedAmount> rows) {
    const auto class_of = [](const AccruedAmount& row) {
        return static_cast<std::uint64_t>(row.tax_class);
    };
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (i + kRowsAhead < rows.size()) {
            const AccruedAmount& ahead = rows[i + kRowsAhead];
            __builtin_prefetch(&slots_[HomeOf(ahead.merchant.value(), class_of(ahead))], 1);
        }
        const AccruedAmount& row = rows[i];
        Slot& slot = SlotOf(row.merchant.value(), class_of(row));
        const bool is_new = slot.item_count == 0;
        const Sums sums = Sums{slot.gross, slot.fee, 0} + Sums{row.gross, row.fee, 0};
        slot.merchant = row.merchant.value();
        slot.tax_class = class_of(row) & 0xff;
        slot.gross = sums.gross;
        slot.fee = sums.fee;
        ++slot.item_count;
        if (is_new && ++size_ * 2 > slots_.size()) Grow();
    }
}

void SegmentSums::Grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& entry : old) {
        if (entry.item_count != 0) SlotOf(entry.merchant, entry.tax_class) = entry;
    }
}

std::vector<MerchantSums> SegmentSums::TakeSorted() {
    std::vector<MerchantSums> sorted;
    sorted.reserve(size_);
    for (const Slot& slot : slots_) {
        if (slot.item_count == 0) continue;
        sorted.push_back({MerchantId(slot.merchant),
                          static_cast<TaxClass>(slot.tax_class),
                          {slot.gross, slot.fee, static_cast<std::int64_t>(slot.item_count)}});
    }
    slots_ = std::vector<Slot>(kSmallestTable);
    size_ = 0;
    std::sort(sorted.begin(), sorted.end(), kInOrder);
    return sorted;
}

Recount::Recount(std::vector<std::vector<MerchantSums>> sorted_parts)
    : parts_(std::move(sorted_parts)) {}

std::vector<MerchantSums> Recount::Reduce(const MerchantRange& range) const {
    std::vector<MerchantSums> merged;
    for (const std::vector<MerchantSums>& part : parts_) {
        const auto first = std::lower_bound(
            part.begin(), part.end(), range.first,
            [](const MerchantSums& sums, MerchantId id) { return sums.merchant < id; });
        const auto last = std::upper_bound(
            first, part.end(), range.last,
            [](MerchantId id, const MerchantSums& sums) { return id < sums.merchant; });
        const auto middle = merged.insert(merged.end(), first, last);
        std::inplace_merge(merged.begin(), middle, merged.end(), kInOrder);
    }
    return Joined(std::move(merged));
}

std::vector<MerchantSums> Joined(std::vector<MerchantSums> sorted) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        if (kept > 0 && KeyOf(sorted[kept - 1]) == KeyOf(sorted[i])) {
            sorted[kept - 1].sums = sorted[kept - 1].sums + sorted[i].sums;
        } else {
            sorted[kept++] = sorted[i];
        }
    }
    sorted.resize(kept);
    return sorted;
}

std::vector<Comparison> Compare(std::span<const MerchantSums> totals,
                                std::span<const MerchantSums> recounted) {
    std::vector<Comparison> comparisons;
    std::size_t t = 0;
    std::size_t r = 0;
    while (t < totals.size() || r < recounted.size()) {
        Comparison comparison;
        const bool has_total = t < totals.size() && (r >= recounted.size() ||
                                                     totals[t].merchant <= recounted[r].merchant);
        comparison.merchant = has_total ? totals[t].merchant : recounted[r].merchant;
        const bool has_recount =
            r < recounted.size() && recounted[r].merchant == comparison.merchant;
        const auto total_run =
            has_total ? totals.subspan(t, RunLength(totals, t)) : std::span<const MerchantSums>();
        const auto recount_run = has_recount ? recounted.subspan(r, RunLength(recounted, r))
                                             : std::span<const MerchantSums>();
        comparison.equal =
            std::equal(total_run.begin(), total_run.end(), recount_run.begin(), recount_run.end());
        comparison.totals = Total(total_run);
        comparison.recounted = Total(recount_run);
        comparison.first = r;
        comparison.count = recount_run.size();
        comparisons.push_back(comparison);
        t += total_run.size();
        r += recount_run.size();
    }
    return comparisons;
}

}  // namespace kessai::payout::domain
