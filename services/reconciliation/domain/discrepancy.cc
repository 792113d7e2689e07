#include "domain/discrepancy.h"

#include <algorithm>
#include <utility>

namespace kessai::reconciliation::domain {

namespace {

bool OperatorMayMove(DiscrepancyState from, DiscrepancyState to) {
    using enum DiscrepancyState;
    switch (from) {
        case kOpen:
            return to == kExplained || to == kRepairing || to == kAccepted;
        case kExplained:
            return to == kOpen || to == kRepairing || to == kAccepted;
        case kRepairing:
            return to == kOpen || to == kRepaired;
        case kRepaired:
            return false;
        case kAccepted:
            return to == kOpen;
    }
    return false;
}

Step Next(const Discrepancy& discrepancy, DiscrepancyState to, std::string_view actor,
          std::string note, Instant now) {
    // A step is never dated before the one it follows, whatever this replica's clock says.
    return {.number = discrepancy.latest.number + 1,
            .state = to,
            .actor = std::string(actor),
            .note = std::move(note),
            .at = std::max(now, discrepancy.latest.at)};
}

}  // namespace

bool IsAboutMerchantDay(DiscrepancyKind kind) {
    using enum DiscrepancyKind;
    return kind == kMerchantHeldBack || kind == kAccruedDiffers || kind == kReleasedDiffers ||
           kind == kReleaseToldDiffers || kind == kBalanceDiffers || kind == kReleaseEventMissing;
}

bool IsAboutTransfer(DiscrepancyKind kind) {
    using enum DiscrepancyKind;
    return kind == kTransferDiffers || kind == kResultDiffers || kind == kResultOverdue ||
           kind == kTransferUnknown;
}

bool NeedsDeepRun(DiscrepancyKind kind) {
    return kind == DiscrepancyKind::kFeeDiffers || kind == DiscrepancyKind::kTaxDiffers;
}

std::string_view KindName(DiscrepancyKind kind) {
    using enum DiscrepancyKind;
    switch (kind) {
        case kMissingInPayout:
            return "MISSING_IN_PAYOUT";
        case kMissingInPayment:
            return "MISSING_IN_PAYMENT";
        case kAmountDiffers:
            return "AMOUNT_DIFFERS";
        case kMerchantDiffers:
            return "MERCHANT_DIFFERS";
        case kDateDiffers:
            return "DATE_DIFFERS";
        case kContentDiffers:
            return "CONTENT_DIFFERS";
        case kDigestDiffers:
            return "DIGEST_DIFFERS";
        case kPaymentEventMissing:
            return "PAYMENT_EVENT_MISSING";
        case kPayoutEventMissing:
            return "PAYOUT_EVENT_MISSING";
        case kMissingInBoth:
            return "MISSING_IN_BOTH";
        case kChangedInBoth:
            return "CHANGED_IN_BOTH";
        case kMerchantHeldBack:
            return "MERCHANT_HELD_BACK";
        case kFeeDiffers:
            return "FEE_DIFFERS";
        case kTaxDiffers:
            return "TAX_DIFFERS";
        case kDuplicate:
            return "DUPLICATE";
        case kStateInvalid:
            return "STATE_INVALID";
        case kOutOfOrder:
            return "OUT_OF_ORDER";
        case kAccruedDiffers:
            return "ACCRUED_DIFFERS";
        case kReleasedDiffers:
            return "RELEASED_DIFFERS";
        case kReleaseToldDiffers:
            return "RELEASE_TOLD_DIFFERS";
        case kBalanceDiffers:
            return "BALANCE_DIFFERS";
        case kTransferDiffers:
            return "TRANSFER_DIFFERS";
        case kResultDiffers:
            return "RESULT_DIFFERS";
        case kResultOverdue:
            return "RESULT_OVERDUE";
        case kTransferUnknown:
            return "TRANSFER_UNKNOWN";
        case kReleaseEventMissing:
            return "RELEASE_EVENT_MISSING";
    }
    return "UNKNOWN";
}

std::vector<DiscrepancyKind> DiscrepancyKinds() {
    std::vector<DiscrepancyKind> kinds;
    for (int number = 1; number <= kDiscrepancyKinds; ++number) {
        const auto kind = static_cast<DiscrepancyKind>(number);
        if (KindName(kind) != "UNKNOWN") kinds.push_back(kind);
    }
    return kinds;
}

std::string_view StateName(DiscrepancyState state) {
    using enum DiscrepancyState;
    switch (state) {
        case kOpen:
            return "OPEN";
        case kExplained:
            return "EXPLAINED";
        case kRepairing:
            return "REPAIRING";
        case kRepaired:
            return "REPAIRED";
        case kAccepted:
            return "ACCEPTED";
    }
    return "UNKNOWN";
}

std::string_view BookName(Book book) {
    switch (book) {
        case Book::kPayment:
            return "payment";
        case Book::kPayout:
            return "payout";
        case Book::kMatched:
            return "reconciliation";
    }
    return "unknown";
}

std::string_view CutText(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return text;
    std::size_t end = bytes_max;
    // Not within a character: what follows its first byte is 10xxxxxx.
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return text.substr(0, end);
}

std::string CutNote(std::string note) {
    note.resize(CutText(note, kNoteBytesMax).size());
    return note;
}

bool Finding::SaysTheSame(const Finding& other) const {
    const auto contradict = [](const auto& a, const auto& b) { return a && b && *a != *b; };
    if ((IsAboutMerchantDay(subject.kind) || IsAboutTransfer(subject.kind)) &&
        evidence != other.evidence) {
        return false;
    }
    return subject == other.subject && merchant == other.merchant && currency == other.currency &&
           !contradict(payment_gross, other.payment_gross) &&
           !contradict(payout_gross, other.payout_gross);
}

Step FirstStep(const Finding& finding, Instant now) {
    return {.number = 1,
            .state = DiscrepancyState::kOpen,
            .actor = std::string(kSystemActor),
            .note = CutNote(finding.evidence),
            .at = now};
}

namespace {

Status CheckOrder(const Order& order) {
    if (order.note.empty() || order.note.size() > kNoteBytesMax) {
        return Status(Code::kInvalidArgument, "FIELD_INVALID",
                      "note: a reason of 1 to 1000 bytes is needed");
    }
    if (order.actor.empty() || order.actor.size() > kActorBytesMax) {
        return Status(Code::kInvalidArgument, "FIELD_INVALID", "actor: 1 to 200 bytes are needed");
    }
    return OkStatus();
}

}  // namespace

Result<std::optional<Step>> Carry(const Discrepancy& discrepancy, const Order& order, Instant now) {
    KESSAI_RETURN_IF_ERROR(CheckOrder(order));
    const Step& latest = discrepancy.latest;
    if (latest.state == order.to && latest.actor == order.actor && latest.note == order.note) {
        return std::optional<Step>();
    }
    if (discrepancy.open_repair != 0) {
        return Status(Code::kFailedPrecondition, "REPAIR_UNDER_WAY",
                      "repair " + std::to_string(discrepancy.open_repair) + " of discrepancy " +
                          discrepancy.id.ToString() + " has not ended");
    }
    if (!OperatorMayMove(latest.state, order.to)) {
        return Status(Code::kFailedPrecondition, "STATE_NOT_ALLOWED",
                      "discrepancy " + discrepancy.id.ToString() + " is " +
                          std::string(StateName(latest.state)) + " and cannot become " +
                          std::string(StateName(order.to)));
    }
    return std::optional(Next(discrepancy, order.to, order.actor, order.note, now));
}

Result<std::optional<Step>> Assign(const Discrepancy& discrepancy, std::string_view owner,
                                   const Order& order, Instant now) {
    KESSAI_RETURN_IF_ERROR(CheckOrder(order));
    if (owner.size() > kActorBytesMax) {
        return Status(Code::kInvalidArgument, "FIELD_INVALID", "owner: at most 200 bytes");
    }
    if (discrepancy.owner == owner) return std::optional<Step>();
    const std::string what =
        owner.empty() ? std::string("unassigned: ") : "assigned to " + std::string(owner) + ": ";
    return std::optional(
        Next(discrepancy, discrepancy.state(), order.actor, CutNote(what + order.note), now));
}

std::optional<Step> FoundAgain(const Discrepancy& discrepancy, const Finding& finding,
                               Instant now) {
    const bool same = discrepancy.finding.SaysTheSame(finding);
    const auto note = [&](std::string_view what) {
        return CutNote(std::string(what) + finding.evidence);
    };
    switch (discrepancy.state()) {
        case DiscrepancyState::kRepaired:
            if (discrepancy.corrected_by != 0 && same) return std::nullopt;
            return Next(
                discrepancy, DiscrepancyState::kOpen, kSystemActor,
                note(discrepancy.corrected_by != 0 ? "not what was corrected: " : "found again: "),
                now);
        case DiscrepancyState::kAccepted:
            if (same) return std::nullopt;
            return Next(discrepancy, DiscrepancyState::kOpen, kSystemActor,
                        note("not what was accepted: "), now);
        case DiscrepancyState::kOpen:
        case DiscrepancyState::kExplained:
        case DiscrepancyState::kRepairing:
            if (same) return std::nullopt;
            return Next(discrepancy, discrepancy.state(), kSystemActor, note("now: "), now);
    }
    return std::nullopt;
}

bool GoneAfterRun(const Discrepancy& discrepancy, std::uint32_t run, bool deep) {
    return (discrepancy.Unsettled() || discrepancy.corrected_by != 0) &&
           discrepancy.found_by_run > 0 && discrepancy.found_by_run < run &&
           (deep || !discrepancy.found_by_deep_run);
}

std::optional<Step> Gone(const Discrepancy& discrepancy, std::string_view why, Instant now) {
    if (discrepancy.corrected_by != 0) {
        if (discrepancy.state() != DiscrepancyState::kRepaired) return std::nullopt;
        return Next(discrepancy, DiscrepancyState::kOpen, kSystemActor,
                    CutNote(std::string(why) + ", but the journal of repair " +
                            std::to_string(discrepancy.corrected_by) +
                            " gave money for it: another has to take that back"),
                    now);
    }
    if (!discrepancy.Unsettled()) return std::nullopt;
    return Next(discrepancy, DiscrepancyState::kRepaired, kSystemActor, CutNote(std::string(why)),
                now);
}

}  // namespace kessai::reconciliation::domain
