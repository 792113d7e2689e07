#pragma once

#include <map>
#include <optional>
#include <vector>

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "model/payout_rows.h"
#include "source/paged.h"

// The tables of the payout schema, as `Paged` reads them.
namespace kessai::audit {

/// By (day, bucket, payment, version). Rows lack their event's hash.
struct AccrualTable {
    using Row = AccrualRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By (day, bucket, payment, version), as the accruals.
struct DetailTable {
    using Row = DetailRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By (day, merchant, slot, tax class).
struct TotalTable {
    using Row = TotalRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By (day, merchant, slot, tax class, part).
struct PartTable {
    using Row = PartRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By (day, merchant).
struct HoldTable {
    using Row = HoldRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By (day, merchant, tax class).
struct ReleaseTable {
    using Row = ReleaseRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By (day, chunk).
struct ChunkTable {
    using Row = ChunkRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// With their rules.
Result<std::vector<FeePlanRow>> ReadFeePlans(mysql::Session& session);
Result<std::vector<AssignmentRow>> ReadAssignments(mysql::Session& session);
Result<std::vector<VolumeRow>> ReadVolumes(mysql::Session& session);
Result<std::map<DayNumber, PayoutDayRow>> ReadPayoutDays(mysql::Session& session);
/// By day, then round.
Result<std::vector<RoundRow>> ReadRounds(mysql::Session& session);

}  // namespace kessai::audit
