#pragma once

#include <optional>
#include <vector>

#include "app/books.h"
#include "app/waiting_sums.h"
#include "domain/day_run.h"
#include "domain/discrepancy.h"
#include "domain/match.h"
#include "domain/payout_check.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::reconciliation::app {

/// A discrepancy with its whole history.
struct DiscrepancyRecord {
    domain::Discrepancy discrepancy;
    std::vector<domain::Step> history;
};

/// What can be asked; nothing of the books is changed.
class Enquiries {
 public:
    explicit Enquiries(Transactions& transactions) : transactions_(transactions) {}

    /// NOT_FOUND MATCH_UNKNOWN.
    Result<domain::Match> FindMatch(domain::ChangeKey key);
    /// NOT_FOUND DISCREPANCY_UNKNOWN.
    Result<DiscrepancyRecord> FindDiscrepancy(domain::DiscrepancyId id);
    /// Newest first.
    Result<std::vector<DiscrepancyRecord>> ListDiscrepancies(const DiscrepancyFilter& filter);
    /// Newest first.
    Result<std::vector<domain::Repair>> ListRepairs(const RepairFilter& filter);
    Result<std::vector<UnsettledTotal>> Unsettled();
    /// What waits for its other side; forgets periods before the last hour in which nothing does.
    Result<WaitingTotal> Waiting(Instant now);
    /// The latest check of the day against payout, if there was one.
    Result<std::optional<domain::PayoutCheck>> LatestCheck(BusinessDate business_date);
    /// The latest run of the day. NOT_FOUND RUN_UNKNOWN.
    Result<domain::DayRun> LatestRun(BusinessDate business_date);

 private:
    Transactions& transactions_;
};

}  // namespace kessai::reconciliation::app
