#pragma once

#include <vector>

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "model/history_rows.h"

// The tables of the history of discrepancies, as `Paged` reads them.
namespace kessai::audit {

/// By (discrepancy, number).
struct HistoryStepTable {
    using Row = HistoryStepRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By id.
struct DiscrepancyTable {
    using Row = DiscrepancyRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By (discrepancy, number).
struct RepairTable {
    using Row = RepairRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By (slot, number).
struct AnchorTable {
    using Row = AnchorRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By slot; there are some sixty.
Result<std::vector<AuditHeadRow>> ReadAuditHeads(mysql::Session& session);

}  // namespace kessai::audit
