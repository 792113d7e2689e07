#include "domain/repair.h"

#include <algorithm>
#include <utility>

#include "kessai/result/check.h"

namespace kessai::reconciliation::domain {

namespace {

/// As payout takes them: twelve digits.
constexpr std::int64_t kCorrectionMax = 999'999'999'999;

Status NotAllowed(std::string why) {
    return Status(Code::kFailedPrecondition, "REPAIR_NOT_ALLOWED", std::move(why));
}

/// The discrepancy's next step, which tells of the repair.
RepairMove Move(Discrepancy discrepancy, Repair repair, DiscrepancyState state,
                std::string_view actor, std::string note, Instant now) {
    discrepancy.latest = {.number = discrepancy.latest.number + 1,
                          .state = state,
                          .actor = std::string(actor),
                          .note = CutNote(std::move(note)),
                          .at = std::max(now, discrepancy.latest.at),
                          .repair = repair.number};
    discrepancy.open_repair = Ended(repair.state) ? 0 : repair.number;
    return {std::move(discrepancy), std::move(repair)};
}

std::string Called(const Repair& repair) {
    return "repair " + std::to_string(repair.number) + " " + std::string(KindName(repair.kind)) +
           " ";
}

}  // namespace

std::string_view KindName(RepairKind kind) {
    switch (kind) {
        case RepairKind::kPublishAgain:
            return "PUBLISH_AGAIN";
        case RepairKind::kAccrueAgain:
            return "ACCRUE_AGAIN";
        case RepairKind::kRecomputeTotal:
            return "RECOMPUTE_TOTAL";
        case RepairKind::kCorrectingJournal:
            return "CORRECTING_JOURNAL";
    }
    return "UNKNOWN";
}

std::optional<RepairKind> RepairKindOf(std::string_view name) {
    for (int number = 1; number <= kRepairKinds; ++number) {
        const auto kind = static_cast<RepairKind>(number);
        if (KindName(kind) == name) return kind;
    }
    return std::nullopt;
}

std::string_view StateName(RepairState state) {
    switch (state) {
        case RepairState::kRequested:
            return "REQUESTED";
        case RepairState::kDeclined:
            return "DECLINED";
        case RepairState::kPending:
            return "PENDING";
        case RepairState::kVerifying:
            return "VERIFYING";
        case RepairState::kRepaired:
            return "REPAIRED";
        case RepairState::kWithoutEffect:
            return "WITHOUT_EFFECT";
        case RepairState::kFailed:
            return "FAILED";
    }
    return "UNKNOWN";
}

bool Ended(RepairState state) {
    switch (state) {
        case RepairState::kRequested:
        case RepairState::kPending:
        case RepairState::kVerifying:
            return false;
        case RepairState::kDeclined:
        case RepairState::kRepaired:
        case RepairState::kWithoutEffect:
        case RepairState::kFailed:
            return true;
    }
    return true;
}

bool IsSafe(RepairKind kind) {
    return kind != RepairKind::kCorrectingJournal;
}

std::string EffectKeyOf(const Repair& repair) {
    return "recon-" + repair.discrepancy.ToString() + "-" + std::to_string(repair.number);
}

std::string OtherEffectKeyOf(const Repair& repair) {
    return EffectKeyOf(repair) + "-b";
}

Status CheckAllowed(RepairKind kind, const Discrepancy& discrepancy) {
    using enum DiscrepancyKind;
    const DiscrepancyKind about = discrepancy.finding.subject.kind;
    const auto refuse = [&](std::string_view instead) {
        return NotAllowed(std::string(KindName(kind)) + " does not help against " +
                          std::string(KindName(about)) + ": it is for " + std::string(instead));
    };
    switch (kind) {
        case RepairKind::kPublishAgain:
            if (about == kPaymentEventMissing || about == kPayoutEventMissing ||
                about == kMissingInPayout || about == kReleaseEventMissing) {
                return OkStatus();
            }
            return refuse(
                "PAYMENT_EVENT_MISSING, PAYOUT_EVENT_MISSING, RELEASE_EVENT_MISSING and "
                "MISSING_IN_PAYOUT");
        case RepairKind::kAccrueAgain:
            if (about == kMissingInPayout || about == kAmountDiffers || about == kMerchantDiffers ||
                about == kDateDiffers) {
                return OkStatus();
            }
            return refuse("MISSING_IN_PAYOUT, AMOUNT_DIFFERS, MERCHANT_DIFFERS and DATE_DIFFERS");
        case RepairKind::kRecomputeTotal:
            if (about == kDigestDiffers || about == kAccruedDiffers) return OkStatus();
            return refuse("DIGEST_DIFFERS and ACCRUED_DIFFERS");
        case RepairKind::kCorrectingJournal:
            if (about == kAmountDiffers || about == kMissingInPayment ||
                about == kMerchantDiffers || about == kMissingInPayout) {
                return OkStatus();
            }
            return refuse(
                "AMOUNT_DIFFERS, MERCHANT_DIFFERS, MISSING_IN_PAYMENT and MISSING_IN_PAYOUT");
    }
    return NotAllowed("no such repair");
}

Status CheckWish(const RepairWish& wish, const Discrepancy& discrepancy) {
    if (wish.reason.empty() || wish.reason.size() > kNoteBytesMax) {
        return Status(Code::kInvalidArgument, "FIELD_INVALID",
                      "reason: 1 to 1000 bytes are needed");
    }
    if (wish.actor.empty() || wish.actor.size() > kActorBytesMax) {
        return Status(Code::kInvalidArgument, "FIELD_INVALID", "actor: 1 to 200 bytes are needed");
    }
    if (wish.amount && (wish.kind != RepairKind::kCorrectingJournal || *wish.amount == 0 ||
                        *wish.amount > kCorrectionMax || *wish.amount < -kCorrectionMax)) {
        return Status(Code::kInvalidArgument, "FIELD_INVALID",
                      "amount: of a correcting journal only, not 0, at most twelve digits");
    }
    if (discrepancy.state() == DiscrepancyState::kRepaired) {
        return Status(Code::kFailedPrecondition, "ALREADY_REPAIRED",
                      "discrepancy " + discrepancy.id.ToString() + " is repaired");
    }
    if (discrepancy.open_repair != 0) {
        return Status(Code::kFailedPrecondition, "REPAIR_UNDER_WAY",
                      "repair " + std::to_string(discrepancy.open_repair) + " of discrepancy " +
                          discrepancy.id.ToString() + " has not ended");
    }
    if (discrepancy.state() == DiscrepancyState::kAccepted) {
        return NotAllowed("discrepancy " + discrepancy.id.ToString() +
                          " was accepted as it is: open it again first");
    }
    return CheckAllowed(wish.kind, discrepancy);
}

bool IsSameWish(const Discrepancy& discrepancy, const Repair& repair, const RepairWish& wish) {
    if (Ended(repair.state) &&
        (repair.state != RepairState::kRepaired || discrepancy.Unsettled())) {
        return false;
    }
    return repair.kind == wish.kind && repair.requested_by == wish.actor &&
           repair.reason == wish.reason && (!wish.amount || *wish.amount == repair.leg.amount);
}

bool IsUntried(std::span<const Step> steps, std::span<const Repair> repairs) {
    if (repairs.empty()) return true;
    const std::uint32_t latest = repairs.back().number;
    bool of_latest = false;
    bool seen_gone = false;
    for (const Step& step : steps) {
        of_latest = of_latest || step.repair == latest;
        // Its own end is a step of it too.
        seen_gone = of_latest && (seen_gone || step.state == DiscrepancyState::kRepaired);
    }
    return seen_gone;
}

RepairMove Begin(const Discrepancy& discrepancy, const RepairWish& wish, CorrectionLeg leg,
                 CorrectionLeg other_leg, std::uint32_t number, Instant now) {
    const bool waits = NeedsApproval(wish.kind);
    const Repair repair{.discrepancy = discrepancy.id,
                        .number = number,
                        .kind = wish.kind,
                        .state = waits ? RepairState::kRequested : RepairState::kPending,
                        .requested_by = wish.actor,
                        .reason = wish.reason,
                        .leg = leg,
                        .other_leg = other_leg,
                        .requested_at = now};
    return Move(discrepancy, repair, waits ? discrepancy.state() : DiscrepancyState::kRepairing,
                wish.actor, Called(repair) + "requested: " + wish.reason, now);
}

Result<std::optional<RepairMove>> Decide(const Discrepancy& discrepancy, const Repair& repair,
                                         const Decision& decision, Instant now) {
    if (decision.note.empty() || decision.note.size() > kNoteBytesMax) {
        return Status(Code::kInvalidArgument, "FIELD_INVALID", "note: 1 to 1000 bytes are needed");
    }
    if (decision.actor.empty() || decision.actor.size() > kActorBytesMax) {
        return Status(Code::kInvalidArgument, "FIELD_INVALID", "actor: 1 to 200 bytes are needed");
    }
    if (repair.state != RepairState::kRequested) {
        const bool approved = repair.state != RepairState::kDeclined;
        if (NeedsApproval(repair.kind) && approved == decision.approve &&
            repair.decided_by == decision.actor) {
            return std::optional<RepairMove>();
        }
        return Status(Code::kFailedPrecondition, "REPAIR_DECIDED",
                      NeedsApproval(repair.kind)
                          ? "the repair was " + std::string(approved ? "approved" : "declined") +
                                " by " + repair.decided_by
                          : std::string("such a repair needs nobody's approval"));
    }
    if (decision.approve && repair.requested_by == decision.actor) {
        return Status(Code::kPermissionDenied, "SAME_OPERATOR",
                      "who asked for the repair cannot approve it");
    }
    if (decision.approve && !discrepancy.Unsettled()) {
        return Status(Code::kFailedPrecondition, "ALREADY_REPAIRED",
                      "discrepancy " + discrepancy.id.ToString() + " is " +
                          std::string(StateName(discrepancy.state())) +
                          " meanwhile: decline the repair");
    }
    Repair decided = repair;
    decided.decided_by = decision.actor;
    decided.decided_at = std::max(now, repair.requested_at);
    if (decision.approve) {
        decided.state = RepairState::kPending;
        return std::optional(Move(discrepancy, decided, DiscrepancyState::kRepairing,
                                  decision.actor, Called(repair) + "approved: " + decision.note,
                                  now));
    }
    decided.state = RepairState::kDeclined;
    decided.outcome = decision.note;
    decided.ended_at = decided.decided_at;
    return std::optional(Move(discrepancy, decided, discrepancy.state(), decision.actor,
                              Called(repair) + "declined: " + decision.note, now));
}

RepairMove CarriedOut(const Discrepancy& discrepancy, const Repair& repair, std::string_view what,
                      Instant now) {
    KESSAI_CHECK(repair.state == RepairState::kPending, "only what is pending is carried out");
    Repair done = repair;
    done.state = RepairState::kVerifying;
    done.outcome = CutNote(std::string(what));
    done.carried_out_at = std::max(now, repair.requested_at);
    return Move(discrepancy, done, discrepancy.state(), kSystemActor,
                Called(repair) + "carried out: " + std::string(what), now);
}

RepairMove End(const Discrepancy& discrepancy, const Repair& repair, RepairState state,
               std::string_view why, Instant now, bool money_stands) {
    KESSAI_CHECK(!Ended(repair.state) && Ended(state), "it ends once");
    Repair ended = repair;
    ended.state = state;
    ended.outcome = CutNote(repair.outcome.empty() ? std::string(why)
                                                   : repair.outcome + "; " + std::string(why));
    ended.ended_at = std::max(now, repair.requested_at);
    // Somebody else may have settled it meanwhile: a run, or an event that came.
    const DiscrepancyState now_it_is = !discrepancy.Unsettled() ? discrepancy.state()
                                       : state == RepairState::kRepaired
                                           ? DiscrepancyState::kRepaired
                                           : DiscrepancyState::kOpen;
    Discrepancy after = discrepancy;
    if (state == RepairState::kRepaired && repair.kind == RepairKind::kCorrectingJournal) {
        after.corrected_by = money_stands ? repair.number : 0;
    }
    return Move(std::move(after), ended, now_it_is, kSystemActor,
                Called(repair) + std::string(StateName(state)) + ": " + std::string(why), now);
}

}  // namespace kessai::reconciliation::domain
