#pragma once

#include <cstdint>
#include <set>

namespace kessai::reconciliation::domain {

/// Whose events a mark ends. Numbers are stored: they never change.
enum class Source : std::uint8_t { kPayment = 1, kPayout = 2 };

/// The BusinessDayClosed marks of one day and source, one a partition. With all of them nothing of
/// the day can come any more from that source.
struct DayMarks {
    /// As the marks say; 0 while there is none.
    std::uint32_t partition_count = 0;
    std::set<std::uint32_t> partitions;

    bool Complete() const {
        return partition_count > 0 && partitions.size() >= partition_count &&
               *partitions.rbegin() < partition_count;
    }
};

}  // namespace kessai::reconciliation::domain
