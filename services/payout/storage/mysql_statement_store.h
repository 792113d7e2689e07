#pragma once

#include "app/statement_store.h"
#include "kessai/mysql/pool.h"
#include "kessai/time/clock.h"

namespace kessai::payout::storage {

class MysqlStatementStore final : public app::StatementStore {
 public:
    /// What it is given must outlive it.
    MysqlStatementStore(mysql::Pool& pool, const Clock& clock) : pool_(pool), clock_(clock) {}

    Result<std::optional<std::string>> WhyNotReleased(domain::MerchantId merchant,
                                                      BusinessDate cycle_start) override;
    Result<domain::StatementRows> Load(domain::MerchantId merchant,
                                       BusinessDate cycle_start) override;
    Result<std::optional<domain::MerchantProfile>> FindProfile(
        domain::MerchantId merchant) override;
    Result<std::optional<domain::MerchantProfile>> FindProfile(domain::MerchantId merchant,
                                                               int version) override;
    Result<app::UnissuedMerchants> Unissued(BusinessDate cycle_start, domain::MerchantId after,
                                            int merchants_max) override;
    Result<std::optional<app::IssuedStatement>> FindIssued(domain::MerchantId merchant,
                                                           BusinessDate cycle_start,
                                                           int version) override;
    Result<std::optional<app::StatementFile>> FindFile(domain::MerchantId merchant,
                                                       BusinessDate cycle_start, int version,
                                                       std::string_view format) override;
    Status Insert(const app::IssuedStatement& statement) override;

 private:
    mysql::Pool& pool_;
    const Clock& clock_;
};

}  // namespace kessai::payout::storage
