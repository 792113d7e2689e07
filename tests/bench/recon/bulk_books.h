#pragma once

#include <cstdint>

#include "kessai/digest/row_hash.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::bench {

/// What a closed day is made of: a pure function of it.
struct BooksRecipe {
    BusinessDate day;
    std::int64_t payments = 10'000'000;
    std::int64_t merchants = 100'000;
    std::uint64_t seed = 1;
};

/// Schemas that the services have migrated and that know nothing of the day yet.
struct BookSchemas {
    mysql::ConnectOptions payment;
    mysql::ConnectOptions payout;
    mysql::ConnectOptions reconciliation;
};

struct BooksFacts {
    /// Payments, and refunds of one in twenty-five.
    std::int64_t changes = 0;
};

/// Writes a closed day on which the three books agree straight into their tables, in the order of
/// time: payment's journal, payout's accruals, what reconciliation matched, the digest that each
/// keeps of them, and the marks of the day. What a comparison of days does not read is not made:
/// payments, postings, totals. Refusals: those of mysql; what was written until then stays.
Result<BooksFacts> LoadBooks(const BookSchemas& schemas, const BooksRecipe& recipe,
                             const digest::RowHasher& hasher, int threads);

}  // namespace kessai::bench
