#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "load/oracle.h"
#include "load/stack.h"

namespace kessai::load {

/// To connect to a service's schema, as one who may only read.
mysql::ConnectOptions ReadOnly(const Stack& stack, const std::string& service);

/// Every payment of the merchants `first` … `first` + `count` - 1, as payment, payout and
/// reconciliation have it. Reads whole tables: for after a load, not during one.
Result<std::vector<StoredPayment>> ReadStoredPayments(const Stack& stack, std::int64_t first,
                                                      int count);

/// Every top-up whose idempotency key begins so, with the change rows that say so.
Result<std::vector<StoredTopUp>> ReadStoredTopUps(const Stack& stack, const std::string& prefix);

struct StoredTotals {
    std::uint64_t payments = 0;
    std::int64_t yen = 0;
};
/// Changes that say a payment of those merchants was completed, and their sum.
Result<StoredTotals> ReadCompletedTotals(const Stack& stack, std::int64_t first, int count);
/// The same as payout has accrued them.
Result<StoredTotals> ReadAccruedTotals(const Stack& stack, std::int64_t first, int count);

}  // namespace kessai::load
