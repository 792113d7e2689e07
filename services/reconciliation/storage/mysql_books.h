#pragma once

#include <memory>
#include <span>

#include "app/books.h"
#include "kessai/lease/leased_ids.h"
#include "kessai/mysql/pool.h"
#include "kessai/mysql/session.h"
#include "kessai/outbox/batch_writer.h"
#include "kessai/time/clock.h"
#include "storage/audit_chain.h"
#include "storage/mysql_day_books.h"
#include "storage/mysql_discrepancy_books.h"
#include "storage/mysql_hold_books.h"
#include "storage/mysql_match_books.h"
#include "storage/mysql_payout_books.h"
#include "storage/mysql_repair_books.h"

namespace kessai::reconciliation::storage {

/// All books in the transaction that is open on a session (an inbox batch's, or
/// MysqlTransactions').
class MysqlBooks {
 public:
    MysqlBooks(mysql::Session& session, const lease::LeasedIds& ids, const Clock& clock,
               const AuditChain& chain)
        : matches_(session),
          discrepancies_(session, ids, chain),
          days_(session, ids, clock),
          holds_(session),
          repairs_(session, clock),
          payout_(session) {}
    MysqlBooks(const MysqlBooks&) = delete;
    MysqlBooks& operator=(const MysqlBooks&) = delete;

    app::Books& books() { return books_; }

 private:
    MysqlMatchBooks matches_;
    MysqlDiscrepancyBooks discrepancies_;
    MysqlDayBooks days_;
    MysqlHoldBooks holds_;
    MysqlRepairBooks repairs_;
    MysqlPayoutBooks payout_;
    app::Books books_{matches_, discrepancies_, days_, holds_, repairs_, payout_};
};

/// Transactions of their own, on sessions of a pool. Thread safe.
class MysqlTransactions final : public app::Transactions {
 public:
    /// All must outlive it.
    MysqlTransactions(mysql::Pool& pool, const lease::LeasedIds& ids, const Clock& clock,
                      const AuditChain& chain)
        : pool_(pool), ids_(ids), clock_(clock), chain_(chain) {}

    Status Run(const std::function<Status(app::Books&)>& work) override;

 private:
    mysql::Pool& pool_;
    const lease::LeasedIds& ids_;
    const Clock& clock_;
    const AuditChain& chain_;
};

/// The right to compare a day as a lease "day_run/2026-11-22". Thread safe.
class MysqlRunLeases final : public app::RunLeases {
 public:
    /// Both must outlive it and its leases.
    MysqlRunLeases(mysql::Pool& pool, const Clock& clock) : pool_(pool), clock_(clock) {}

    Result<std::unique_ptr<app::RunLease>> TryAcquire(BusinessDate business_date) override;

 private:
    mysql::Pool& pool_;
    const Clock& clock_;
};

/// Puts dead letters into the outbox, in the transaction that is open on `session`.
Status StoreDeadLetters(mysql::Session& session, std::span<const outbox::Entry> entries,
                        const lease::LeasedIds& ids, const Clock& clock);

}  // namespace kessai::reconciliation::storage
