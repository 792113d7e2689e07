#pragma once

#include <span>

#include "domain/accrual.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::payout::storage {

/// Accruals of one transaction on their way to the table. Nearly all are of their payment's first
/// change, on its day, and have defaults in what tells of the payment: those are stored without
/// these columns, because reading values is much of what a row costs the server. So is reading them
/// as literals: many rows of one day go by file, where the session takes files, which costs two
/// round trips.
class AccrualRows {
 public:
    /// The session must outlive it.
    AccrualRows(mysql::Session& session, Instant recorded_at)
        : session_(session), recorded_at_(recorded_at) {}

    /// Precondition: `accruals` are in the order of the primary key. Those that are too few for a
    /// file are only added to `statements`.
    /// ALREADY_EXISTS DUPLICATE_KEY, now or from the statements: one of them is stored already.
    Status Store(std::span<const domain::Accrual* const> accruals,
                 mysql::StatementBatch& statements);

 private:
    using Accruals = std::span<const domain::Accrual* const>;
    Status StoreFile(Accruals accruals);

    mysql::Session& session_;
    const Instant recorded_at_;
};

}  // namespace kessai::payout::storage
