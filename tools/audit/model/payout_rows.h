#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "model/payment_rows.h"
#include "model/values.h"

// Rows of the payout service's schema, as they are stored: nothing here is known to be valid.
namespace kessai::audit {

enum PayoutDayState : int {
    kPayoutOpen = 1,
    kPayoutClosed = 2,
    kPayoutReleasing = 3,
    kPayoutReleased = 4,
};

/// One row of `accrual`. Ordered by key.
struct AccrualRow {
    ChangeKey key;
    std::int64_t event_id = 0;
    std::int64_t merchant_id = 0;
    std::int64_t gross = 0;
    std::int64_t fee = 0;
    std::int64_t captured_total = 0;
    std::int64_t refunded_before = 0;
    std::int64_t recorded_at_us = 0;
    /// Of payment's event.
    Hash16 content_hash{};
    /// Of accrual_detail: of the store that is kept, 0 for none, and whether a split is.
    std::uint64_t store_hash = 0;
    bool has_split = false;
    /// Of our event AccrualRecorded, made anew from this row; zeros where none can tell of it.
    Hash16 event_hash{};
    DayNumber business_date = 0;
    DayNumber payment_date = 0;
    std::int32_t plan_id = 0;
    std::int32_t plan_version = 0;
    std::int16_t bucket = 0;
    CurrencyCode currency;
    std::int8_t kind = 0;
    std::int8_t tax_class = 0;

    bool operator<(const AccrualRow& other) const { return key < other.key; }
};

/// One row of `merchant_day_total`.
struct TotalRow {
    DayNumber business_date = 0;
    std::int64_t merchant_id = 0;
    std::int32_t slot = 0;
    std::int32_t tax_class = 0;
    CurrencyCode currency;
    std::int64_t gross = 0;
    std::int64_t fee = 0;
    std::int64_t item_count = 0;
};

/// domain::DayPartKind, as the table's migration has it.
enum DayPart : int {
    kReturns = 1,
    kBenefits = 2,
    kNeutral = 3,
};

/// One row of `merchant_day_part`.
struct PartRow {
    DayNumber business_date = 0;
    std::int64_t merchant_id = 0;
    /// -1: of days before the table was, of all slots.
    std::int32_t slot = 0;
    std::int32_t tax_class = 0;
    int part = 0;
    std::int64_t gross = 0;
    std::int64_t fee = 0;
    std::int64_t item_count = 0;
    DayNumber payment_first = 0;
    DayNumber payment_last = 0;
};

/// One row of `accrual_detail`, in the order of `accrual`.
struct DetailRow {
    DayNumber business_date = 0;
    std::int16_t bucket = 0;
    ChangeKey key;
    std::string captured_methods;
    std::string methods;
    std::string store_id;

    auto place() const { return std::tuple(business_date, bucket, key); }
};

/// One row of `fee_plan_rule`: a tier of a rule, or of the plan itself (rule 0).
struct FeeRuleRow {
    std::int32_t plan_id = 0;
    std::int32_t version = 0;
    std::int32_t rule = 0;
    std::int64_t volume_from = 0;
    /// 0: any.
    std::uint64_t store_hash = 0;
    int method = 0;
    std::optional<DayNumber> date_from;
    std::optional<DayNumber> date_to;
    std::int64_t first_days = 0;
    std::int64_t rate_basis_points = 0;
    std::int64_t fixed = 0;
    std::int64_t minimum = 0;
    std::int64_t maximum = 0;
};

/// One row of `plan_assignment`.
struct AssignmentRow {
    std::int64_t merchant_id = 0;
    std::int64_t revision = 0;
    std::int32_t plan_id = 0;
    DayNumber effective_from = 0;
    std::optional<DayNumber> effective_to;
};

/// One row of `merchant_volume`.
struct VolumeRow {
    std::int64_t merchant_id = 0;
    DayNumber month_start = 0;
    std::int64_t volume = 0;
    DayNumber effective_from = 0;
};

struct FeePlanRow {
    std::int32_t plan_id = 0;
    std::int32_t version = 0;
    std::int64_t merchant_id = 0;
    CurrencyCode currency;
    std::int64_t rate_basis_points = 0;
    std::int64_t fixed = 0;
    std::int64_t minimum = 0;
    std::int64_t maximum = 0;
    DayNumber effective_from = 0;
    std::optional<DayNumber> effective_to;
    std::vector<FeeRuleRow> rules;
};

struct PayoutDayRow {
    DayNumber business_date = 0;
    int state = 0;
    std::optional<Hash32> seal;
    std::int64_t merchant_count = 0;
    int rounds = 0;
};

struct ChunkRow {
    DayNumber business_date = 0;
    int chunk = 0;
    std::int64_t merchant_first = 0;
    std::int64_t merchant_last = 0;
    std::int64_t merchant_count = 0;
    Hash32 seal{};
};

struct HoldRow {
    DayNumber business_date = 0;
    std::int64_t merchant_id = 0;
    bool open_at_close = false;
    std::optional<Hash32> seal;
    std::optional<int> released_round;
};

struct ReleaseRow {
    DayNumber business_date = 0;
    std::int64_t merchant_id = 0;
    std::int32_t tax_class = 0;
    std::int32_t round = 0;
    CurrencyCode currency;
    std::int64_t gross = 0;
    std::int64_t fee = 0;
    std::int64_t tax = 0;
    std::int64_t net = 0;
    std::int64_t item_count = 0;
};

struct RoundRow {
    DayNumber business_date = 0;
    int round = 0;
    bool finished = false;
    std::int64_t finished_at_us = 0;
    std::int64_t merchant_count = 0;
    std::int64_t held_back_count = 0;
    std::int64_t gross = 0;
    std::int64_t fee = 0;
    std::int64_t tax = 0;
    std::int64_t net = 0;
};

}  // namespace kessai::audit
