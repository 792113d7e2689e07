#pragma once

#include <functional>
#include <string>
#include <utility>

#include "app/day_store.h"
#include "kessai/digest/row_hash.h"
#include "kessai/mysql/pool.h"

namespace kessai::payment::storage {

class MysqlDayStore final : public app::DayStore {
 public:
    /// `pool` and `hasher` must outlive it; `on_events` as for MysqlLedgerStore.
    MysqlDayStore(mysql::Pool& pool, const digest::RowHasher& hasher,
                  std::function<void(unsigned)> on_events = {})
        : pool_(pool), hasher_(hasher), on_events_(std::move(on_events)) {}

    Result<Now> Read() override;
    Result<app::Day> Find(BusinessDate date) override;
    Status MoveGates(BusinessDate date) override;
    Result<std::vector<app::Day>> Unfinished() override;
    Result<bool> HasUnsentEvents(BusinessDate date) override;
    Status StoreMarks(BusinessDate date, const std::string& envelope, int partition_count,
                      std::int64_t row_id) override;
    Result<bool> FinishIfMarksSent(BusinessDate date) override;
    Result<digest::DayDigest> Digests(BusinessDate date, bool deep,
                                      digest::BucketRange range) override;
    Result<std::vector<app::DayRow>> Rows(BusinessDate date, int bucket) override;
    Status Republish(std::span<const domain::Change> changes,
                     std::span<const std::string> envelopes, std::int64_t row_id) override;

 private:
    mysql::Pool& pool_;
    const digest::RowHasher& hasher_;
    const std::function<void(unsigned)> on_events_;
};

}  // namespace kessai::payment::storage
