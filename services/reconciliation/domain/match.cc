#include "domain/match.h"

#include <string>
#include <utility>

#include "kessai/result/check.h"

namespace kessai::reconciliation::domain {

namespace {

/// The two sides of a change, whichever came first.
struct Sides {
    const Terms& payment;
    EventId payment_event;
    const ContentHash& payment_content;
    const Terms& payout;
    EventId payout_event;
    EventId answered_event;
    const ContentHash& answered_content;
};

Differences Compare(const Sides& sides) {
    Differences found;
    if (sides.payment.gross != sides.payout.gross) found.Add(Difference::kAmount);
    if (sides.payment.merchant != sides.payout.merchant) found.Add(Difference::kMerchant);
    if (sides.payment.business_date != sides.payout.business_date) found.Add(Difference::kDate);
    if (sides.payment_event != sides.answered_event ||
        sides.payment_content != sides.answered_content) {
        found.Add(Difference::kContent);
    }
    return found;
}

std::string Describe(const Terms& terms) {
    return terms.gross.ToString() + " for merchant " + terms.merchant.ToString() + " on " +
           terms.business_date.ToString();
}

std::vector<Finding> FindingsOf(ChangeKey key, const Sides& sides, Differences differences) {
    Finding finding{.subject = {.business_date = sides.payment.business_date, .change = key},
                    .merchant = sides.payment.merchant,
                    .currency = sides.payment.gross.currency(),
                    .payment_gross = sides.payment.gross.minor(),
                    .payout_gross = sides.payout.gross.minor(),
                    .evidence = "event " + sides.payment_event.ToString() + " of payment says " +
                                Describe(sides.payment) + "; event " +
                                sides.payout_event.ToString() + " of payout says " +
                                Describe(sides.payout) + ", answering event " +
                                sides.answered_event.ToString()};
    if (differences.Has(Difference::kContent) && sides.payment_event == sides.answered_event) {
        finding.evidence += " with another content";
    }
    std::vector<Finding> findings;
    const auto add = [&](Difference difference, DiscrepancyKind kind) {
        if (!differences.Has(difference)) return;
        finding.subject.kind = kind;
        findings.push_back(finding);
    };
    add(Difference::kAmount, DiscrepancyKind::kAmountDiffers);
    add(Difference::kMerchant, DiscrepancyKind::kMerchantDiffers);
    add(Difference::kDate, DiscrepancyKind::kDateDiffers);
    add(Difference::kContent, DiscrepancyKind::kContentDiffers);
    return findings;
}

Joined Settle(Match match, const Sides& sides, std::vector<DiscrepancyKind> settled, Instant now) {
    const Differences differences = Compare(sides);
    Joined joined;
    joined.findings = FindingsOf(match.key, sides, differences);
    if (match.overdue) joined.settled = std::move(settled);
    match.state = differences.none() ? MatchState::kMatched : MatchState::kDiffers;
    match.differences = differences;
    match.overdue = false;
    match.matched_at = now;
    joined.match = match;
    return joined;
}

}  // namespace

Match Begin(const PaymentClaim& claim) {
    return {.key = claim.key,
            .state = MatchState::kWaitingForPayout,
            .terms = claim.terms,
            .payment_event = claim.event,
            .payment_content = claim.content,
            .kind = claim.kind};
}

Match Begin(const PayoutClaim& claim) {
    return {.key = claim.key,
            .state = MatchState::kWaitingForPayment,
            .terms = claim.terms,
            .payment_event = claim.answered_event,
            .payment_content = claim.answered_content,
            .payout_event = claim.event,
            .payout_content = claim.content,
            .told_fee = claim.told_fee};
}

Joined Join(const Match& waiting, const PaymentClaim& claim, Instant now) {
    KESSAI_CHECK(waiting.key == claim.key && waiting.state == MatchState::kWaitingForPayment,
                 "the match waits for another event");
    const Sides sides{
        claim.terms,          claim.event,           claim.content,          waiting.terms,
        waiting.payout_event, waiting.payment_event, waiting.payment_content};
    Match match = waiting;
    match.terms = claim.terms;
    match.payment_event = claim.event;
    match.payment_content = claim.content;
    match.kind = claim.kind;
    // That payment's book lacks the row is not settled by an event: only by looking again.
    return Settle(match, sides, {DiscrepancyKind::kPaymentEventMissing}, now);
}

Joined Join(const Match& waiting, const PayoutClaim& claim, Instant now) {
    KESSAI_CHECK(waiting.key == claim.key && waiting.state == MatchState::kWaitingForPayout,
                 "the match waits for another event");
    const Sides sides{waiting.terms, waiting.payment_event, waiting.payment_content, claim.terms,
                      claim.event,   claim.answered_event,  claim.answered_content};
    Match match = waiting;
    match.payout_event = claim.event;
    match.payout_content = claim.content;
    match.told_fee = claim.told_fee;
    // Payout stores the row and the event together, so both are there now.
    return Settle(match, sides,
                  {DiscrepancyKind::kMissingInPayout, DiscrepancyKind::kPayoutEventMissing}, now);
}

}  // namespace kessai::reconciliation::domain
