#pragma once

#include "app/transfer_records.h"
#include "kessai/mysql/session.h"
#include "kessai/time/clock.h"

namespace kessai::payout::storage {

/// Within the transaction of its session.
class MysqlTransferRecords final : public app::TransferRecords {
 public:
    MysqlTransferRecords(mysql::Session& session, Instant at) : session_(session), at_(at) {}

    Result<std::optional<app::TransferRun>> FindRun(BusinessDate due_date) override;
    Status Put(const app::TransferRun& run) override;
    Result<std::vector<app::PayableMerchant>> PayableMerchants(domain::MerchantId after,
                                                               int limit) override;

    Result<std::optional<domain::Payout>> FindPayout(domain::PayoutId payout) override;
    Result<std::optional<domain::Payout>> FindPayout(domain::MerchantId merchant,
                                                     std::string_view request_key) override;
    Status Insert(std::span<const domain::Payout> payouts) override;

    Result<std::vector<domain::Transfer>> TransfersOf(domain::PayoutId payout) override;
    Result<std::map<domain::TransferId, domain::Transfer>> FindTransfers(
        std::span<const domain::TransferId> transfers) override;
    Result<std::vector<domain::TransferEvent>> EventsOf(
        std::span<const domain::TransferId> transfers) override;
    Status Insert(std::span<const domain::Transfer> transfers) override;
    Status Update(std::span<const domain::Transfer> transfers) override;
    Status SetCancelled(const domain::Transfer& transfer) override;

    Result<std::vector<domain::Transfer>> FillBatch(domain::BatchId batch,
                                                    BusinessDate transfer_date, int limit) override;
    Status Insert(const app::TransferBatch& batch) override;
    Result<std::optional<app::TransferBatch>> FindBatch(domain::BatchId batch) override;
    Result<std::vector<app::TransferBatch>> Batches(BusinessDate transfer_date) override;
    Status SetFilesMade(BusinessDate transfer_date) override;
    Status SetFileHash(domain::BatchId batch, const domain::FileHash& hash) override;

    Result<std::optional<app::ImportedResults>> FindResults(
        const domain::FileHash& file_hash) override;
    Status Insert(const app::ImportedResults& results) override;

 private:
    mysql::Session& session_;
    const Instant at_;
};

}  // namespace kessai::payout::storage
