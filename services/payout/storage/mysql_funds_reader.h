#pragma once

#include "app/trace_funds.h"
#include "kessai/mysql/pool.h"

namespace kessai::payout::storage {

class MysqlFundsReader final : public app::FundsReader {
 public:
    /// Both must outlive it. `bulk` is for what reads much of a day.
    MysqlFundsReader(mysql::Pool& pool, mysql::Pool& bulk) : pool_(pool), bulk_(bulk) {}

    Result<app::FundsHistory> HistoryOf(domain::MerchantId merchant) override;
    Result<std::map<domain::TransferId, domain::Transfer>> FindTransfers(
        std::span<const domain::TransferId> transfers) override;
    Result<std::vector<app::RecordedAccrual>> AccrualsOf(domain::PaymentId payment) override;
    Result<app::AccrualPage> AccrualsOf(domain::MerchantId merchant, BusinessDate day,
                                        app::AccrualPosition from, int last_bucket,
                                        int limit) override;

 private:
    mysql::Pool& pool_;
    mysql::Pool& bulk_;
};

}  // namespace kessai::payout::storage
