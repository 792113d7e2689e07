#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "model/values.h"
#include "model/wide.h"

// Rows of the payout schema about statements that were issued, as they are stored.
namespace kessai::audit {

/// One row of `merchant_statement`: a version of a merchant's statement of a cycle (a month).
struct StatementRow {
    DayNumber cycle_start = 0;
    std::int64_t merchant_id = 0;
    std::int32_t version = 0;
    DayNumber issued_on = 0;
    std::int64_t opening = 0;
    std::int64_t closing = 0;
    bool has_reason = false;
    /// The version of merchant_profile that it is addressed by.
    bool profile_is_there = false;

    auto key() const { return std::tuple(cycle_start, merchant_id, version); }
    bool operator<(const StatementRow& other) const {
        return std::tuple(merchant_id, cycle_start, version) <
               std::tuple(other.merchant_id, other.cycle_start, other.version);
    }
};

/// One row of `merchant_statement_file`, with what its bytes are and say.
struct StatementFileRow {
    DayNumber cycle_start = 0;
    std::int64_t merchant_id = 0;
    std::int32_t version = 0;
    std::string format;
    Hash32 file_hash{};
    /// Of the content as it is.
    Hash32 content_hash{};
    /// Of "csv": its number stands in it, and of a correction what it corrects.
    bool says_number = false;
    bool says_corrected = false;

    auto key() const { return std::tuple(cycle_start, merchant_id, version); }
};

/// What releases and journals of a merchant's month made of its available money.
struct MerchantMonth {
    std::int64_t merchant_id = 0;
    DayNumber cycle_start = 0;
    Wide available = 0;

    auto place() const { return std::tuple(merchant_id, cycle_start); }
    bool operator<(const MerchantMonth& other) const { return place() < other.place(); }
    void Merge(const MerchantMonth& other) { available += other.available; }
};

}  // namespace kessai::audit
