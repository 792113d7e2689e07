#include "kessai/rowsort/row_sort.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>
#include <thread>

#include "kessai/result/check.h"
#include "spill_file.h"

namespace kessai::rowsort {
namespace {

using internal::SpillFile;

constexpr std::size_t kChunkBytes = std::size_t{256} << 10;
constexpr std::size_t kWriteBytes = std::size_t{1} << 20;
constexpr std::size_t kReadBytesMax = std::size_t{256} << 10;
constexpr std::size_t kReadBytesMin = std::size_t{8} << 10;
constexpr std::size_t kKeyMax = std::size_t{64} << 10;
constexpr std::size_t kRecordMax = std::size_t{1} << 30;

// A row as it is held, in memory and in a run: this, the key, the value.
struct Head {
    std::uint64_t group;
    std::uint32_t key_bytes;
    std::uint32_t value_bytes;
};
static_assert(sizeof(Head) == 16);

Head HeadOf(const char* row) {
    Head head;
    std::memcpy(&head, row, sizeof head);
    return head;
}
std::size_t BytesOf(const Head& head) {
    return sizeof(Head) + head.key_bytes + head.value_bytes;
}
std::string_view KeyOf(const char* row) {
    return {row + sizeof(Head), HeadOf(row).key_bytes};
}

/// The key's first eight bytes as a number that compares as they do.
std::uint64_t PrefixOf(std::string_view key) {
    std::uint64_t prefix = 0;
    std::memcpy(&prefix, key.data(), std::min(key.size(), sizeof prefix));
    if constexpr (std::endian::native == std::endian::little) prefix = __builtin_bswap64(prefix);
    return prefix;
}

std::size_t PartOf(std::uint64_t group) {
    return group >> 56;
}

/// A row in memory, by what decides nearly always.
struct Entry {
    std::uint64_t group;
    std::uint64_t prefix;
    const char* row;

    bool operator<(const Entry& other) const {
        if (group != other.group) return group < other.group;
        if (prefix != other.prefix) return prefix < other.prefix;
        return KeyOf(row) < KeyOf(other.row);
    }
};

/// Sorts rows of which many may come in order already: those of several sources that each have
/// theirs sorted, one behind the other, which are hard on std::sort. `spare` keeps its memory.
void SortEntries(std::span<Entry> entries, std::vector<Entry>& spare) {
    constexpr std::size_t kWorthMerging = 16;
    std::vector<std::size_t> begins{0};
    for (std::size_t i = 1; i < entries.size(); ++i) {
        if (entries[i] < entries[i - 1]) begins.push_back(i);
        if (begins.size() * kWorthMerging > entries.size()) {
            std::sort(entries.begin(), entries.end());
            return;
        }
    }
    if (begins.size() < 2) return;
    spare.resize(entries.size());
    std::span<Entry> from = entries;
    std::span<Entry> to = spare;
    while (begins.size() > 1) {
        std::vector<std::size_t> merged;
        for (std::size_t i = 0; i < begins.size(); i += 2) {
            const auto at = [&](std::size_t run) {
                return from.begin() +
                       static_cast<std::ptrdiff_t>(run < begins.size() ? begins[run] : from.size());
            };
            std::merge(at(i), at(i + 1), at(i + 1), at(i + 2),
                       to.begin() + static_cast<std::ptrdiff_t>(begins[i]));
            merged.push_back(begins[i]);
        }
        begins = std::move(merged);
        std::swap(from, to);
    }
    if (from.data() != entries.data()) std::copy(from.begin(), from.end(), entries.begin());
}

/// Where each part of a run begins, and after them its end: bytes of a file, or rows in memory.
using PartOffsets = std::array<std::uint64_t, kParts + 1>;

/// Rows in memory.
class Arena {
 public:
    void Add(std::uint64_t group, std::string_view key, std::string_view value) {
        const Head head{group, static_cast<std::uint32_t>(key.size()),
                        static_cast<std::uint32_t>(value.size())};
        char* row = Take(BytesOf(head));
        std::memcpy(row, &head, sizeof head);
        std::ranges::copy(key, row + sizeof head);
        std::ranges::copy(value, row + sizeof head + key.size());
        entries_.push_back({group, PrefixOf(key), row});
    }
    /// What a row more may take.
    std::size_t bytes() const { return bytes_ + entries_.size() * 2 * sizeof(Entry); }
    bool empty() const { return entries_.empty(); }
    const std::vector<Entry>& entries() const { return entries_; }

    /// Counts into the parts first: the sort of each is small then, and stays in the caches.
    PartOffsets Sort() {
        PartOffsets offsets{};
        for (const Entry& entry : entries_) ++offsets[PartOf(entry.group) + 1];
        for (std::size_t i = 0; i < kParts; ++i) offsets[i + 1] += offsets[i];
        std::array<std::uint64_t, kParts> next{};
        std::copy_n(offsets.begin(), kParts, next.begin());
        for (std::size_t part = 0; part < kParts; ++part) {
            while (next[part] < offsets[part + 1]) {
                Entry& entry = entries_[next[part]];
                const std::size_t home = PartOf(entry.group);
                if (home == part) {
                    ++next[part];
                } else {
                    std::swap(entry, entries_[next[home]++]);
                }
            }
        }
        for (std::size_t part = 0; part < kParts; ++part) {
            const std::size_t count = offsets[part + 1] - offsets[part];
            SortEntries(std::span(entries_).subspan(offsets[part], count), spare_);
        }
        return offsets;
    }

    /// Keeps its chunks.
    void Clear() {
        entries_.clear();
        large_.clear();
        used_chunks_ = 0;
        chunk_used_ = kChunkBytes;
        bytes_ = 0;
    }
    void Release() { *this = Arena(); }

 private:
    char* Take(std::size_t size) {
        bytes_ += size;
        if (size > kChunkBytes / 4) {
            large_.push_back(std::make_unique_for_overwrite<char[]>(size));
            return large_.back().get();
        }
        if (chunk_used_ + size > kChunkBytes) {
            if (used_chunks_ == chunks_.size()) {
                chunks_.push_back(std::make_unique_for_overwrite<char[]>(kChunkBytes));
            }
            ++used_chunks_;
            chunk_used_ = 0;
        }
        char* taken = chunks_[used_chunks_ - 1].get() + chunk_used_;
        chunk_used_ += size;
        return taken;
    }

    std::vector<Entry> entries_;
    /// For sorting.
    std::vector<Entry> spare_;
    std::vector<std::unique_ptr<char[]>> chunks_;
    std::vector<std::unique_ptr<char[]>> large_;
    std::size_t used_chunks_ = 0;
    std::size_t chunk_used_ = kChunkBytes;
    std::size_t bytes_ = 0;
};

/// Sorted rows: of a file, or of an arena that stayed in memory.
struct Run {
    const SpillFile* file = nullptr;
    const Arena* arena = nullptr;
    PartOffsets offsets{};
};

struct Adder {
    Arena arena;
    SpillFile file;
    std::vector<Run> runs;
    std::string out;
    std::uint64_t rows = 0;
};

/// One run's rows of one part, in order.
class Reader {
 public:
    Reader(const Run& run, std::uint64_t from, std::uint64_t to, std::size_t buffer_bytes)
        : run_(&run), next_(from), end_(to), buffer_bytes_(buffer_bytes) {}

    /// The offset of the row behind this one.
    std::uint64_t next() const { return next_; }
    std::uint64_t group() const { return group_; }
    std::uint64_t prefix() const { return prefix_; }
    const char* row() const { return row_; }
    /// What this row takes of next().
    std::uint64_t RowSize() const { return run_->arena != nullptr ? 1 : BytesOf(HeadOf(row_)); }

    Result<bool> Next() {
        if (next_ == end_) return false;
        if (run_->arena != nullptr) {
            const Entry& entry = run_->arena->entries()[next_++];
            group_ = entry.group;
            prefix_ = entry.prefix;
            row_ = entry.row;
            return true;
        }
        KESSAI_RETURN_IF_ERROR(Have(sizeof(Head)));
        const Head head = HeadOf(buffer_.data() + position_);
        KESSAI_RETURN_IF_ERROR(Have(BytesOf(head)));
        row_ = buffer_.data() + position_;
        group_ = head.group;
        prefix_ = PrefixOf(KeyOf(row_));
        position_ += BytesOf(head);
        next_ += BytesOf(head);
        return true;
    }

 private:
    /// At least `bytes` of the buffer are behind position_.
    Status Have(std::size_t bytes) {
        const std::size_t left = filled_ - position_;
        if (left >= bytes) return OkStatus();
        if (left > 0) std::memmove(buffer_.data(), buffer_.data() + position_, left);
        position_ = 0;
        const std::size_t wanted = std::max(bytes, buffer_bytes_);
        if (buffer_.size() < wanted) buffer_.resize(wanted);
        const std::uint64_t offset = next_ + left;
        const std::size_t more =
            static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size() - left, end_ - offset));
        KESSAI_RETURN_IF_ERROR(run_->file->Read(offset, {buffer_.data() + left, more}));
        filled_ = left + more;
        KESSAI_CHECK(filled_ >= bytes, "a run has whole rows");
        return OkStatus();
    }

    const Run* run_;
    std::uint64_t next_;
    std::uint64_t end_;
    std::size_t buffer_bytes_;
    std::vector<char> buffer_;
    std::size_t position_ = 0;
    std::size_t filled_ = 0;
    std::uint64_t group_ = 0;
    std::uint64_t prefix_ = 0;
    const char* row_ = nullptr;
};

/// Whether `a` comes after `b`.
bool IsAfter(const Reader& a, const Reader& b) {
    if (a.group() != b.group()) return a.group() > b.group();
    if (a.prefix() != b.prefix()) return a.prefix() > b.prefix();
    return KeyOf(a.row()) > KeyOf(b.row());
}

}  // namespace

struct RowSort::Impl {
    Options options;
    std::size_t memory_of_adder = 0;
    std::vector<std::unique_ptr<Adder>> adders;
    /// Of all adders, once finished.
    std::vector<Run> runs;
    std::uint64_t rows = 0;
    std::uint64_t spilled_runs = 0;
    std::size_t read_bytes = kReadBytesMax;

    Status Spill(Adder& adder) {
        if (!adder.file.is_open()) KESSAI_RETURN_IF_ERROR(adder.file.Open(options.folder));
        const PartOffsets rows_before = adder.arena.Sort();
        Run run;
        run.file = &adder.file;
        const std::vector<Entry>& entries = adder.arena.entries();
        std::size_t part = 0;
        adder.out.reserve(kWriteBytes);
        for (std::size_t i = 0; i < entries.size(); ++i) {
            while (part < kParts && rows_before[part] == i) {
                run.offsets[part++] = adder.file.size() + adder.out.size();
            }
            const char* row = entries[i].row;
            adder.out.append(row, BytesOf(HeadOf(row)));
            if (adder.out.size() >= kWriteBytes) {
                KESSAI_RETURN_IF_ERROR(adder.file.Append(adder.out));
                adder.out.clear();
            }
        }
        KESSAI_RETURN_IF_ERROR(adder.file.Append(adder.out));
        adder.out.clear();
        while (part <= kParts) run.offsets[part++] = adder.file.size();
        adder.runs.push_back(run);
        adder.arena.Clear();
        return OkStatus();
    }
};

RowSort::RowSort(Options options) : impl_(std::make_unique<Impl>()) {
    KESSAI_CHECK(options.adders > 0 && options.cursors > 0, "somebody adds and somebody reads");
    impl_->memory_of_adder =
        std::max(kMemoryMin, options.memory_max / static_cast<std::size_t>(options.adders));
    for (int i = 0; i < options.adders; ++i) impl_->adders.push_back(std::make_unique<Adder>());
    impl_->options = std::move(options);
}

RowSort::~RowSort() = default;

Status RowSort::Add(int adder, std::uint64_t group, std::string_view key, std::string_view value) {
    KESSAI_CHECK(key.size() <= kKeyMax && value.size() <= kRecordMax, "a row is bounded");
    Adder& to = *impl_->adders[static_cast<std::size_t>(adder)];
    to.arena.Add(group, key, value);
    ++to.rows;
    return to.arena.bytes() < impl_->memory_of_adder ? OkStatus() : impl_->Spill(to);
}

Status RowSort::Finish() {
    Impl& impl = *impl_;
    const bool spilled = std::any_of(impl.adders.begin(), impl.adders.end(),
                                     [](const auto& adder) { return !adder->runs.empty(); });
    // With runs on disk the rest goes there too: the memory is for reading them.
    const auto finish = [&](Adder& adder) -> Status {
        if (adder.arena.empty()) return OkStatus();
        if (spilled) return impl.Spill(adder);
        adder.runs.push_back({nullptr, &adder.arena, adder.arena.Sort()});
        return OkStatus();
    };
    std::vector<Status> outcomes(impl.adders.size());
    {
        std::vector<std::jthread> others;
        for (std::size_t i = 1; i < impl.adders.size(); ++i) {
            others.emplace_back([&, i] { outcomes[i] = finish(*impl.adders[i]); });
        }
        outcomes[0] = finish(*impl.adders[0]);
    }
    for (const Status& outcome : outcomes) KESSAI_RETURN_IF_ERROR(outcome);
    for (const auto& adder : impl.adders) {
        if (spilled) adder->arena.Release();
        impl.rows += adder->rows;
        impl.runs.insert(impl.runs.end(), adder->runs.begin(), adder->runs.end());
    }
    if (spilled) {
        impl.spilled_runs = impl.runs.size();
        const std::size_t readers =
            impl.runs.size() * static_cast<std::size_t>(impl.options.cursors);
        impl.read_bytes =
            std::clamp(impl.options.memory_max / 2 / readers, kReadBytesMin, kReadBytesMax);
    }
    return OkStatus();
}

std::uint64_t RowSort::rows() const {
    return impl_->rows;
}

std::uint64_t RowSort::spilled_runs() const {
    return impl_->spilled_runs;
}

bool RowSort::HasRows(int part) const {
    const auto at = static_cast<std::size_t>(part);
    return std::any_of(impl_->runs.begin(), impl_->runs.end(),
                       [&](const Run& run) { return run.offsets[at] < run.offsets[at + 1]; });
}

struct RowSort::Cursor::Impl {
    std::vector<Reader> readers;
    /// A heap of those that stand at a row, the smallest first.
    std::vector<std::size_t> heap;
    Record record;
    bool begun = false;

    bool After(std::size_t a, std::size_t b) const { return IsAfter(readers[a], readers[b]); }

    Status Begin() {
        begun = true;
        for (std::size_t i = 0; i < readers.size(); ++i) {
            KESSAI_ASSIGN_OR_RETURN(const bool has_row, readers[i].Next());
            if (has_row) heap.push_back(i);
        }
        std::make_heap(heap.begin(), heap.end(),
                       [this](std::size_t a, std::size_t b) { return After(a, b); });
        return OkStatus();
    }
    /// The first one may have moved on.
    void SiftDown() {
        std::size_t at = 0;
        while (true) {
            std::size_t child = 2 * at + 1;
            if (child >= heap.size()) return;
            if (child + 1 < heap.size() && After(heap[child], heap[child + 1])) ++child;
            if (!After(heap[at], heap[child])) return;
            std::swap(heap[at], heap[child]);
            at = child;
        }
    }
    Status Step() {
        KESSAI_ASSIGN_OR_RETURN(const bool has_row, readers[heap.front()].Next());
        if (!has_row) {
            heap.front() = heap.back();
            heap.pop_back();
        }
        SiftDown();
        return OkStatus();
    }
};

RowSort::Cursor::Cursor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RowSort::Cursor::Cursor(Cursor&&) noexcept = default;
RowSort::Cursor& RowSort::Cursor::operator=(Cursor&&) noexcept = default;
RowSort::Cursor::~Cursor() = default;

Result<bool> RowSort::Cursor::Next() {
    Impl& impl = *impl_;
    if (!impl.begun) {
        KESSAI_RETURN_IF_ERROR(impl.Begin());
    } else if (!impl.heap.empty()) {
        KESSAI_RETURN_IF_ERROR(impl.Step());
    }
    if (impl.heap.empty()) return false;
    const Reader& first = impl.readers[impl.heap.front()];
    const Head head = HeadOf(first.row());
    impl.record = {head.group,
                   {first.row() + sizeof(Head), head.key_bytes},
                   {first.row() + sizeof(Head) + head.key_bytes, head.value_bytes}};
    return true;
}

const Record& RowSort::Cursor::record() const {
    return impl_->record;
}

RowSort::Cursor::Place RowSort::Cursor::place() const {
    const Impl& impl = *impl_;
    Place place;
    // Of those that stand at a row which is still to come, that row; of the one whose row this is,
    // and of those at their end, what follows.
    for (const Reader& reader : impl.readers) place.runs.push_back(reader.next());
    for (std::size_t i = 1; i < impl.heap.size(); ++i) {
        const Reader& waiting = impl.readers[impl.heap[i]];
        place.runs[impl.heap[i]] -= waiting.RowSize();
    }
    return place;
}

RowSort::Cursor RowSort::Open(int part) const {
    Cursor::Place place;
    for (const Run& run : impl_->runs) {
        place.runs.push_back(run.offsets[static_cast<std::size_t>(part)]);
    }
    return Open(part, place);
}

RowSort::Cursor RowSort::Open(int part, const Cursor::Place& place) const {
    auto impl = std::make_unique<Cursor::Impl>();
    impl->readers.reserve(impl_->runs.size());
    for (std::size_t i = 0; i < impl_->runs.size(); ++i) {
        const Run& run = impl_->runs[i];
        impl->readers.emplace_back(
            run, place.runs[i], run.offsets[static_cast<std::size_t>(part) + 1], impl_->read_bytes);
    }
    return Cursor(std::move(impl));
}

}  // namespace kessai::rowsort
