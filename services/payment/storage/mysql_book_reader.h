#pragma once

#include "app/book_reader.h"
#include "kessai/mysql/pool.h"

namespace kessai::payment::storage {

class MysqlBookReader final : public app::BookReader {
 public:
    /// `pool` must outlive it.
    explicit MysqlBookReader(mysql::Pool& pool) : pool_(pool) {}

    Result<std::vector<app::KindSum>> SumBuckets(BusinessDate day, int first, int last) override;
    Result<app::ClearedReleases> ClearedOf(BusinessDate day) override;
    Result<std::vector<BusinessDate>> DaysBefore(BusinessDate day) override;
    Result<std::map<BusinessDate, domain::TrialBalance>> KeptThrough(BusinessDate day) override;
    Status Keep(BusinessDate day, const domain::TrialBalance& moved, Instant at) override;
    Status StreamJournal(BusinessDate day, app::JournalPosition from,
                         const std::function<bool(const app::JournalLine&)>& take) override;

 private:
    mysql::Pool& pool_;
};

}  // namespace kessai::payment::storage
