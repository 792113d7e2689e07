#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/values.h"

// Rows of the history of discrepancies and of what chains it, as they are stored.
namespace kessai::audit {

/// One row of `discrepancy_step`.
struct HistoryStepRow {
    std::int64_t discrepancy_id = 0;
    std::uint32_t number = 0;
    int state = 0;
    std::string actor;
    std::string note;
    std::int64_t at_us = 0;
    std::int64_t event_id = 0;
    std::int64_t merchant_id = 0;
    std::string currency;
    std::optional<std::int64_t> payment_gross;
    std::optional<std::int64_t> payout_gross;
    std::string owner;
    std::uint32_t repair_number = 0;
    Hash32 repair_hash{};
    Hash32 evidence_hash{};
    Hash32 chain_hash{};
};

/// One row of `discrepancy`.
struct DiscrepancyRow {
    std::int64_t discrepancy_id = 0;
    DayNumber business_date = 0;
    int kind = 0;
    std::int64_t payment_id = 0;
    std::int64_t version = 0;
    int book = 0;
    int bucket = 0;
    std::int64_t held_merchant = 0;
    std::int64_t found_at_us = 0;
    // After the latest step.
    std::int64_t merchant_id = 0;
    std::string currency;
    std::optional<std::int64_t> payment_gross;
    std::optional<std::int64_t> payout_gross;
    std::string evidence;
    int state = 0;
    std::uint32_t step_count = 0;
    std::int64_t last_event_id = 0;
    std::string owner;
    // What follows from its repairs.
    std::uint32_t open_repair = 0;
    std::uint32_t corrected_by = 0;
};

/// One row of `repair`.
struct RepairRow {
    std::int64_t discrepancy_id = 0;
    std::uint32_t number = 0;
    int kind = 0;
    int state = 0;
    std::string requested_by;
    std::string decided_by;
    std::string reason;
    std::string outcome;
    std::int64_t merchant_id = 0;
    std::int64_t amount = 0;
    std::int64_t other_merchant_id = 0;
    std::int64_t other_amount = 0;
    std::int64_t requested_at_us = 0;
    std::int64_t decided_at_us = 0;
    std::int64_t carried_out_at_us = 0;
    std::int64_t ended_at_us = 0;
};

/// One row of `audit_anchor`.
struct AnchorRow {
    int slot = 0;
    std::uint64_t number = 0;
    std::int64_t at_us = 0;
    std::string steps;
    Hash32 hash{};
};

/// One row of `audit_head`.
struct AuditHeadRow {
    int slot = 0;
    std::uint64_t number = 0;
    Hash32 hash{};
};

/// A step as an anchor names it. Ordered as steps are read.
struct AnchoredStep {
    std::int64_t discrepancy_id = 0;
    std::uint32_t number = 0;
    Hash32 chain_hash{};

    auto operator<=>(const AnchoredStep&) const = default;
};

}  // namespace kessai::audit
