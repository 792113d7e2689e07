#pragma once

#include "app/books.h"
#include "kessai/mysql/session.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::storage {

/// Columns of `repair` that ReadRepair and AddRepair take, in their order.
#define KESSAI_REPAIR_COLUMNS                                                                \
    "discrepancy_id, number, kind, state, requested_by, decided_by, reason, outcome, "       \
    "merchant_id, amount, other_merchant_id, other_amount, requested_at_us, decided_at_us, " \
    "carried_out_at_us, ended_at_us"

void AddRepair(const domain::Repair& repair, mysql::RowList& rows);

/// Repairs in MySQL, in the transaction that is open on `session`.
class MysqlRepairBooks final : public app::RepairBooks {
 public:
    /// `clock` must outlive it.
    MysqlRepairBooks(mysql::Session& session, const Clock& clock)
        : session_(session), clock_(clock) {}

    Result<std::vector<domain::Repair>> Of(domain::DiscrepancyId id) override;
    Result<std::vector<domain::Repair>> ListRepairs(const app::RepairFilter& filter) override;
    Result<std::vector<domain::Repair>> Unfinished(app::RepairName after, int limit) override;
    Result<std::vector<app::OpenRepairs>> CountOpen() override;
    Result<std::vector<app::OpenDiscrepancy>> OpenOf(domain::DiscrepancyKind kind,
                                                     domain::DiscrepancyId after,
                                                     int limit) override;
    Status CorrectMatchedTotals(const app::MatchedTotals& kept, const app::MatchedTotals& of_rows,
                                std::string_view key) override;
    Result<bool> WereTotalsCorrected(std::string_view key) override;
    Result<digest::RecomputedBucket> RecomputeMatched(BusinessDate business_date, int bucket,
                                                      std::string_view key,
                                                      const digest::RowHasher& hasher) override;
    Result<bool> TakeAutomatic(BusinessDate today, int max) override;

 private:
    mysql::Session& session_;
    const Clock& clock_;
};

}  // namespace kessai::reconciliation::storage
