#pragma once

#include "app/put_fee_plan.h"
#include "kessai/mysql/pool.h"

namespace kessai::payout::storage {

class MysqlPlanStore final : public app::PlanStore {
 public:
    /// `pool` must outlive it.
    explicit MysqlPlanStore(mysql::Pool& pool) : pool_(pool) {}

    Status InPlanTransaction(const std::function<Status(app::PlanTransaction&)>& work) override;

 private:
    mysql::Pool& pool_;
};

}  // namespace kessai::payout::storage
