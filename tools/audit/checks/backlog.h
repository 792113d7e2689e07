#pragma once

#include <map>
#include <set>
#include <string>

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"
#include "model/event_record.h"
#include "report.h"

namespace kessai::audit {

/// What waits, or was settled, in one service's schema.
struct Backlog {
    /// Objects with waiting messages: "payment.events.v1/3/17 is a dead letter (REASON)".
    std::map<std::int64_t, std::string> waiting;
    std::set<MessageId> settled;
};

/// Reports open dead letters and parked events, and how long outbox rows wait: longer than `wait`
/// is more than can be checked.
Result<Backlog> CheckBacklog(std::string_view service, mysql::Session& session, Duration wait,
                             Report& report);

}  // namespace kessai::audit
