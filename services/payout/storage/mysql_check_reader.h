#pragma once

#include "app/check_reader.h"
#include "kessai/digest/row_hash.h"
#include "kessai/mysql/pool.h"

namespace kessai::payout::storage {

class MysqlCheckReader final : public app::CheckReader {
 public:
    /// Both must outlive it. `bulk` is for statements over a day.
    MysqlCheckReader(mysql::Pool& bulk, const digest::RowHasher& hasher)
        : bulk_(bulk), hasher_(hasher) {}

    Result<app::DayCheck> CheckDay(BusinessDate day) override;
    Result<std::vector<app::ToldRelease>> ListToldReleases(BusinessDate told_date) override;
    Result<app::CheckPage<app::CheckedMerchant, domain::MerchantId>> ListMerchants(
        BusinessDate day, const std::set<int>& buckets, domain::MerchantId after,
        int limit) override;
    Result<digest::DayDigest> FeeDigests(BusinessDate day) override;
    Result<app::TransferSums> SumTransfers(BusinessDate day, BusinessDate today) override;
    Result<app::CheckPage<app::NumberedJournal, std::int64_t>> ListTransferSteps(
        BusinessDate day, std::int64_t after, int limit) override;
    Result<app::CheckPage<app::MovedFunds, domain::MerchantId>> ListMovedFunds(
        BusinessDate day, domain::MerchantId after, int limit) override;
    Result<std::vector<app::MovedFunds>> FindFunds(
        BusinessDate day, std::span<const domain::MerchantId> merchants) override;

 private:
    mysql::Pool& bulk_;
    const digest::RowHasher& hasher_;
};

}  // namespace kessai::payout::storage
