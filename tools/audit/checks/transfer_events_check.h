#pragma once

#include <cstdint>
#include <vector>

#include "checks/in_flight.h"
#include "model/merchant_ledger_rows.h"
#include "report.h"
#include "rules/event_rules.h"
#include "source/inbox_tables.h"
#include "source/topic_contents.h"

namespace kessai::audit {

/// M6 of transfers: every step of every transfer has its event, which says what its rows say, and
/// no event tells of a step that was not made. Transfers come in the order of their numbers.
class TransferEventsCheck {
 public:
    /// What was stored before `began_at_us` must have been published, unless it waits in `unsent`.
    TransferEventsCheck(TopicContents& contents, const UnsentRows& unsent, std::int64_t began_at_us,
                        Report& report);

    /// `journals` are the transfer's, by kind.
    void Follow(const TransferRow& transfer, const std::vector<MerchantJournalRow>& journals);
    /// Tells of events that are left over, and what could not be checked.
    Status Finish();

 private:
    /// Events of objects up to `object`, which no row has told of.
    void TellOfStrayUpTo(std::int64_t object);
    void TellOfStray(const EventRecord& event);

    TopicContents& contents_;
    const UnsentRows& unsent_;
    const std::int64_t began_at_us_;
    Report& report_;
    EventFollower follower_;
    InFlight in_flight_;
    std::uint64_t rows_ = 0;
};

}  // namespace kessai::audit
