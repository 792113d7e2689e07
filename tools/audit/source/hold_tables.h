#pragma once

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "model/hold_rows.h"

namespace kessai::audit {

/// merchant_hold_step by number and version, for Paged.
struct HoldStepTable {
    using Row = HoldStepRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// Of the reconciliation schema, by (object, version).
struct NotedHoldTable {
    using Row = NotedHoldRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// The same, by (day, merchant).
struct HeldDiscrepancyTable {
    using Row = HeldDiscrepancyRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// Whether payout has told of a hold of the merchant's day.
Result<bool> HasHoldStep(mysql::Session& payout, DayNumber day, std::int64_t merchant_id);

}  // namespace kessai::audit
