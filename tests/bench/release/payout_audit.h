#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"

namespace kessai::bench {

/// What the audit says of a payout schema without the others.
struct PayoutAudit {
    double seconds = 0;
    /// "15000000 accruals", "1 days": what its checks looked at.
    std::vector<std::string> looked_at;
    /// Offenders by kind, with the first of each: "M2 running balance: 3, merchant 12: expected 5,
    /// found 6". Nothing: it is clean.
    std::vector<std::string> found;
};

/// The audit's own code over the payout schema: that day totals are what the accruals sum to (M7),
/// seals are those of the totals, of chunks and days (M9), releases are what was accrued and rounds
/// what was released (M8), running balances what was released (M2), and cycles taxed (M7). What
/// needs payment, reconciliation or topics is not looked at.
Result<PayoutAudit> AuditPayout(const mysql::ConnectOptions& connect);

}  // namespace kessai::bench
