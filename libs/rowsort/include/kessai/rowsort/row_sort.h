#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/result/result.h"

/// Sorting more rows than fit the memory.
namespace kessai::rowsort {

namespace reason {
/// RESOURCE_EXHAUSTED: no space left in the folder for what does not fit the memory.
inline constexpr std::string_view kDiskFull = "DISK_FULL";
/// UNAVAILABLE: the folder is not there, or cannot be written or read.
inline constexpr std::string_view kFolderFailed = "WORK_FOLDER_FAILED";
}  // namespace reason

struct Options {
    /// For what does not fit the memory. The files in it have no name: whatever ends the process,
    /// nothing of them is left.
    std::string folder;
    /// Bytes of rows in memory, over all adders; at least kMemoryMin an adder.
    std::size_t memory_max = std::size_t{256} << 20;
    int adders = 1;
    /// Cursors at a time, among which the memory is shared out when rows are read from the folder.
    int cursors = 1;
};

inline constexpr std::size_t kMemoryMin = std::size_t{1} << 20;
/// A group's part is its highest eight bits.
inline constexpr int kParts = 256;

/// A row as it was added. Views are good until the cursor moves on.
struct Record {
    std::uint64_t group = 0;
    std::string_view key;
    std::string_view value;
};

/// Takes rows in any order, by several threads, and gives them back by (group, key), keys compared
/// byte by byte; rows of one group and key come in no certain order. First all Adds, then Finish,
/// then cursors, any number of them at once.
class RowSort {
 public:
    explicit RowSort(Options options);
    ~RowSort();
    RowSort(const RowSort&) = delete;
    RowSort& operator=(const RowSort&) = delete;

    /// `adder` is from 0 to below options.adders, and used by one thread at a time. The key has at
    /// most 64 KiB, key and value together at most 1 GiB. After a refusal it is of no use any more.
    Status Add(int adder, std::uint64_t group, std::string_view key, std::string_view value);
    /// When all threads have added.
    Status Finish();

    /// Rows, and the runs of them that went to the folder. After Finish.
    std::uint64_t rows() const;
    std::uint64_t spilled_runs() const;
    /// Whether a part has any rows.
    bool HasRows(int part) const;

    /// Walks the rows of one part. One thread at a time; must not outlive its RowSort.
    class Cursor {
     public:
        Cursor(Cursor&&) noexcept;
        Cursor& operator=(Cursor&&) noexcept;
        ~Cursor();

        /// To the next row (at first: the first). False at the end.
        Result<bool> Next();
        const Record& record() const;

        /// A place to come back to: a cursor that is opened there has as its first row the one that
        /// follows record().
        struct Place {
            std::vector<std::uint64_t> runs;
        };
        Place place() const;

     private:
        friend class RowSort;
        struct Impl;
        explicit Cursor(std::unique_ptr<Impl> impl);
        std::unique_ptr<Impl> impl_;
    };
    /// 0 ≤ part < kParts.
    Cursor Open(int part) const;
    Cursor Open(int part, const Cursor::Place& place) const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace kessai::rowsort
