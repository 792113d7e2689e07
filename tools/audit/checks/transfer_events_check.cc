#include "checks/transfer_events_check.h"

#include <algorithm>
#include <limits>
#include <string>

#include "rules/transfer_events.h"

namespace kessai::audit {
namespace {

using enum Invariant;

// A transaction commits some time after its rows' clock was read.
constexpr std::int64_t kCommittedWithinUs = 60'000'000;
constexpr std::size_t kEventsKept = 1'000;

}  // namespace

TransferEventsCheck::TransferEventsCheck(TopicContents& contents, const UnsentRows& unsent,
                                         std::int64_t began_at_us, Report& report)
    : contents_(contents),
      unsent_(unsent),
      began_at_us_(began_at_us),
      report_(report),
      follower_(
          "transfer's object", contents,
          [](const EventRecord&) { return std::string("its rows say something else"); }, report) {}

void TransferEventsCheck::Follow(const TransferRow& transfer,
                                 const std::vector<MerchantJournalRow>& journals) {
    const std::int64_t object = EventObjectOf(transfer.transfer_id);
    TellOfStrayUpTo(object - 1);
    Sorted<EventRecord>& events = contents_.transfer_events;
    const bool told = std::ranges::any_of(journals, [](const MerchantJournalRow& journal) {
        return journal.kind == kTransferCreated && journal.released.has_value();
    });
    if (!told) {
        while (events.Peek() != nullptr && events.Peek()->key.object == object) events.Pop();
        return;
    }
    for (PublishedRow& row : EventsOf(transfer, journals)) {
        ++rows_;
        while (events.Peek() != nullptr && events.Peek()->key < row.key) {
            TellOfStray(*events.Peek());
            events.Pop();
        }
        std::vector<EventRecord> of_row;
        for (; events.Peek() != nullptr && events.Peek()->key == row.key; events.Pop()) {
            if (of_row.size() < kEventsKept) of_row.push_back(*events.Peek());
        }
        if (of_row.empty() && unsent_.MayHold(object, row.stored_at_us)) {
            in_flight_.Add(row.key, row.stored_at_us);
            continue;
        }
        row.must_be_there = row.stored_at_us + kCommittedWithinUs <= began_at_us_;
        follower_.Follow(row, of_row);
    }
    TellOfStrayUpTo(object);
}

void TransferEventsCheck::TellOfStrayUpTo(std::int64_t object) {
    Sorted<EventRecord>& events = contents_.transfer_events;
    for (; events.Peek() != nullptr && events.Peek()->key.object <= object; events.Pop()) {
        TellOfStray(*events.Peek());
    }
}

void TransferEventsCheck::TellOfStray(const EventRecord& event) {
    report_.Found(kM6, "event of no transfer's step", [&] {
        const MessageId id{contents_.topic, event.partition, event.offset};
        return Finding{{{"transfer", TransferOfEvent(event.key.object)},
                        {"version", std::int64_t{event.key.version}},
                        {"message", id.ToString()}},
                       "rows that it tells of",
                       "none"};
    });
}

Status TransferEventsCheck::Finish() {
    TellOfStrayUpTo(std::numeric_limits<std::int64_t>::max());
    in_flight_.Tell(kM6, "steps of transfers, and are still in payout's outbox", began_at_us_,
                    report_);
    report_.LookedAt(kM6, "steps of transfers", rows_);
    return contents_.transfer_events.status();
}

}  // namespace kessai::audit
