#pragma once

#include "app/payout_reader.h"
#include "domain/tax.h"
#include "kessai/digest/row_hash.h"
#include "kessai/mysql/pool.h"

namespace kessai::payout::storage {

class MysqlPayoutReader final : public app::PayoutReader {
 public:
    /// What it is given must outlive it. `bulk` is for questions that read many rows.
    MysqlPayoutReader(mysql::Pool& pool, mysql::Pool& bulk, const digest::RowHasher& hasher,
                      const domain::TaxTable& taxes)
        : pool_(pool), bulk_(bulk), hasher_(hasher), taxes_(taxes) {}

    Result<app::RecordedAccrual> FindAccrual(domain::EffectKey key) override;
    Result<app::MerchantBalance> FindBalance(domain::MerchantId merchant) override;
    Result<app::MerchantDay> FindMerchantDay(domain::MerchantId merchant,
                                             BusinessDate day) override;
    Result<app::MerchantPlans> ListPlans(domain::MerchantId merchant, std::int64_t after,
                                         int limit) override;
    Result<app::DayView> FindDay(BusinessDate day) override;
    Result<app::ReleaseProgress> FindProgress(BusinessDate day) override;
    Result<std::vector<domain::HeldBack>> ListHeldBack(BusinessDate day) override;
    Result<digest::DayDigest> Digests(BusinessDate day, bool deep,
                                      digest::BucketRange range) override;
    Status StreamRows(BusinessDate day, int bucket,
                      const std::function<bool(const app::DayRow&)>& take) override;

 private:
    mysql::Pool& pool_;
    mysql::Pool& bulk_;
    const digest::RowHasher& hasher_;
    const domain::TaxTable& taxes_;
};

}  // namespace kessai::payout::storage
