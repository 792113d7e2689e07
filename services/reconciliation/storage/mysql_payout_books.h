#pragma once

#include "app/payout_books.h"
#include "kessai/mysql/session.h"

namespace kessai::reconciliation::storage {

/// What is kept for holding payout against what was heard, in the transaction that is open on
/// `session`.
class MysqlPayoutBooks final : public app::PayoutBooks {
 public:
    explicit MysqlPayoutBooks(mysql::Session& session) : session_(session) {}

    Result<std::vector<domain::Match>> ChangesOf(
        std::span<const domain::PaymentId> payments) override;
    Status AddWaiting(const app::WaitingSums& sums, int slot) override;
    Result<app::WaitingTotal> Waiting() override;
    Status TrimWaiting(Instant before) override;
    Result<std::vector<domain::NotedHold>> FindNotedEvents(
        std::span<const std::int64_t> objects) override;
    Status InsertReleases(std::span<const app::ReleaseNotice> notices) override;
    Result<app::ToldReleases> FindToldReleases(BusinessDate business_date) override;
    Result<std::vector<domain::NotedTransfer>> LockTransfers(
        std::span<const domain::TransferId> transfers) override;
    Result<domain::TransferId> FirstTransfer() override;
    Status InsertTransferSteps(std::span<const domain::TransferNotice> notices) override;
    Status PutTransfers(std::span<const domain::NotedTransfer> transfers) override;
    Result<std::vector<domain::NotedTransfer>> LockOverdue(BusinessDate since, int limit) override;
    Status MarkOverdue(std::span<const domain::TransferId> transfers) override;
    Result<std::map<domain::TransferStep, ToldSteps>> SumTransferSteps(
        BusinessDate business_date) override;
    Result<std::vector<domain::TransferEntry>> ListTransferSteps(BusinessDate business_date,
                                                                 domain::TransferId after,
                                                                 int limit) override;
    Result<std::vector<app::MatchedLine>> ListMatched(BusinessDate business_date,
                                                      domain::MerchantId after, int limit) override;
    Status AskForCheck(BusinessDate business_date) override;
    Result<std::vector<app::DueCheck>> ListDueChecks(int limit) override;
    Result<app::DueCheck> FindDueCheck(BusinessDate business_date) override;
    Result<std::optional<domain::PayoutCheck>> LatestCheck(BusinessDate business_date) override;
    Status InsertCheck(const domain::PayoutCheck& check) override;
    Status FinishCheck(const domain::PayoutCheck& check,
                       const std::optional<app::DueCheck>& answered) override;
    Result<std::vector<domain::Discrepancy>> LockUnsettledOfDay(
        BusinessDate business_date, std::span<const domain::DiscrepancyKind> kinds,
        domain::DiscrepancyId after, int limit) override;

 private:
    mysql::Session& session_;
};

}  // namespace kessai::reconciliation::storage
