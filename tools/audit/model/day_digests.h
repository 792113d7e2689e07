#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kessai/digest/row_hash.h"
#include "model/values.h"
#include "model/wide.h"

namespace kessai::audit {

/// Count, sum and hash sum of the changes of one (day, bucket): what payment and payout keep in
/// table day_digest (libs/digest), computed here from rows.
struct DigestCell {
    std::int64_t count = 0;
    Wide signed_gross = 0;
    digest::Sum128 hash_sum;

    bool operator==(const DigestCell&) const = default;
    bool empty() const { return *this == DigestCell(); }
};
/// "12 changes, 3400, hash 00ff…".
std::string ToText(const DigestCell& cell);

/// One change as both sides digest it.
struct DigestedRow {
    ChangeKey key;
    DayNumber business_date = 0;
    std::int64_t merchant_id = 0;
    std::int64_t signed_gross = 0;
};

/// A cell for each bucket.
using DigestDay = std::vector<DigestCell>;

/// Digests of days, added up row by row. Takes 48 KiB a day. One thread at a time.
class DayDigests {
 public:
    explicit DayDigests(const digest::RowHasher& hasher) : hasher_(&hasher) {}

    /// A row whose day is no date counts, but has no hash: it equals no kept digest.
    void Add(const DigestedRow& row);
    /// Empty cells for a day without rows.
    const DigestDay& Of(DayNumber day) const;
    const std::map<DayNumber, DigestDay>& days() const { return days_; }

 private:
    const digest::RowHasher* hasher_;
    std::map<DayNumber, DigestDay> days_;
    /// The day of the last row: rows come in runs of a day.
    DayNumber last_day_ = 0;
    DigestDay* last_ = nullptr;
};

}  // namespace kessai::audit
