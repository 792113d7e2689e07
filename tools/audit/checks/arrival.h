#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kessai/kafka/topic_reader.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"
#include "report.h"
#include "source/payment_tables.h"

namespace kessai::audit {

/// Where changes arrive. What cannot be reached is null.
struct ArrivalPlaces {
    mysql::Session* payment = nullptr;
    mysql::Session* payout = nullptr;
    mysql::Session* reconciliation = nullptr;
    mysql::Session* gateway = nullptr;
    kafka::TopicReader* payment_topic = nullptr;
    kafka::TopicReader* payout_topic = nullptr;
    std::string payment_topic_name;
    std::string payout_topic_name;
};

/// How far the topics go when all that was waited for is there, or the time is up.
struct Arrival {
    std::optional<std::vector<kafka::OffsetRange>> payment_ranges;
    std::optional<std::vector<kafka::OffsetRange>> payout_ranges;
    Duration waited{};
};

/// Waits, `wait` at most in all, until the changes that were committed by `snapshot_at` have gone
/// their way: out of payment's outbox; through every consumer of its topic; out of payout's outbox;
/// through every consumer of that topic; and until payout has closed the days that payment had
/// closed. What is still under way then is reported as backlog. Reads only.
Arrival WaitForArrival(const ArrivalPlaces& places, Instant snapshot_at, const PaymentDays& days,
                       Duration wait, const Clock& clock, Report& report);

}  // namespace kessai::audit
