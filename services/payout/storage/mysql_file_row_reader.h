#pragma once

#include "app/file_row_reader.h"
#include "kessai/mysql/pool.h"

namespace kessai::payout::storage {

class MysqlFileRowReader final : public app::FileRowReader {
 public:
    /// `pool` must outlive it.
    explicit MysqlFileRowReader(mysql::Pool& pool) : pool_(pool) {}

    Status StreamReleases(BusinessDate day, domain::MerchantId merchant, domain::MerchantId after,
                          const std::function<bool(const app::ReleasedMerchant&)>& take) override;
    Status StreamTransfers(BusinessDate transfer_date, domain::MerchantId merchant,
                           app::TransferPosition after,
                           const std::function<bool(const app::TransferAttempt&)>& take) override;

 private:
    mysql::Pool& pool_;
};

}  // namespace kessai::payout::storage
