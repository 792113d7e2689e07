#pragma once

#include "app/plan_store.h"
#include "kessai/mysql/pool.h"

namespace kessai::payout::storage {

class MysqlPlanStore final : public app::PlanStore {
 public:
    /// `pool` must outlive it.
    explicit MysqlPlanStore(mysql::Pool& pool) : pool_(pool) {}

    Status InPlanTransaction(const std::function<Status(app::PlanTransaction&)>& work) override;
    Result<std::int64_t> Revision() override;
    Result<std::optional<BusinessDate>> LastMonthClosed() override;
    Result<std::vector<domain::MerchantId>> TieredWithoutVolume(BusinessDate month,
                                                                int limit) override;
    Result<std::int64_t> GrossOf(domain::MerchantId merchant, BusinessDate month) override;

 private:
    mysql::Pool& pool_;
};

}  // namespace kessai::payout::storage
