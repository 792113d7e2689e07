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
#include "source/inbox_tables.h"
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

/// How far things had come when all that was waited for was there, or the time was up.
struct Arrival {
    std::optional<std::vector<kafka::OffsetRange>> payment_ranges;
    std::optional<std::vector<kafka::OffsetRange>> payout_ranges;
    /// What was not in the topics when their ranges were asked for.
    UnsentRows payment_unsent;
    UnsentRows payout_unsent;
    /// Whether they had applied all of the ranges of what they consume.
    bool payment_is_up = false;
    bool reconciliation_is_up = false;
    Duration waited{};
};

/// Waits, `wait` at most in all, until the changes that were committed by `snapshot_at` have gone
/// their way: out of payment's outbox; through every consumer of its topic; out of payout's outbox;
/// through every consumer of that topic; and until payout has closed the days that payment had
/// closed. A consumer that is behind even so is told as what could not be checked: what is under
/// way is no fault. Reads only.
Arrival WaitForArrival(const ArrivalPlaces& places, Instant snapshot_at, const PaymentDays& days,
                       Duration wait, const Clock& clock, Report& report);

}  // namespace kessai::audit
