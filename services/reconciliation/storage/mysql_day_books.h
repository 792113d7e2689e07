#pragma once

#include "app/books.h"
#include "kessai/lease/leased_ids.h"
#include "kessai/mysql/session.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::storage {

/// Days, their marks and their runs in MySQL, and the runs' events in the outbox, in the
/// transaction that is open on `session`.
class MysqlDayBooks final : public app::DayBooks {
 public:
    /// `ids` and `clock` must outlive it.
    MysqlDayBooks(mysql::Session& session, const lease::LeasedIds& ids, const Clock& clock)
        : session_(session), ids_(ids), clock_(clock) {}

    Status LockDay(BusinessDate business_date) override;
    Status AddMark(BusinessDate business_date, domain::Source source, std::uint32_t partition,
                   std::uint32_t partition_count) override;
    Result<domain::DayMarks> Marks(BusinessDate business_date, domain::Source source) override;
    Status MarkDue(BusinessDate business_date) override;
    Result<std::vector<BusinessDate>> ListDue(int limit) override;
    Status Confirm(const app::RunGrant& grant) override;
    Result<std::optional<domain::DayRun>> LatestRun(BusinessDate business_date) override;
    Status InsertRun(const domain::DayRun& run) override;
    /// Again changes nothing. Also UNAVAILABLE WORKER_NUMBER_NOT_HELD.
    Status FinishRun(const domain::DayRun& run) override;

 private:
    mysql::Session& session_;
    const lease::LeasedIds& ids_;
    const Clock& clock_;
};

}  // namespace kessai::reconciliation::storage
