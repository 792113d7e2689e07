#include "app/order_repair.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/discrepancy_changes.h"
#include "domain/merchant_day.h"

namespace kessai::reconciliation::app {

namespace {

using domain::CorrectionLeg;
using domain::Discrepancy;
using domain::DiscrepancyKind;
using domain::Repair;
using domain::RepairKind;

Status NotAllowed(std::string why) {
    return Status(Code::kFailedPrecondition, "REPAIR_NOT_ALLOWED", std::move(why));
}

std::string NameOf(domain::ChangeKey change) {
    return "change " + change.payment.ToString() + "/" + std::to_string(change.version);
}

std::string Describe(const digest::BucketDigest& digest) {
    return std::to_string(digest.count) + " rows, sum " + std::to_string(digest.signed_gross) +
           ", hash sum " + digest.hash_sum.ToHex();
}

std::string Describe(const CorrectionLeg& leg, const Currency& currency) {
    const auto bits = static_cast<std::uint64_t>(leg.amount);
    return (leg.amount > 0 ? "merchant " + leg.merchant.ToString() + " gets "
                           : "merchant " + leg.merchant.ToString() + " gives back ") +
           std::to_string(leg.amount > 0 ? bits : 0 - bits) + " " + std::string(currency.code());
}

/// What events told of the change, if any was heard.
Result<std::optional<domain::Match>> FindMatch(const RepairPorts& ports, domain::ChangeKey change) {
    std::vector<domain::Match> match;
    KESSAI_RETURN_IF_ERROR(ports.transactions.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(match, books.matches.Find({&change, 1}));
        return OkStatus();
    }));
    if (match.empty()) return std::optional<domain::Match>();
    return std::optional(match.front());
}

/// Why what `by_payout` or payment would publish again may never have happened; empty: it has.
/// Whoever hears an event believes it, and nothing takes that back.
Result<std::string> DoubtOfEvent(const RepairPorts& ports, BusinessDate day,
                                 domain::ChangeKey change, bool by_payout) {
    KESSAI_ASSIGN_OR_RETURN(const auto heard, FindMatch(ports, change));
    if (!heard || !heard->PaymentEffect()) {
        KESSAI_ASSIGN_OR_RETURN(const std::string doubt, ports.peers.DoubtOfPayment(change));
        if (!doubt.empty()) {
            return "what payment has around its row does not show that it happened: " + doubt;
        }
    }
    if (!by_payout) return std::string();
    const int bucket = digest::BucketOf(change.payment.value());
    KESSAI_ASSIGN_OR_RETURN(const bool fits,
                            ports.look.DigestFits(domain::Book::kPayout, day, bucket));
    if (fits) return std::string();
    return "payout's digest of bucket " + std::to_string(bucket) +
           " does not fit its rows, so this one may not be what it accrued";
}

Result<RepairPlan> PlanPublish(const RepairPorts& ports, const Discrepancy& discrepancy) {
    const domain::Subject& subject = discrepancy.finding.subject;
    if (subject.kind == DiscrepancyKind::kReleaseEventMissing) {
        return RepairPlan{"payout publishes what it told of the release of " +
                          subject.business_date.ToString() + " again"};
    }
    if (subject.kind == DiscrepancyKind::kMissingInPayout) {
        KESSAI_ASSIGN_OR_RETURN(const auto heard, FindMatch(ports, subject.change));
        if (heard && heard->PaymentEffect()) {
            return NotAllowed("payment's event of " + NameOf(subject.change) +
                              " was heard: ACCRUE_AGAIN puts back what payout lost");
        }
    }
    const bool by_payout = subject.kind == DiscrepancyKind::kPayoutEventMissing;
    RepairPlan plan{(by_payout ? "payout" : "payment") + std::string(" publishes its event of ") +
                    NameOf(subject.change) + " again"};
    KESSAI_ASSIGN_OR_RETURN(plan.warning,
                            DoubtOfEvent(ports, subject.business_date, subject.change, by_payout));
    if (!plan.warning.empty()) plan.what += ". Look first: " + plan.warning;
    return plan;
}

Result<RepairPlan> PlanAccrue(const RepairPorts& ports, const Discrepancy& discrepancy) {
    const domain::ChangeKey change = discrepancy.finding.subject.change;
    KESSAI_ASSIGN_OR_RETURN(const AccrualTerms terms, ports.peers.AccrueAgain(change, true));
    if (!terms.restored) {
        return NotAllowed("payout has the accrual of " + NameOf(change) +
                          " as payment's event says: compare the day again");
    }
    return RepairPlan{"payout puts back the accrual of " + NameOf(change) + ": merchant " +
                      terms.merchant.ToString() + ", gross " + std::to_string(terms.gross) +
                      ", fee " + std::to_string(terms.fee)};
}

Result<digest::RecomputedBucket> Recompute(const RepairPorts& ports, const Discrepancy& discrepancy,
                                           const std::string& key) {
    const domain::Subject& subject = discrepancy.finding.subject;
    const int bucket = static_cast<int>(subject.bucket);
    KESSAI_ASSIGN_OR_RETURN(const int different,
                            ports.look.DifferentRows(subject.business_date, bucket));
    if (different > 0) {
        return NotAllowed(std::to_string(different) + " changes of bucket " +
                          std::to_string(bucket) +
                          " differ between the books: repair them first, then the digest of their "
                          "rows");
    }
    if (subject.book && *subject.book != domain::Book::kMatched) {
        return ports.peers.RecomputeDigest(*subject.book, subject.business_date, subject.bucket,
                                           key);
    }
    digest::RecomputedBucket digests;
    KESSAI_RETURN_IF_ERROR(ports.transactions.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(digests, books.repairs.RecomputeMatched(subject.business_date,
                                                                        bucket, key, ports.hasher));
        return OkStatus();
    }));
    return digests;
}

std::string Describe(const Discrepancy& discrepancy, const digest::RecomputedBucket& digests) {
    const domain::Subject& subject = discrepancy.finding.subject;
    return "the digest of bucket " + std::to_string(subject.bucket) + " in the book of " +
           std::string(domain::BookName(subject.book.value_or(domain::Book::kMatched))) +
           ": from " + Describe(digests.before) + " to " + Describe(digests.after);
}

std::string Describe(const domain::LineSums& sums) {
    return "gross " + std::to_string(sums.gross) + ", fee " + std::to_string(sums.fee) + " of " +
           std::to_string(sums.item_count) + " changes";
}

std::string Describe(const ClassSums& sums) {
    std::string text;
    for (const auto& [tax_class, line] : sums) {
        if (line == domain::LineSums{}) continue;
        if (!text.empty()) text += "; ";
        text += std::string(domain::TaxClassName(tax_class)) + ": " + Describe(line);
    }
    return text.empty() ? "nothing" : text;
}

/// Without classes that have nothing.
ClassSums WithoutEmpty(ClassSums sums) {
    std::erase_if(sums, [](const auto& line) { return line.second == domain::LineSums{}; });
    return sums;
}

/// Our totals of a merchant's day, counted again: only where the matches are what payout's totals
/// say, so that it is nothing but these totals that are wrong.
Result<CountedMerchant> CountAgain(const RepairPorts& ports, const domain::Subject& subject) {
    KESSAI_ASSIGN_OR_RETURN(const CountedMerchant counted,
                            ports.count.Run(subject.business_date, subject.held_merchant));
    KESSAI_ASSIGN_OR_RETURN(const domain::MerchantDay merchant,
                            ports.look.AtMerchant(subject.business_date, subject.held_merchant));
    ClassSums accrued;
    for (const domain::MerchantDayLine& line : merchant.lines) {
        accrued[line.tax_class] = line.accrued;
    }
    if (WithoutEmpty(counted.of_rows) != WithoutEmpty(accrued)) {
        return NotAllowed("the matches of merchant " + subject.held_merchant.ToString() +
                          " sum up to " + Describe(counted.of_rows) + ", payout's totals say " +
                          Describe(accrued) +
                          ": something else than our own totals differs. Compare the day, deep");
    }
    return counted;
}

std::string Describe(const domain::Subject& subject, const CountedMerchant& counted) {
    return "the totals of what was matched of merchant " + subject.held_merchant.ToString() +
           ": from " + Describe(counted.kept) + " to " + Describe(counted.of_rows);
}

Result<RepairPlan> PlanTotals(const RepairPorts& ports, const domain::Subject& subject) {
    KESSAI_ASSIGN_OR_RETURN(const CountedMerchant counted, CountAgain(ports, subject));
    return RepairPlan{Describe(subject, counted)};
}

Result<std::string> CorrectTotals(const RepairPorts& ports, const Discrepancy& discrepancy,
                                  const std::string& key) {
    const domain::Subject& subject = discrepancy.finding.subject;
    bool done = false;
    KESSAI_RETURN_IF_ERROR(ports.transactions.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(done, books.repairs.WereTotalsCorrected(key));
        return OkStatus();
    }));
    if (done) return std::string("the totals were made those of the matches");
    KESSAI_ASSIGN_OR_RETURN(const CountedMerchant counted, CountAgain(ports, subject));
    bool moved = false;
    KESSAI_RETURN_IF_ERROR(ports.transactions.Run([&](Books& books) -> Status {
        moved = false;
        KESSAI_RETURN_IF_ERROR(books.days.LockDay(subject.business_date));
        KESSAI_ASSIGN_OR_RETURN(done, books.repairs.WereTotalsCorrected(key));
        if (done) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(const ClassSums kept,
                                KeptTotals(books, subject.business_date, subject.held_merchant));
        moved = kept != counted.kept;
        if (moved) return OkStatus();
        MatchedTotals before{.business_date = subject.business_date,
                             .merchant = subject.held_merchant,
                             .currency = discrepancy.finding.currency,
                             .sums = counted.kept};
        MatchedTotals after = before;
        after.sums = counted.of_rows;
        return books.repairs.CorrectMatchedTotals(before, after, key);
    }));
    if (moved) {
        return Status(Code::kAborted, "TOTALS_MOVED",
                      "matches of merchant " + subject.held_merchant.ToString() + " came");
    }
    return Describe(subject, counted);
}

/// Where a row was put in, removed or changed without its service's event: what follows from the
/// difference would take it out on the merchant. Empty elsewhere.
Result<std::string> WarningOfRows(const RepairPorts& ports, const domain::Finding& finding) {
    KESSAI_ASSIGN_OR_RETURN(const auto match, FindMatch(ports, finding.subject.change));
    if (finding.subject.kind == DiscrepancyKind::kMissingInPayment &&
        !(match && match->PayoutEffect())) {
        return std::string(
            "payout never told of this accrual: if its row was put in behind its back the "
            "merchant's totals do not have it, and a journal takes what the merchant never got");
    }
    if (!match || match->state != domain::MatchState::kMatched) return std::string();
    if (finding.subject.kind == DiscrepancyKind::kMissingInPayment) {
        return std::string(
            "payment's event told of it, so its row was removed from payment's book afterwards: "
            "./kessai audit. A journal takes from the merchant what a customer paid");
    }
    if (finding.subject.kind == DiscrepancyKind::kAmountDiffers &&
        finding.payout_gross == match->terms.gross.minor()) {
        return "payment's row was changed after its event had told of " +
               std::to_string(match->terms.gross.minor()) +
               ", which payout has: ./kessai audit. A journal gives the merchant something else "
               "than what was paid";
    }
    return std::string();
}

/// Whether payout's event of the change came.
Result<bool> WasAccrualTold(const RepairPorts& ports, domain::ChangeKey change) {
    KESSAI_ASSIGN_OR_RETURN(const auto match, FindMatch(ports, change));
    return match && match->PayoutEffect().has_value();
}

/// Whether payout's accrual is still such that a journal makes up for the difference.
Status CheckAccrual(const domain::Finding& finding, const std::optional<AccrualTerms>& accrual) {
    const std::string name = NameOf(finding.subject.change);
    switch (finding.subject.kind) {
        case DiscrepancyKind::kMissingInPayout:
            return accrual ? NotAllowed("payout has the accrual of " + name + " now") : OkStatus();
        case DiscrepancyKind::kMissingInPayment:
            return accrual ? OkStatus() : NotAllowed("payout has no accrual of " + name + " now");
        case DiscrepancyKind::kMerchantDiffers:
            if (!accrual) return NotAllowed("payout has no accrual of " + name + " now");
            if (accrual->merchant == finding.merchant) {
                return NotAllowed("payout has " + name + " for payment's merchant now");
            }
            return OkStatus();
        default:
            return OkStatus();
    }
}

/// Takes off the plan's parts what was given before.
Status Subtract(const std::map<domain::MerchantId, std::int64_t>& given, const std::string& name,
                RepairPlan& plan) {
    if (given.empty()) return OkStatus();
    std::map<domain::MerchantId, std::int64_t> owed;
    for (const CorrectionLeg* leg : {&plan.leg, &plan.other_leg}) {
        if (!leg->none()) owed[leg->merchant] = leg->amount;
    }
    for (const auto& [merchant, amount] : given) {
        KESSAI_ASSIGN_OR_RETURN(owed[merchant], CheckedSubtract(owed[merchant], amount));
    }
    std::erase_if(owed, [](const auto& one) { return one.second == 0; });
    if (owed.empty()) {
        return NotAllowed("payout's ledger has what makes up for " + name +
                          ", from an earlier journal");
    }
    if (owed.size() > 2) {
        return NotAllowed("earlier journals for " + name +
                          " were of other merchants: more than two would have to be corrected");
    }
    // In the order in which they were.
    const auto first = owed.contains(plan.leg.merchant) ? plan.leg.merchant : owed.begin()->first;
    plan.leg = {first, owed.at(first)};
    owed.erase(first);
    plan.other_leg =
        owed.empty() ? CorrectionLeg{} : CorrectionLeg{owed.begin()->first, owed.begin()->second};
    return OkStatus();
}

/// What the difference says that the merchants are owed more or less than payout accrued. Fees
/// follow where payout has the accrual they were charged with; where it is the amount that differs
/// they stay as they were charged.
Result<RepairPlan> OwedFor(const RepairPorts& ports, const domain::Finding& finding,
                           const std::optional<AccrualTerms>& accrual) {
    const domain::ChangeKey change = finding.subject.change;
    RepairPlan plan;
    switch (finding.subject.kind) {
        case DiscrepancyKind::kMissingInPayout: {
            const auto again = ports.peers.AccrueAgain(change, /*dry_run=*/true);
            if (again.ok()) {
                return NotAllowed("the merchant's totals have " + NameOf(change) +
                                  " still: ACCRUE_AGAIN puts the row back, a journal would give it "
                                  "twice");
            }
            if (!IsForGood(again.status())) return again.status();
            plan.leg = {finding.merchant, finding.payment_gross.value_or(0)};
            KESSAI_ASSIGN_OR_RETURN(const bool was_told, WasAccrualTold(ports, change));
            if (was_told) {
                plan.warning =
                    "payout told that it accrued it, so the merchant's totals should have it: "
                    "compare them first. A journal gives it once more";
            }
            return plan;
        }
        case DiscrepancyKind::kAmountDiffers: {
            if (!finding.payment_gross || !finding.payout_gross) {
                return NotAllowed("what one side says of " + NameOf(change) + " is not known");
            }
            // To payment's merchant: that payout has another one is MERCHANT_DIFFERS, whose journal
            // moves what payout accrued.
            KESSAI_ASSIGN_OR_RETURN(const std::int64_t difference,
                                    CheckedSubtract(*finding.payment_gross, *finding.payout_gross));
            plan.leg = {finding.merchant, difference};
            return plan;
        }
        case DiscrepancyKind::kMissingInPayment:
        case DiscrepancyKind::kMerchantDiffers: {
            KESSAI_ASSIGN_OR_RETURN(const std::int64_t net,
                                    CheckedSubtract(accrual->gross, accrual->fee));
            KESSAI_ASSIGN_OR_RETURN(const std::int64_t taken, CheckedSubtract(0, net));
            plan.leg = {accrual->merchant, taken};
            if (finding.subject.kind == DiscrepancyKind::kMerchantDiffers) {
                plan.other_leg = {finding.merchant, net};
            }
            return plan;
        }
        default:
            return NotAllowed("no journal makes up for it");
    }
}

/// The same, with what an operator has to look at first.
Result<RepairPlan> PlanOwed(const RepairPorts& ports, const domain::Finding& finding) {
    const domain::ChangeKey change = finding.subject.change;
    KESSAI_ASSIGN_OR_RETURN(const auto accrual, ports.peers.FindAccrual(change));
    KESSAI_RETURN_IF_ERROR(CheckAccrual(finding, accrual));
    KESSAI_ASSIGN_OR_RETURN(RepairPlan plan, OwedFor(ports, finding, accrual));
    KESSAI_ASSIGN_OR_RETURN(const std::string of_rows, WarningOfRows(ports, finding));
    if (!of_rows.empty()) plan.warning = of_rows;
    if (plan.warning.empty() && (finding.subject.kind == DiscrepancyKind::kAmountDiffers ||
                                 finding.subject.kind == DiscrepancyKind::kMerchantDiffers)) {
        const auto again = ports.peers.AccrueAgain(change, /*dry_run=*/true);
        if (again.ok() && again->restored) {
            plan.warning =
                "payout's row was changed after it was accrued: the merchant's totals have what "
                "payment says. ACCRUE_AGAIN puts the row back; a journal gives the difference once "
                "more";
        } else if (!again.ok() && !IsForGood(again.status())) {
            return again.status();
        }
    }
    return plan;
}

/// Whether the books have the change otherwise in this way now.
Result<bool> StillDiffers(const RepairPorts& ports, const domain::Subject& subject) {
    KESSAI_ASSIGN_OR_RETURN(const auto findings,
                            ports.look.FindingsOf(subject.business_date, subject.change));
    return std::ranges::any_of(findings, [&](const domain::Finding& finding) {
        return finding.subject.kind == subject.kind;
    });
}

/// What the merchants are owed more or less than payout's ledger gave them, with what earlier
/// journals of the discrepancy did.
Result<RepairPlan> PlanJournal(const RepairPorts& ports, const Discrepancy& discrepancy,
                               const domain::RepairWish& wish) {
    const domain::Finding& finding = discrepancy.finding;
    const domain::ChangeKey change = finding.subject.change;
    KESSAI_RETURN_IF_ERROR(domain::CheckAllowed(wish.kind, discrepancy));
    const bool of_two = finding.subject.kind == DiscrepancyKind::kMerchantDiffers;
    if (of_two && wish.amount) {
        return Status(Code::kInvalidArgument, "FIELD_INVALID",
                      "amount: of two merchants it follows from the accrual");
    }
    KESSAI_ASSIGN_OR_RETURN(const auto given, GivenBy(ports, discrepancy.id));
    // Where the books agree again nothing is owed, and what journals gave is taken back.
    bool differs = true;
    if (!given.empty()) {
        KESSAI_ASSIGN_OR_RETURN(differs, StillDiffers(ports, finding.subject));
    }
    RepairPlan plan;
    if (differs) {
        KESSAI_ASSIGN_OR_RETURN(plan, PlanOwed(ports, finding));
    } else {
        plan.leg.merchant = finding.merchant;
    }
    if (wish.amount) {
        plan.leg.amount = *wish.amount;
    } else {
        KESSAI_RETURN_IF_ERROR(Subtract(given, NameOf(change), plan));
    }
    if (plan.leg.none()) {
        return NotAllowed("nothing is owed for " + NameOf(change) + ": it moved no money");
    }
    plan.what = "an adjustment of today in payout's ledger, for " + NameOf(change) + " of " +
                finding.subject.business_date.ToString() + ": " +
                Describe(plan.leg, finding.currency);
    if (!plan.other_leg.none()) {
        plan.what += "; " + Describe(plan.other_leg, finding.currency);
    }
    if (!given.empty()) {
        plan.what += ". Earlier journals for it:";
        for (const auto& [merchant, amount] : given) {
            plan.what += " " + Describe(CorrectionLeg{merchant, amount}, finding.currency) + ";";
        }
        plan.what.back() = wish.amount ? ' ' : ',';
        plan.what += wish.amount ? "(this is the amount asked for)" : " which is taken off";
    }
    if (!differs) plan.what += ". The books do not differ any more";
    if (!plan.warning.empty()) plan.what += ". Look first: " + plan.warning;
    return plan;
}

/// As payout is asked for it: what was approved.
Correction CorrectionOf(const Discrepancy& discrepancy, const Repair& repair) {
    return {.key = domain::EffectKeyOf(repair),
            .leg = repair.leg,
            .other_key = domain::OtherEffectKeyOf(repair),
            .other_leg = repair.other_leg,
            .reason = "corrects " + discrepancy.finding.subject.business_date.ToString() +
                      ", discrepancy " + discrepancy.id.ToString() + ", repair " +
                      std::to_string(repair.number) + ": " + repair.reason,
            .requested_by = repair.requested_by,
            .approved_by = repair.decided_by};
}

/// A discrepancy with its latest repair, if it had one.
struct Known {
    Discrepancy discrepancy;
    std::optional<Repair> latest;
};

Result<Known> Load(Books& books, domain::DiscrepancyId id, bool lock) {
    Known known;
    if (lock) {
        KESSAI_ASSIGN_OR_RETURN(known.discrepancy, books.discrepancies.LockOne(id));
    } else {
        KESSAI_ASSIGN_OR_RETURN(known.discrepancy, books.discrepancies.Find(id));
    }
    KESSAI_ASSIGN_OR_RETURN(auto repairs, books.repairs.Of(id));
    if (!repairs.empty()) known.latest = std::move(repairs.back());
    return known;
}

/// The amounts were fixed when it was asked for: nobody approves them for another difference. Only
/// one that says something else has a step that nobody ordered.
Status CheckNothingMoved(Books& books, RepairName name) {
    KESSAI_ASSIGN_OR_RETURN(const auto steps, books.discrepancies.Steps({&name.discrepancy, 1}));
    const auto history = steps.find(name.discrepancy);
    if (history == steps.end()) return OkStatus();
    bool is_later = false;
    for (const domain::Step& step : history->second) {
        if (is_later && step.repair == 0 && step.actor == domain::kSystemActor) {
            return Status(Code::kFailedPrecondition, "BOOKS_MOVED",
                          "what differs has changed since the repair was asked for (step " +
                              std::to_string(step.number) +
                              "): decline it, and have it asked for again");
        }
        is_later = is_later || step.repair == name.number;
    }
    return OkStatus();
}

Status StoreMove(Books& books, const domain::RepairMove& move, Instant now) {
    DiscrepancyChanges changes(now);
    changes.Add({move.discrepancy, move.discrepancy.latest, move.repair});
    return changes.Store(books);
}

}  // namespace

Result<std::map<domain::MerchantId, std::int64_t>> GivenBy(const RepairPorts& ports,
                                                           domain::DiscrepancyId id) {
    std::vector<Repair> repairs;
    KESSAI_RETURN_IF_ERROR(ports.transactions.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(repairs, books.repairs.Of(id));
        return OkStatus();
    }));
    std::map<domain::MerchantId, std::int64_t> given;
    const auto add = [&](const CorrectionLeg& leg, const std::string& key) -> Status {
        if (leg.none()) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(const auto posted, ports.peers.FindCorrection(leg.merchant, key));
        if (!posted) return OkStatus();
        std::int64_t& sum = given[leg.merchant];
        KESSAI_ASSIGN_OR_RETURN(sum, CheckedAdd(sum, posted->amount));
        return OkStatus();
    };
    for (const Repair& repair : repairs) {
        if (repair.kind != RepairKind::kCorrectingJournal) continue;
        KESSAI_RETURN_IF_ERROR(add(repair.leg, domain::EffectKeyOf(repair)));
        KESSAI_RETURN_IF_ERROR(add(repair.other_leg, domain::OtherEffectKeyOf(repair)));
    }
    std::erase_if(given, [](const auto& one) { return one.second == 0; });
    return given;
}

bool IsForGood(const Status& refusal) {
    switch (refusal.code()) {
        case Code::kInvalidArgument:
        case Code::kNotFound:
        case Code::kAlreadyExists:
        case Code::kFailedPrecondition:
        case Code::kOutOfRange:
        case Code::kPermissionDenied:
            return true;
        default:
            return false;
    }
}

Result<RepairPlan> PlanRepair(const RepairPorts& ports, const Discrepancy& discrepancy,
                              const domain::RepairWish& wish) {
    switch (wish.kind) {
        case RepairKind::kPublishAgain:
            return PlanPublish(ports, discrepancy);
        case RepairKind::kAccrueAgain:
            return PlanAccrue(ports, discrepancy);
        case RepairKind::kRecomputeTotal: {
            const domain::Subject& subject = discrepancy.finding.subject;
            if (subject.kind == DiscrepancyKind::kAccruedDiffers) return PlanTotals(ports, subject);
            KESSAI_ASSIGN_OR_RETURN(const digest::RecomputedBucket digests,
                                    Recompute(ports, discrepancy, ""));
            return RepairPlan{Describe(discrepancy, digests)};
        }
        case RepairKind::kCorrectingJournal:
            return PlanJournal(ports, discrepancy, wish);
    }
    return NotAllowed("no such repair");
}

Result<std::string> CarryOut(const RepairPorts& ports, const Discrepancy& discrepancy,
                             const Repair& repair) {
    const domain::Subject& subject = discrepancy.finding.subject;
    const std::string key = domain::EffectKeyOf(repair);
    switch (repair.kind) {
        case RepairKind::kPublishAgain: {
            KESSAI_ASSIGN_OR_RETURN(const RepairPlan plan, PlanPublish(ports, discrepancy));
            if (subject.kind == DiscrepancyKind::kReleaseEventMissing) {
                KESSAI_RETURN_IF_ERROR(ports.peers.PublishRelease(subject.business_date));
            } else if (subject.kind == DiscrepancyKind::kPayoutEventMissing) {
                KESSAI_RETURN_IF_ERROR(ports.peers.PublishPayoutEvent(subject.change));
            } else {
                KESSAI_RETURN_IF_ERROR(ports.peers.PublishPaymentEvent(subject.change));
            }
            return plan.what;
        }
        case RepairKind::kAccrueAgain: {
            KESSAI_ASSIGN_OR_RETURN(const AccrualTerms terms,
                                    ports.peers.AccrueAgain(subject.change, /*dry_run=*/false));
            return "payout put back the accrual of merchant " + terms.merchant.ToString() +
                   ", gross " + std::to_string(terms.gross) + ", fee " + std::to_string(terms.fee);
        }
        case RepairKind::kRecomputeTotal: {
            if (subject.kind == DiscrepancyKind::kAccruedDiffers) {
                return CorrectTotals(ports, discrepancy, key);
            }
            KESSAI_ASSIGN_OR_RETURN(const digest::RecomputedBucket digests,
                                    Recompute(ports, discrepancy, key));
            return Describe(discrepancy, digests);
        }
        case RepairKind::kCorrectingJournal: {
            // The amounts are those that were approved. What was asked for before goes on; else
            // payout may have accrued meanwhile, and the event of it be on the way.
            KESSAI_ASSIGN_OR_RETURN(const auto posted,
                                    ports.peers.FindCorrection(repair.leg.merchant, key));
            if (!posted) {
                KESSAI_ASSIGN_OR_RETURN(const auto accrual,
                                        ports.peers.FindAccrual(subject.change));
                KESSAI_RETURN_IF_ERROR(CheckAccrual(discrepancy.finding, accrual));
            }
            KESSAI_RETURN_IF_ERROR(ports.peers.PostCorrection(CorrectionOf(discrepancy, repair)));
            std::string what = "payout's ledger has adjustment " + key + ": " +
                               Describe(repair.leg, discrepancy.finding.currency);
            if (!repair.other_leg.none()) {
                what += "; " + Describe(repair.other_leg, discrepancy.finding.currency);
            }
            return what;
        }
    }
    return NotAllowed("no such repair");
}

Result<bool> GiveUp(const RepairPorts& ports, const Discrepancy& discrepancy,
                    const Repair& repair) {
    if (repair.kind != RepairKind::kCorrectingJournal) return true;
    return ports.peers.WithdrawCorrection(CorrectionOf(discrepancy, repair));
}

Result<RepairPlan> OrderRepair::Preview(domain::DiscrepancyId id,
                                        const domain::RepairWish& wish) const {
    Known known;
    KESSAI_RETURN_IF_ERROR(ports_.transactions.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(known, Load(books, id, /*lock=*/false));
        return OkStatus();
    }));
    KESSAI_RETURN_IF_ERROR(domain::CheckWish(wish, known.discrepancy));
    return PlanRepair(ports_, known.discrepancy, wish);
}

Result<Repair> OrderRepair::Request(domain::DiscrepancyId id,
                                    const domain::RepairWish& wish) const {
    Known known;
    KESSAI_RETURN_IF_ERROR(ports_.transactions.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(known, Load(books, id, /*lock=*/false));
        return OkStatus();
    }));
    if (known.latest && domain::IsSameWish(known.discrepancy, *known.latest, wish)) {
        return *known.latest;
    }
    KESSAI_RETURN_IF_ERROR(domain::CheckWish(wish, known.discrepancy));
    // Nobody is asked within a transaction.
    KESSAI_ASSIGN_OR_RETURN(const RepairPlan plan, PlanRepair(ports_, known.discrepancy, wish));
    Repair begun;
    KESSAI_RETURN_IF_ERROR(ports_.transactions.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(const Known now_known, Load(books, id, /*lock=*/true));
        if (now_known.latest &&
            domain::IsSameWish(now_known.discrepancy, *now_known.latest, wish)) {
            begun = *now_known.latest;
            return OkStatus();
        }
        KESSAI_RETURN_IF_ERROR(domain::CheckWish(wish, now_known.discrepancy));
        // Another repair may have come and gone, too.
        const auto number_of = [](const Known& one) { return one.latest ? one.latest->number : 0; };
        if (!now_known.discrepancy.finding.SaysTheSame(known.discrepancy.finding) ||
            number_of(now_known) != number_of(known)) {
            return Status(Code::kAborted, "BOOKS_MOVED",
                          "what differs has changed since it was looked at: ask again");
        }
        const std::uint32_t number = number_of(now_known) + 1;
        const Instant now = ports_.clock.Now();
        domain::RepairMove move =
            domain::Begin(now_known.discrepancy, wish, plan.leg, plan.other_leg, number, now);
        // For whoever is asked to approve it.
        move.repair.outcome = domain::CutNote(plan.warning);
        begun = move.repair;
        return StoreMove(books, move, now);
    }));
    return begun;
}

Result<Repair> OrderRepair::Decide(RepairName name, const domain::Decision& decision) const {
    Repair decided;
    KESSAI_RETURN_IF_ERROR(ports_.transactions.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(const Discrepancy discrepancy,
                                books.discrepancies.LockOne(name.discrepancy));
        KESSAI_ASSIGN_OR_RETURN(const auto repairs, books.repairs.Of(name.discrepancy));
        const Repair* repair = nullptr;
        for (const Repair& one : repairs) {
            if (one.number == name.number) repair = &one;
        }
        if (repair == nullptr) {
            return Status(Code::kNotFound, "REPAIR_UNKNOWN",
                          "discrepancy " + name.discrepancy.ToString() + " has no repair " +
                              std::to_string(name.number));
        }
        const Instant now = ports_.clock.Now();
        KESSAI_ASSIGN_OR_RETURN(const auto move,
                                domain::Decide(discrepancy, *repair, decision, now));
        if (move && decision.approve) {
            KESSAI_RETURN_IF_ERROR(CheckNothingMoved(books, name));
        }
        decided = move ? move->repair : *repair;
        return move ? StoreMove(books, *move, now) : OkStatus();
    }));
    return decided;
}

Status OrderRepair::Assign(domain::DiscrepancyId id, std::string_view owner,
                           const domain::Order& order) const {
    return ports_.transactions.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(Discrepancy discrepancy, books.discrepancies.LockOne(id));
        const Instant now = ports_.clock.Now();
        KESSAI_ASSIGN_OR_RETURN(const auto step, domain::Assign(discrepancy, owner, order, now));
        if (!step) return OkStatus();
        discrepancy.latest = *step;
        discrepancy.owner = std::string(owner);
        DiscrepancyChanges changes(now);
        changes.Add({discrepancy, step});
        return changes.Store(books);
    });
}

}  // namespace kessai::reconciliation::app
