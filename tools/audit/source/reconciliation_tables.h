#pragma once

#include <set>
#include <vector>

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "model/reconciliation_rows.h"
#include "source/paged.h"

// The tables of the reconciliation schema, as `Paged` reads them.
namespace kessai::audit {

/// By (payment, version).
struct MatchTable {
    using Row = MatchRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// By (day, merchant, currency, slot).
struct MatchedTotalTable {
    using Row = MatchedTotalRow;
    Result<mysql::Rows> Fetch(mysql::Session& session, const Row* after, int limit) const;
    void Read(const mysql::Rows& from, Row& row) const;
};

/// Discrepancies that are open, explained or being repaired, the first ones by id.
Result<std::vector<OpenDiscrepancyRow>> ReadOpenDiscrepancies(mysql::Session& session, int limit);

}  // namespace kessai::audit
