#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

#include "kessai/result/result.h"
#include "spill/sorter.h"

namespace kessai::audit {

/// The records of an Aggregator: in order of their places, one a place. As Sorted.
template <class Record>
class Aggregated {
 public:
    Aggregated() = default;
    explicit Aggregated(Sorted<Record> parts) : parts_(std::move(parts)) { Join(); }

    const Record* Peek() const { return there_ ? &record_ : nullptr; }
    void Pop() { Join(); }
    const Status& status() const { return parts_.status(); }

 private:
    void Join() {
        there_ = parts_.Peek() != nullptr;
        if (!there_) return;
        record_ = *parts_.Peek();
        for (parts_.Pop(); parts_.Peek() != nullptr && parts_.Peek()->place() == record_.place();
             parts_.Pop()) {
            record_.Merge(*parts_.Peek());
        }
        if (!parts_.status().ok()) there_ = false;
    }
    Sorted<Record> parts_;
    Record record_{};
    bool there_ = false;
};

/// Adds records up by `Record::place()` with `Record::Merge`, in bounded memory: what comes often
/// is added up before it is sorted. One thread at a time.
template <class Record>
class Aggregator {
 public:
    explicit Aggregator(const SpillSpace& space)
        : places_max_(space.memory_bytes() / (sizeof(Record) + kOverheadBytes) + 1),
          sorter_(space) {}

    void Add(const Record& record) {
        const auto [found, is_new] = records_.try_emplace(record.place(), record);
        if (!is_new) found->second.Merge(record);
        if (records_.size() >= places_max_) Flush();
    }
    /// To be called once.
    Result<Aggregated<Record>> Finish() {
        Flush();
        KESSAI_ASSIGN_OR_RETURN(Sorted<Record> parts, sorter_.Finish());
        return Aggregated<Record>(std::move(parts));
    }

 private:
    // A place beside the record, and a node of the map.
    static constexpr std::size_t kOverheadBytes = 96;

    void Flush() {
        for (const auto& [place, record] : records_) sorter_.Add(record);
        records_.clear();
    }
    std::size_t places_max_;
    std::map<decltype(std::declval<Record>().place()), Record> records_;
    Sorter<Record> sorter_;
};

}  // namespace kessai::audit
