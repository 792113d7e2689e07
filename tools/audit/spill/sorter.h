#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <queue>
#include <type_traits>
#include <utility>
#include <vector>

#include "kessai/result/result.h"
#include "spill/spill_space.h"

namespace kessai::audit {

/// Records in order, once. Peek is null at the end, and after a failure: see status(). The pointer
/// lives until Pop. One thread at a time.
template <class Record>
class Sorted {
 public:
    /// Nothing at all.
    Sorted() = default;

    const Record* Peek() const { return head_; }
    void Pop() {
        if (runs_.empty()) {
            head_ = ++in_memory_at_ < in_memory_.size() ? &in_memory_[in_memory_at_] : nullptr;
            return;
        }
        Run* run = heap_.front();
        std::pop_heap(heap_.begin(), heap_.end(), ComesLater);
        heap_.pop_back();
        run->Advance(status_);
        Push(run);
        head_ = status_.ok() && !heap_.empty() ? heap_.front()->head() : nullptr;
    }
    const Status& status() const { return status_; }

 private:
    template <class>
    friend class Sorter;

    /// A sorted part of the file, read through a buffer.
    class Run {
     public:
        Run(const SpillFile& file, std::uint64_t offset, std::uint64_t records, std::size_t buffer)
            : file_(&file), offset_(offset), left_(records), buffer_records_(buffer) {}
        const Record* head() const { return at_ < buffer_.size() ? &buffer_[at_] : nullptr; }
        void Advance(Status& status) {
            if (++at_ < buffer_.size()) return;
            at_ = 0;
            buffer_.resize(static_cast<std::size_t>(
                std::min<std::uint64_t>(left_, std::uint64_t{buffer_records_})));
            if (buffer_.empty()) return;
            const std::size_t bytes = buffer_.size() * sizeof(Record);
            if (Status read = file_->ReadAt(offset_, buffer_.data(), bytes); !read.ok()) {
                status = std::move(read);
                buffer_.clear();
                return;
            }
            offset_ += bytes;
            left_ -= buffer_.size();
        }

     private:
        const SpillFile* file_;
        std::uint64_t offset_;
        std::uint64_t left_;
        std::size_t buffer_records_;
        std::vector<Record> buffer_;
        std::size_t at_ = 0;
    };

    static bool ComesLater(const Run* a, const Run* b) { return *b->head() < *a->head(); }
    void Push(Run* run) {
        if (run->head() == nullptr) return;
        heap_.push_back(run);
        std::push_heap(heap_.begin(), heap_.end(), ComesLater);
    }

    // Either all of it, or runs of the file.
    std::vector<Record> in_memory_;
    std::size_t in_memory_at_ = 0;
    std::unique_ptr<SpillFile> file_;
    std::vector<std::unique_ptr<Run>> runs_;
    std::vector<Run*> heap_;
    const Record* head_ = nullptr;
    Status status_;
};

/// Sorts any number of records in bounded memory: what does not fit goes to a temporary file in
/// sorted runs, which are merged when they are read. Equal records stay, in no particular order.
/// A failure to write is kept and comes with Finish. One thread at a time.
template <class Record>
class Sorter {
    static_assert(std::is_trivially_copyable_v<Record>, "records are written as they are");

 public:
    explicit Sorter(const SpillSpace& space) : space_(&space) {}

    void Add(const Record& record) {
        const std::size_t records_max = space_->memory_bytes() / sizeof(Record) + 1;
        if (records_.capacity() == 0) records_.reserve(records_max);
        if (records_.size() == records_max) Spill();
        records_.push_back(record);
        ++count_;
    }
    std::uint64_t count() const { return count_; }

    /// To be called once.
    Result<Sorted<Record>> Finish() {
        if (!failure_.ok()) return failure_;
        Sorted<Record> sorted;
        if (runs_.empty()) {
            std::sort(records_.begin(), records_.end());
            sorted.in_memory_ = std::move(records_);
            if (!sorted.in_memory_.empty()) sorted.head_ = sorted.in_memory_.data();
            return sorted;
        }
        Spill();
        if (!failure_.ok()) return failure_;
        std::vector<Record>().swap(records_);
        sorted.file_ = std::move(file_);
        const std::size_t buffer =
            std::max<std::size_t>(64, space_->memory_bytes() / sizeof(Record) / runs_.size() / 4);
        for (const auto& [offset, records] : runs_) {
            auto run = std::make_unique<typename Sorted<Record>::Run>(*sorted.file_, offset,
                                                                      records, buffer);
            run->Advance(sorted.status_);
            sorted.Push(run.get());
            sorted.runs_.push_back(std::move(run));
        }
        if (!sorted.status_.ok()) return sorted.status_;
        sorted.head_ = sorted.heap_.front()->head();
        return sorted;
    }

 private:
    void Spill() {
        if (records_.empty()) return;
        std::sort(records_.begin(), records_.end());
        if (failure_.ok()) failure_ = Write();
        records_.clear();
    }
    Status Write() {
        if (file_ == nullptr) {
            KESSAI_ASSIGN_OR_RETURN(SpillFile file, space_->NewFile());
            file_ = std::make_unique<SpillFile>(std::move(file));
        }
        runs_.emplace_back(file_->size(), records_.size());
        return file_->Append(records_.data(), records_.size() * sizeof(Record));
    }

    const SpillSpace* space_;
    std::vector<Record> records_;
    std::unique_ptr<SpillFile> file_;
    /// Offset in the file and number of records of each.
    std::vector<std::pair<std::uint64_t, std::uint64_t>> runs_;
    std::uint64_t count_ = 0;
    Status failure_;
};

}  // namespace kessai::audit
