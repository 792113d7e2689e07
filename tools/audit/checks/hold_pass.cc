#include "checks/hold_pass.h"

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "checks/in_flight.h"
#include "rules/event_rules.h"
#include "rules/hold_events.h"
#include "source/hold_tables.h"
#include "source/paged.h"

namespace kessai::audit {
namespace {

using enum Invariant;

// A transaction commits some time after its rows' clock was read.
constexpr std::int64_t kCommittedWithinUs = 60'000'000;
constexpr std::size_t kEventsKept = 1'000;

Subject OfHold(const HoldStepRow& step) {
    return {{"merchant", step.merchant_id}, {"day", DayText(step.business_date)}};
}

std::string ToText(const HoldStepRow& step) {
    if (step.released_round) return "released in round " + std::to_string(*step.released_round);
    return "held: " + std::string(HoldReasonText(step.reason));
}

std::string HoldText(const HoldStepRow& step) {
    if (!step.hold_is_there) return "no hold";
    if (step.hold_released_round) {
        return "released in round " + std::to_string(*step.hold_released_round);
    }
    return "held: " + std::string(HoldReasonText(step.hold_reason));
}

/// The events of steps, side by side with them.
class EventSide {
 public:
    EventSide(TopicContents& contents, const UnsentRows& unsent, std::int64_t began_at_us,
              Report& report)
        : contents_(contents),
          unsent_(unsent),
          began_at_us_(began_at_us),
          report_(report),
          follower_(
              "hold's object", contents,
              [](const EventRecord&) { return std::string("its row says something else"); },
              report) {}

    ToldStep Follow(const HoldStepRow& step) {
        ToldStep told;
        told.topic_was_read = true;
        std::optional<PublishedRow> row = EventOf(step);
        if (!row) return told;
        Sorted<EventRecord>& events = contents_.hold_events;
        for (; events.Peek() != nullptr && events.Peek()->key < row->key; events.Pop()) {
            TellOfStray(*events.Peek());
        }
        std::vector<EventRecord> of_row;
        for (; events.Peek() != nullptr && events.Peek()->key == row->key; events.Pop()) {
            if (of_row.size() < kEventsKept) of_row.push_back(*events.Peek());
        }
        if (of_row.empty() && unsent_.MayHold(row->key.object, row->stored_at_us)) {
            in_flight_.Add(row->key, row->stored_at_us);
            told.is_unsent = true;
            return told;
        }
        row->must_be_there = row->stored_at_us + kCommittedWithinUs <= began_at_us_;
        follower_.Follow(*row, of_row);
        if (!of_row.empty()) told.event = of_row.front();
        return told;
    }

    Status Finish() {
        Sorted<EventRecord>& events = contents_.hold_events;
        for (; events.Peek() != nullptr; events.Pop()) TellOfStray(*events.Peek());
        in_flight_.Tell(kM6, "steps of holds, and are still in payout's outbox", began_at_us_,
                        report_);
        return events.status();
    }

 private:
    void TellOfStray(const EventRecord& event) {
        report_.Found(kM6, "event of no hold's step", [&] {
            const MessageId id{contents_.topic, event.partition, event.offset};
            return Finding{{{"hold", HoldOfEvent(event.key.object)},
                            {"version", std::int64_t{event.key.version}},
                            {"message", id.ToString()}},
                           "a row that it tells of",
                           "none"};
        });
    }

    TopicContents& contents_;
    const UnsentRows& unsent_;
    const std::int64_t began_at_us_;
    Report& report_;
    EventFollower follower_;
    InFlight in_flight_;
};

/// M8 of the last step of a hold: others know what is.
void CheckLast(const HoldStepRow& step, Report& report) {
    const auto subject = [&] { return OfHold(step); };
    if (!report.Expect(kM8, "what others know of a hold", subject, HoldText(step), ToText(step))) {
        return;
    }
    if (step.released_round) return;
    const auto text = [](const HoldSums& sums) {
        return std::to_string(sums.gross) + "/" + std::to_string(sums.fee) + "/" +
               std::to_string(sums.count);
    };
    report.Expect(kM8, "sums that others know of a hold", subject,
                  text(step.hold_totals) + " " + text(step.hold_recounted),
                  text(step.totals) + " " + text(step.recounted));
}

}  // namespace

Status PassOverHolds(mysql::Session& session, TopicContents* contents, const UnsentRows& unsent,
                     std::int64_t began_at_us, HeldDiscrepanciesCheck* discrepancies,
                     Report& report) {
    std::optional<EventSide> events;
    if (contents != nullptr) events.emplace(*contents, unsent, began_at_us, report);
    Paged<HoldStepTable> steps(session);
    std::optional<HoldStepRow> last;
    ToldStep told;
    const auto end_hold = [&] {
        if (!last) return;
        CheckLast(*last, report);
        if (discrepancies != nullptr) discrepancies->Follow(*last, told);
    };
    for (; steps.Peek() != nullptr; steps.Pop()) {
        const HoldStepRow& step = *steps.Peek();
        const bool same_hold = last && last->hold_number == step.hold_number;
        if (!same_hold) end_hold();
        report.Expect(
            kM8, "step of a hold", [&] { return OfHold(step); }, same_hold ? last->version + 1 : 1u,
            step.version);
        told = events ? events->Follow(step) : ToldStep();
        last = step;
    }
    KESSAI_RETURN_IF_ERROR(steps.status());
    end_hold();
    if (discrepancies != nullptr) KESSAI_RETURN_IF_ERROR(discrepancies->Finish());
    // There are some only where somebody was held back.
    if (steps.count() > 0) report.LookedAt(kM8, "steps of holds", steps.count());
    return events ? events->Finish() : OkStatus();
}

}  // namespace kessai::audit
