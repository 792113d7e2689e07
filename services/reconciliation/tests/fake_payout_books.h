#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "app/payout_books.h"
#include "app/payout_day_book.h"

namespace kessai::reconciliation::testing {

/// What is kept for holding payout against what was heard, in memory. One thread.
class FakePayoutBooks final : public app::PayoutBooks {
 public:
    /// Both must outlive it.
    FakePayoutBooks(std::map<domain::ChangeKey, domain::Match>& matches,
                    std::map<domain::Subject, domain::Discrepancy>& discrepancies)
        : matches_(matches), discrepancies_(discrepancies) {}

    std::map<Instant, app::WaitingSums::Sum> waiting;
    std::map<domain::HoldKey, app::ReleaseNotice> releases;
    std::map<std::pair<domain::TransferId, std::uint32_t>, domain::TransferNotice> steps;
    std::map<domain::TransferId, domain::NotedTransfer> transfers;
    std::set<domain::TransferId> overdue;
    std::map<std::pair<BusinessDate, domain::MerchantId>, std::vector<app::MatchedLine>> matched;
    std::map<BusinessDate, std::pair<std::int64_t, std::int64_t>> asked_and_answered;
    std::map<BusinessDate, std::vector<domain::PayoutCheck>> checks;
    /// How often ChangesOf was asked.
    int histories = 0;

    Result<std::vector<domain::Match>> ChangesOf(
        std::span<const domain::PaymentId> payments) override;
    Status AddWaiting(const app::WaitingSums& sums, int slot) override;
    Result<app::WaitingTotal> Waiting() override;
    Status TrimWaiting(Instant before) override;
    Result<std::vector<domain::NotedHold>> FindNotedEvents(
        std::span<const std::int64_t> objects) override;
    Status InsertReleases(std::span<const app::ReleaseNotice> notices) override;
    Result<app::ToldReleases> FindToldReleases(BusinessDate date) override;
    Result<std::vector<domain::NotedTransfer>> LockTransfers(
        std::span<const domain::TransferId> ids) override;
    Result<domain::TransferId> FirstTransfer() override;
    Status InsertTransferSteps(std::span<const domain::TransferNotice> notices) override;
    Status PutTransfers(std::span<const domain::NotedTransfer> stored) override;
    Result<std::vector<domain::NotedTransfer>> LockOverdue(BusinessDate since, int limit) override;
    Status MarkOverdue(std::span<const domain::TransferId> ids) override;
    Result<std::map<domain::TransferStep, ToldSteps>> SumTransferSteps(BusinessDate date) override;
    Result<std::vector<domain::TransferEntry>> ListTransferSteps(BusinessDate date,
                                                                 domain::TransferId after,
                                                                 int limit) override;
    Result<std::vector<app::MatchedLine>> ListMatched(BusinessDate date, domain::MerchantId after,
                                                      int limit) override;
    Status AskForCheck(BusinessDate date) override;
    Result<std::vector<app::DueCheck>> ListDueChecks(int limit) override;
    Result<app::DueCheck> FindDueCheck(BusinessDate date) override;
    Result<std::optional<domain::PayoutCheck>> LatestCheck(BusinessDate date) override;
    Status InsertCheck(const domain::PayoutCheck& check) override;
    Status FinishCheck(const domain::PayoutCheck& check,
                       const std::optional<app::DueCheck>& answered) override;
    Result<std::vector<domain::Discrepancy>> LockUnsettledOfDay(
        BusinessDate date, std::span<const domain::DiscrepancyKind> kinds,
        domain::DiscrepancyId after, int limit) override;

 private:
    std::map<domain::ChangeKey, domain::Match>& matches_;
    std::map<domain::Subject, domain::Discrepancy>& discrepancies_;
};

/// What payout says of days, as a test has it. Its digests follow from its lines.
class FakePayoutDayBook final : public app::PayoutDayBook {
 public:
    explicit FakePayoutDayBook(const digest::RowHasher& hasher) : hasher_(hasher) {}

    std::map<BusinessDate, std::map<domain::MerchantId, domain::MerchantDay>> days;
    std::set<BusinessDate> released;
    /// Those of a day that differ from what its lines sum to.
    std::map<BusinessDate, domain::ReleaseTotals> round_sums;
    /// Rounds of a day; absent: one of all of it, as an older payout told it.
    std::map<BusinessDate, std::vector<domain::ToldRound>> rounds;
    std::map<BusinessDate, std::vector<domain::TransferEntry>> journal;
    std::map<BusinessDate, std::vector<app::MovedFundsPage::Merchant>> funds;
    /// Of merchants whose money did not move on a day.
    std::map<domain::MerchantId, app::MovedFundsPage::Merchant> unmoved;
    std::map<BusinessDate, std::vector<app::WrongFee>> wrong_fees;
    /// The fees of the rows; absent: no fee digests but empty ones.
    std::map<BusinessDate, std::map<domain::ChangeKey, domain::ToldFee>> fees;
    bool final = true;
    Status refuses;
    int merchants_listed = 0;
    int steps_listed = 0;
    /// Merchants of a page.
    std::size_t page_size = 3;

    domain::ReleaseTotals TotalsOf(BusinessDate date) const;

    Result<app::PayoutDay> Day(BusinessDate date) override;
    Result<std::vector<domain::ToldRound>> ListToldReleases(BusinessDate told_date) override;
    Result<app::MerchantDayPage> ListMerchants(BusinessDate date, const std::vector<int>& buckets,
                                               domain::MerchantId after) override;
    Result<digest::DayDigest> FeeDigests(BusinessDate date) override;
    Result<std::vector<app::WrongFee>> WrongFees(BusinessDate date) override;
    Result<app::TransferSums> SumTransfers(BusinessDate date) override;
    Result<app::TransferStepPage> ListTransferSteps(BusinessDate date, std::int64_t after) override;
    Result<app::MovedFundsPage> ListMovedFunds(BusinessDate date,
                                               domain::MerchantId after) override;
    Result<std::vector<app::MovedFundsPage::Merchant>> FindFunds(
        BusinessDate date, const std::vector<domain::MerchantId>& merchants) override;

 private:
    std::vector<domain::ToldRound> RoundsOf(BusinessDate date) const;

    const digest::RowHasher& hasher_;
};

}  // namespace kessai::reconciliation::testing
