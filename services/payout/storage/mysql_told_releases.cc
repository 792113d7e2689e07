#include "storage/mysql_told_releases.h"

#include <string>

#include "kessai/mysql/query.h"
#include "kessai/mysql/transaction.h"
#include "kessai/outbox/batch_writer.h"
#include "storage/gate.h"

namespace kessai::payout::storage {
namespace {

constexpr Duration kAcquireTimeout = std::chrono::seconds(2);

constexpr mysql::Query kFind{"release_round.told_of_days", R"sql(
    SELECT business_date, round, merchant_count, held_back_count, gross, fee, tax, net, told_date,
           finished_at_us
    FROM release_round FORCE INDEX (PRIMARY)
    WHERE business_date IN ({keys}) AND told_date IS NOT NULL
    ORDER BY business_date, round)sql"};

}  // namespace

Result<std::vector<app::DayReleasedEvent>> MysqlToldReleases::Find(
    std::span<const BusinessDate> days) {
    std::vector<app::DayReleasedEvent> told;
    if (days.empty()) return told;
    mysql::KeyList keys;
    for (const BusinessDate day : days) keys.Add(day);
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kFind, keys));
    while (rows.Next()) {
        told.push_back(
            {.released = rows.Date(0),
             .round = static_cast<int>(rows.Int(1)),
             .sums = {rows.Int(2), rows.Int(3), rows.Int(4), rows.Int(5), rows.Int(6), rows.Int(7)},
             .business_date = rows.Date(8),
             .at = rows.At(9)});
    }
    return told;
}

// Behind what was told of the days before, by their gate: so an object's rows rise.
Status MysqlToldReleases::TellAgain(std::span<const app::DayReleasedEvent> events) {
    outbox::BatchWriter writer;
    for (const app::DayReleasedEvent& event : events) {
        KESSAI_ASSIGN_OR_RETURN(const std::string envelope, events_.DayReleased(event));
        KESSAI_RETURN_IF_ERROR(writer.Add(
            {.object_id = event.released.ToNumber(), .envelope = envelope, .republished = true}));
    }
    mysql::RetryPolicy policy;
    policy.rerun_unknown = true;  // Publishing an event once more than asked does no harm.
    policy.acquire_timeout = kAcquireTimeout;
    KESSAI_RETURN_IF_ERROR(
        mysql::InTransaction(pool_, policy, [&](mysql::Session& session) -> Status {
            KESSAI_ASSIGN_OR_RETURN(const std::int64_t row, NextOutboxRow(session, Gate::kDays));
            return writer.Store(session, row, kNoDay);
        }));
    if (on_events_) on_events_(writer.shards());
    return OkStatus();
}

}  // namespace kessai::payout::storage
