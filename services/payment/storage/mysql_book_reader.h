#pragma once

#include "app/balance_books.h"
#include "kessai/mysql/pool.h"

namespace kessai::payment::storage {

class MysqlBookReader final : public app::BookReader {
 public:
    /// `pool` must outlive it.
    explicit MysqlBookReader(mysql::Pool& pool) : pool_(pool) {}

    Result<std::vector<BusinessDate>> DaysBefore(BusinessDate day) override;
    Result<domain::TrialBalance> SumPart(BusinessDate day, int part) override;
    Result<std::map<BusinessDate, Parts>> KeptThrough(BusinessDate day) override;
    Status Keep(BusinessDate day, int part, const domain::TrialBalance& moved) override;

 private:
    mysql::Pool& pool_;
};

}  // namespace kessai::payment::storage
