#pragma once

#include <functional>

#include "app/day_store.h"
#include "kessai/mysql/pool.h"
#include "storage/blocked_events.h"

namespace kessai::payout::storage {

class MysqlDayStore final : public app::DayStore {
 public:
    /// `pool` must outlive it; its sessions read whole days. `on_events` is told which outbox
    /// shards got rows (outbox::Relay::Notify).
    MysqlDayStore(mysql::Pool& pool, InboxName inbox, std::function<void(unsigned)> on_events);

    Result<std::vector<BusinessDate>> ClosableDays(int partition_count) override;
    Status InClosing(BusinessDate day,
                     const std::function<Status(app::ClosingTransaction&)>& work) override;
    Result<std::vector<UnmarkedDay>> UnmarkedDays() override;
    Result<bool> HasUnsentEvents(BusinessDate day) override;
    Status StoreMark(BusinessDate day, const std::string& mark, int partition_count,
                     Instant at) override;
    Result<std::vector<BusinessDate>> ReleasableDays(bool closed) override;

 private:
    mysql::Pool& pool_;
    const InboxName inbox_;
    const std::function<void(unsigned)> on_events_;
};

/// OPEN for a day after all that were closed, though nothing is stored of it.
/// NOT_FOUND DAY_UNKNOWN.
Result<domain::DayState> LoadDayState(mysql::Session& session, BusinessDate day);

}  // namespace kessai::payout::storage
