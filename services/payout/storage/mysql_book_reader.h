#pragma once

#include "app/book_reader.h"
#include "kessai/mysql/pool.h"

namespace kessai::payout::storage {

class MysqlBookReader final : public app::BookReader {
 public:
    /// `bulk` must outlive it; a statement over a day takes seconds.
    explicit MysqlBookReader(mysql::Pool& bulk) : bulk_(bulk) {}

    Result<app::DayStanding> StandingOf(BusinessDate day) override;
    Result<std::vector<domain::FeeGroup>> GroupFees(BusinessDate day, int first_bucket,
                                                    int last_bucket) override;
    Result<app::DaySums> SumDay(BusinessDate day) override;
    Result<std::vector<BusinessDate>> DaysBefore(BusinessDate day) override;
    Result<std::map<BusinessDate, domain::TrialBalance>> KeptThrough(BusinessDate day) override;
    Status Keep(BusinessDate day, const domain::TrialBalance& moved, Instant at) override;

 private:
    mysql::Pool& bulk_;
};

}  // namespace kessai::payout::storage
