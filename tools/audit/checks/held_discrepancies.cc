#include "checks/held_discrepancies.h"

#include <string>
#include <string_view>
#include <utility>

#include "rules/hold_events.h"

namespace kessai::audit {
namespace {

using enum Invariant;

// proto/kessai/reconciliation/v1, Discrepancy.State.
enum DiscrepancyState : int {
    kOpen = 1,
    kExplained = 2,
    kRepairing = 3,
    kRepaired = 4,
    kAccepted = 5,
};

std::string StateText(int state) {
    switch (state) {
        case kOpen:
            return "open";
        case kExplained:
            return "explained";
        case kRepairing:
            return "repairing";
        case kRepaired:
            return "repaired";
        case kAccepted:
            return "accepted";
        default:
            return "state " + std::to_string(state);
    }
}

bool IsUnsettled(int state) {
    return state == kOpen || state == kExplained || state == kRepairing;
}

std::string_view WordOf(KnownHold::State state) {
    return state == KnownHold::State::kHeld ? "unsettled or accepted" : "repaired or accepted";
}

Subject Of(std::int64_t merchant, DayNumber day) {
    return {{"merchant", merchant}, {"day", DayText(day)}};
}

}  // namespace

HeldDiscrepanciesCheck::HeldDiscrepanciesCheck(mysql::Session& reconciliation,
                                               ConsumerOffsets passed, mysql::Session& payout_now,
                                               const SpillSpace& space, std::int64_t began_at_us,
                                               Report& report)
    : reconciliation_(reconciliation),
      passed_(std::move(passed)),
      payout_now_(payout_now),
      began_at_us_(began_at_us),
      report_(report),
      noted_(reconciliation),
      known_(space) {}

/// The latest version of it that was noted; 0: none.
std::uint32_t HeldDiscrepanciesCheck::TakeNoted(std::int64_t object) {
    std::uint32_t latest = 0;
    for (; noted_.Peek() != nullptr && noted_.Peek()->object_id <= object; noted_.Pop()) {
        if (noted_.Peek()->object_id == object) latest = noted_.Peek()->version;
    }
    return latest;
}

KnownHold::State HeldDiscrepanciesCheck::Judge(const HoldStepRow& last, const ToldStep& told) {
    using enum KnownHold::State;
    const std::int64_t object = EventObjectOfHold(last.hold_number);
    const std::uint32_t noted = TakeNoted(object);
    if (noted == last.version) return last.released_round.has_value() ? kReleased : kHeld;
    // Payout went on after its snapshot.
    if (noted > last.version) return kUnderWay;
    const bool has_passed =
        told.topic_was_read && !told.is_unsent &&
        (!told.event || passed_.HasPassed(told.event->partition, told.event->offset));
    if (!has_passed) {
        in_flight_.Add({object, last.version}, last.at_us);
        return kUnderWay;
    }
    report_.Found(kM8, "step of a hold in reconciliation", [&] {
        Subject subject = Of(last.merchant_id, last.business_date);
        subject.emplace_back("version", std::int64_t{last.version});
        return Finding{std::move(subject), "noted",
                       noted == 0 ? "none of its steps" : "version " + std::to_string(noted)};
    });
    return kUnderWay;
}

void HeldDiscrepanciesCheck::Follow(const HoldStepRow& last, const ToldStep& told) {
    known_.Add({last.business_date, last.merchant_id, Judge(last, told)});
}

Status HeldDiscrepanciesCheck::Compare(const KnownHold* known,
                                       const HeldDiscrepancyRow* discrepancy) {
    if (known == nullptr) {
        if (!IsUnsettled(discrepancy->state)) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(
            const bool came_since,
            HasHoldStep(payout_now_, discrepancy->business_date, discrepancy->merchant_id));
        if (came_since) return OkStatus();
        report_.Found(kM8, "discrepancy of a merchant that is not held back", [&] {
            Subject subject = Of(discrepancy->merchant_id, discrepancy->business_date);
            subject.emplace_back("discrepancy", discrepancy->discrepancy_id);
            return Finding{std::move(subject), "none", StateText(discrepancy->state)};
        });
        return OkStatus();
    }
    if (known->state == KnownHold::State::kUnderWay) return OkStatus();
    const bool held = known->state == KnownHold::State::kHeld;
    const bool right = discrepancy != nullptr &&
                       (discrepancy->state == kAccepted || IsUnsettled(discrepancy->state) == held);
    if (right) return OkStatus();
    report_.Found(kM8, held ? "discrepancy of a merchant held back"
                            : "discrepancy of a merchant that was released",
                  [&] {
                      return Finding{Of(known->merchant_id, known->business_date),
                                     std::string(WordOf(known->state)),
                                     discrepancy == nullptr ? "none"
                                                            : StateText(discrepancy->state)};
                  });
    return OkStatus();
}

Status HeldDiscrepanciesCheck::Finish() {
    KESSAI_RETURN_IF_ERROR(noted_.status());
    KESSAI_ASSIGN_OR_RETURN(Sorted<KnownHold> known, known_.Finish());
    Paged<HeldDiscrepancyTable> discrepancies(reconciliation_);
    while (known.Peek() != nullptr || discrepancies.Peek() != nullptr) {
        const KnownHold* hold = known.Peek();
        const HeldDiscrepancyRow* row = discrepancies.Peek();
        const bool has_hold = hold != nullptr && (row == nullptr || hold->place() <= row->place());
        const bool has_row = row != nullptr && (hold == nullptr || row->place() <= hold->place());
        KESSAI_RETURN_IF_ERROR(Compare(has_hold ? hold : nullptr, has_row ? row : nullptr));
        if (has_hold) known.Pop();
        if (has_row) discrepancies.Pop();
    }
    KESSAI_RETURN_IF_ERROR(known.status());
    KESSAI_RETURN_IF_ERROR(discrepancies.status());
    in_flight_.Tell(kM8, "steps of holds, and are still on their way to reconciliation",
                    began_at_us_, report_);
    if (discrepancies.count() > 0) {
        report_.LookedAt(kM8, "discrepancies of merchants held back", discrepancies.count());
    }
    return OkStatus();
}

}  // namespace kessai::audit
