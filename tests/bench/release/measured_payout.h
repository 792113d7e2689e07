#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "app/close_day.h"
#include "app/release_day.h"
#include "kessai/mysql/migration.h"
#include "kessai/mysql/pool.h"
#include "kessai/result/result.h"
#include "storage/mysql_day_store.h"
#include "storage/mysql_release_store.h"
#include "transport/proto_event_encoder.h"

namespace kessai::bench {

/// Of payment.events.v1, as proto/topics.yaml declares it.
inline constexpr int kPartitions = 12;
inline constexpr Duration kSessionWithin = std::chrono::seconds(10);

/// All that the service migrates.
std::vector<mysql::MigrationSet> PayoutMigrations();

/// What is told of one release.
struct ReleaseTimes {
    double recount_seconds = 0;
    double write_seconds = 0;
    std::int64_t rows = 0;
};

/// The parts of payout that close and release a day, wired as the service wires them, with its
/// defaults.
class MeasuredPayout {
 public:
    /// `pool` must outlive it.
    MeasuredPayout(mysql::Pool& pool, int threads);

    payout::app::CloseDay& close_day() { return close_day_; }
    payout::app::ReleaseDay& release_day() { return release_day_; }
    const ReleaseTimes& times() const { return times_; }
    /// What deep runs told of merchants that were released before.
    const std::map<payout::domain::MerchantId, std::string>& released_faults() const {
        return released_faults_;
    }

 private:
    payout::app::PlanCache plans_;
    payout::transport::ProtoEventEncoder events_;
    payout::storage::MysqlDayStore days_;
    payout::storage::MysqlReleaseStore releases_;
    ReleaseTimes times_;
    std::map<payout::domain::MerchantId, std::string> released_faults_;
    payout::app::CloseDay close_day_;
    payout::app::ReleaseDay release_day_;
};

}  // namespace kessai::bench
