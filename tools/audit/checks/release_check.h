#pragma once

#include <vector>

#include "kessai/event/envelope.h"
#include "model/event_record.h"
#include "model/payment_rows.h"
#include "model/payout_rows.h"
#include "report.h"
#include "source/inbox_tables.h"
#include "source/topic_contents.h"

namespace kessai::audit {

/// A DayReleased event as it stands in payout's topic.
struct ReleaseEvent {
    MessageId id;
    event::Envelope event;
};

/// What is known of releases. There are as many as days and rounds: they are held in memory.
struct ReleaseSources {
    const std::vector<RoundRow>& rounds;
    /// Null when the topic was not read.
    const TopicContents* payout_topic = nullptr;
    const std::vector<ReleaseEvent>& events;
    /// Journals of RELEASE_CLEARED and rows of release_clearing, read after everything else. Null
    /// when they were not read.
    const std::vector<Change>* cleared = nullptr;
    const std::vector<ClearingRow>* clearings = nullptr;
    /// What was finished by then must have arrived, unless it waits in payout's outbox, or payment
    /// has not come so far in payout's topic.
    std::int64_t began_at_us = 0;
    const UnsentRows& payout_unsent;
    bool payment_is_up = false;
};

/// M6: a finished round (but for a later one that released nobody) has its event, which says what
/// the row says; and no event has no round. M8: payment has cleared each round by its gross, for
/// that event, and nothing else.
void CheckReleases(const ReleaseSources& sources, Report& report);

}  // namespace kessai::audit
