#pragma once

#include "app/books.h"
#include "kessai/lease/leased_ids.h"
#include "kessai/mysql/session.h"
#include "storage/audit_chain.h"

namespace kessai::reconciliation::storage {

/// Discrepancies and their history in MySQL, chained (audit_chain.h), and their events in the
/// outbox, in the transaction that is open on `session`.
class MysqlDiscrepancyBooks final : public app::DiscrepancyBooks {
 public:
    /// `ids` and `chain` must outlive it.
    MysqlDiscrepancyBooks(mysql::Session& session, const lease::LeasedIds& ids,
                          const AuditChain& chain)
        : session_(session), ids_(ids), chain_(chain) {}

    Result<std::vector<domain::Discrepancy>> Lock(
        std::span<const domain::Subject> subjects) override;
    Result<std::vector<domain::Discrepancy>> LockUnsettled(
        std::span<const domain::ChangeKey> keys) override;
    Result<std::vector<domain::Discrepancy>> LockFoundBefore(BusinessDate business_date,
                                                             std::uint32_t run,
                                                             domain::DiscrepancyId after,
                                                             int limit) override;
    Result<domain::Discrepancy> LockOne(domain::DiscrepancyId id) override;
    /// Also UNAVAILABLE WORKER_NUMBER_NOT_HELD.
    Status Store(std::span<const app::DiscrepancyChange> changes) override;
    Result<domain::Discrepancy> Find(domain::DiscrepancyId id) override;
    Result<std::vector<domain::Discrepancy>> List(const app::DiscrepancyFilter& filter) override;
    Result<std::map<domain::DiscrepancyId, std::vector<domain::Step>>> Steps(
        std::span<const domain::DiscrepancyId> ids) override;
    Result<std::vector<app::UnsettledTotal>> Unsettled() override;

 private:
    mysql::Session& session_;
    const lease::LeasedIds& ids_;
    const AuditChain& chain_;
    /// Of the audit trail, that this transaction adds to; 0: to none yet.
    int slot_ = 0;
};

/// At most `limit` unsettled ones of a day and of these kinds behind `after`, locked; rising by id.
Result<std::vector<domain::Discrepancy>> LockUnsettledDiscrepancies(
    mysql::Session& session, BusinessDate business_date,
    std::span<const domain::DiscrepancyKind> kinds, domain::DiscrepancyId after, int limit);

}  // namespace kessai::reconciliation::storage
