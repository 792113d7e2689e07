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

}  // namespace kessai::audit
