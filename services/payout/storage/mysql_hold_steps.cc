#include "storage/mysql_hold_steps.h"

#include <string>

#include "kessai/mysql/query.h"
#include "kessai/mysql/transaction.h"
#include "kessai/outbox/batch_writer.h"
#include "storage/gate.h"
#include "storage/hold_step_rows.h"

namespace kessai::payout::storage {
namespace {

constexpr Duration kAcquireTimeout = std::chrono::seconds(2);

constexpr mysql::Query kFind{"merchant_hold_step.of_holds",
                             "SELECT " KESSAI_HOLD_STEP_COLUMNS R"sql(
    FROM merchant_hold_step FORCE INDEX (merchant_hold_step_event)
    WHERE hold_number IN ({keys}) ORDER BY hold_number, version)sql"};

}  // namespace

Result<std::vector<domain::HoldStep>> MysqlHoldSteps::Find(std::span<const std::int64_t> numbers) {
    std::vector<domain::HoldStep> steps;
    if (numbers.empty()) return steps;
    mysql::KeyList keys;
    for (const std::int64_t number : numbers) keys.Add(number);
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kFind, keys));
    while (rows.Next()) steps.push_back(ReadHoldStep(rows));
    return steps;
}

// Behind what was told of the holds before, by their gate: so an object's rows rise.
Status MysqlHoldSteps::TellAgain(std::span<const domain::HoldStep> steps) {
    outbox::BatchWriter writer;
    for (const domain::HoldStep& step : steps) {
        KESSAI_ASSIGN_OR_RETURN(const std::string envelope, events_.HoldChanged(step));
        KESSAI_RETURN_IF_ERROR(writer.Add({.object_id = domain::EventObjectOfHold(step.number),
                                           .envelope = envelope,
                                           .republished = true}));
    }
    mysql::RetryPolicy policy;
    policy.rerun_unknown = true;  // Publishing an event once more than asked does no harm.
    policy.acquire_timeout = kAcquireTimeout;
    KESSAI_RETURN_IF_ERROR(
        mysql::InTransaction(pool_, policy, [&](mysql::Session& session) -> Status {
            KESSAI_ASSIGN_OR_RETURN(const std::int64_t row, NextOutboxRow(session, Gate::kHolds));
            return writer.Store(session, row, kNoDay);
        }));
    if (on_events_) on_events_(writer.shards());
    return OkStatus();
}

}  // namespace kessai::payout::storage
