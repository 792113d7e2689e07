#include "app/row_blocks.h"

#include <bit>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "app/bounded_queue.h"

namespace kessai::reconciliation::app {
namespace {

using domain::MerchantId;

constexpr std::size_t kBlockBytes = std::size_t{128} << 10;
constexpr std::size_t kBlocksAhead = 4;
constexpr std::size_t kPlaceBytes = 2 * sizeof(std::int64_t) + sizeof(std::uint32_t);

template <class T>
T BigEndian(T number) {
    static_assert(sizeof number == 4 || sizeof number == 8);
    if constexpr (std::endian::native == std::endian::big) return number;
    if constexpr (sizeof number == 4) {
        return __builtin_bswap32(number);
    } else {
        return __builtin_bswap64(number);
    }
}
// Numbers below zero come first.
std::uint64_t Ordered(std::int64_t number) {
    return BigEndian(static_cast<std::uint64_t>(number) ^ std::uint64_t{1} << 63);
}
std::int64_t UnOrdered(std::uint64_t bytes) {
    return static_cast<std::int64_t>(BigEndian(bytes) ^ std::uint64_t{1} << 63);
}

/// From the thread that sorts to the one that writes.
using BlockQueue = BoundedQueue<RowBlock>;

Status FillBlocks(rowsort::RowSort::Cursor cursor, BlockQueue& queue) {
    RowBlock block;
    while (true) {
        KESSAI_ASSIGN_OR_RETURN(const bool has_row, cursor.Next());
        if (has_row) {
            const rowsort::Record& record = cursor.record();
            block.Add(MerchantOf(record.group), record.key, record.value);
        }
        const bool full = block.bytes() >= kBlockBytes;
        if (block.rows() > 0 && (full || !has_row)) {
            const std::size_t rows = block.rows();
            if (!queue.Put(std::exchange(block, {}))) return OkStatus();
            if (has_row) block.Reserve(kBlockBytes + kBlockBytes / 8, rows + rows / 8);
        }
        if (!has_row) return OkStatus();
    }
}

}  // namespace

// The finalizer of SplitMix64, and its inverse.
std::uint64_t GroupOf(MerchantId merchant) {
    auto x = static_cast<std::uint64_t>(merchant.value());
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
    return x ^ x >> 31;
}

MerchantId MerchantOf(std::uint64_t group) {
    std::uint64_t x = group;
    x = (x ^ x >> 31 ^ x >> 62) * 0x319642b2d24d8ec3ULL;
    x = (x ^ x >> 27 ^ x >> 54) * 0x96de1b173f119089ULL;
    return MerchantId(static_cast<std::int64_t>(x ^ x >> 30 ^ x >> 60));
}

void AppendPlace(const PackedRow& row, std::string& key) {
    const std::uint64_t accepted = Ordered(row.accepted_us);
    const std::uint64_t id = Ordered(row.id);
    const std::uint32_t step = BigEndian(row.step);
    char place[kPlaceBytes];
    std::memcpy(place, &accepted, sizeof accepted);
    std::memcpy(place + sizeof accepted, &id, sizeof id);
    std::memcpy(place + sizeof accepted + sizeof id, &step, sizeof step);
    key.append(place, sizeof place);
}

void RowBlock::Add(MerchantId merchant, std::string_view key, std::string_view bytes) {
    bytes_.append(key.substr(key.size() - kPlaceBytes));
    bytes_.append(bytes);
    ends_.push_back(bytes_.size());
    if (stretches_.empty() || stretches_.back().merchant != merchant) {
        stretches_.push_back({merchant, 0});
    }
    stretches_.back().end = ends_.size();
}

void RowBlock::Reserve(std::size_t bytes, std::size_t rows) {
    bytes_.reserve(bytes);
    ends_.reserve(rows);
}

PackedRow RowBlock::Row(MerchantId merchant, std::size_t index) const {
    const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
    const char* const place = bytes_.data() + begin;
    std::uint64_t accepted = 0;
    std::uint64_t id = 0;
    std::uint32_t step = 0;
    std::memcpy(&accepted, place, sizeof accepted);
    std::memcpy(&id, place + sizeof accepted, sizeof id);
    std::memcpy(&step, place + sizeof accepted + sizeof id, sizeof step);
    return {.merchant = merchant,
            .accepted_us = UnOrdered(accepted),
            .id = UnOrdered(id),
            .step = BigEndian(step),
            .bytes = {place + kPlaceBytes, ends_[index] - begin - kPlaceBytes}};
}

Status WalkPart(const rowsort::RowSort& sort, int part, const std::function<bool()>& ended,
                MerchantVisitor& visitor) {
    BlockQueue queue(kBlocksAhead);
    std::jthread sorter([&queue, cursor = sort.Open(part)]() mutable {
        queue.End(FillBlocks(std::move(cursor), queue));
    });
    // Before the thread is joined, however this ends.
    const auto close = [](BlockQueue* of) { of->Close(); };
    const std::unique_ptr<BlockQueue, decltype(close)> closing(&queue, close);

    std::optional<MerchantId> current;
    while (!ended()) {
        KESSAI_ASSIGN_OR_RETURN(std::optional<RowBlock> block, queue.Take());
        if (!block) return current ? visitor.End() : OkStatus();
        const bool of_one = block->stretches().size() == 1;
        std::size_t index = 0;
        for (const auto& [merchant, end] : block->stretches()) {
            if (!current || *current != merchant) {
                if (current) KESSAI_RETURN_IF_ERROR(visitor.End());
                if (ended()) return OkStatus();
                current = merchant;
                KESSAI_RETURN_IF_ERROR(visitor.Begin(merchant));
            }
            if (of_one && block->bytes() >= kBlockBytes) break;
            for (; index < end; ++index) {
                KESSAI_RETURN_IF_ERROR(visitor.Take(block->Row(merchant, index)));
            }
        }
        if (index == 0) KESSAI_RETURN_IF_ERROR(visitor.TakeBlock(std::move(*block)));
    }
    return OkStatus();
}

}  // namespace kessai::reconciliation::app
