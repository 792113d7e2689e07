#pragma once

#include "app/transaction_reader.h"
#include "kessai/mysql/pool.h"

namespace kessai::payment::storage {

class MysqlTransactionReader final : public app::TransactionReader {
 public:
    /// `pool` must outlive it. A page is held in memory.
    explicit MysqlTransactionReader(mysql::Pool& pool, int rows_per_page = 4'000)
        : pool_(pool), rows_per_page_(rows_per_page) {}

    Status Read(const app::TransactionRange& range,
                const std::function<bool(const app::TransactionRow&)>& take) override;
    Result<std::vector<app::EndedDay>> EndedDays() override;
    Status FenceGates(Instant time) override;

 private:
    mysql::Pool& pool_;
    const int rows_per_page_;
};

}  // namespace kessai::payment::storage
