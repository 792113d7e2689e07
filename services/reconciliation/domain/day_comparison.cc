#include "domain/day_comparison.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

#include "domain/history_check.h"
#include "kessai/result/check.h"

namespace kessai::reconciliation::domain {

namespace {

bool MatchedAs(BusinessDate day, const Match& match, const BookRow& row) {
    return match.state == MatchState::kMatched && match.terms.business_date == day &&
           match.terms.merchant == row.merchant && match.terms.gross.minor() == row.gross;
}

/// Whether payout's row has the fee that it told, as far as both are known.
bool HasToldFee(const Match& match, const BookRow& row) {
    return !match.told_fee.noted() || !row.fee.noted() || match.told_fee == row.fee;
}

bool HasPaymentEvent(const Case& change) {
    return change.match && change.match->PaymentEffect().has_value();
}
bool HasPayoutEvent(const Case& change) {
    return change.match && change.match->PayoutEffect().has_value();
}

/// A book's row wherever it is, and its date.
struct Side {
    const BookRow* row = nullptr;
    BusinessDate business_date{};
    bool elsewhere = false;
};

Side SideOf(BusinessDate day, const std::optional<BookRow>& row,
            const std::optional<DatedRow>& elsewhere) {
    if (row) return {&*row, day};
    if (elsewhere) return {&elsewhere->row, elsewhere->business_date, true};
    return {};
}
Side PaymentSide(BusinessDate day, const Case& change) {
    return SideOf(day, change.payment, change.payment_elsewhere);
}
Side PayoutSide(BusinessDate day, const Case& change) {
    return SideOf(day, change.payout, change.payout_elsewhere);
}

std::string DescribeRow(const Side& side, bool with_date) {
    if (side.row == nullptr) return "no row";
    return std::to_string(side.row->gross) + " for merchant " + side.row->merchant.ToString() +
           (with_date ? " on " + side.business_date.ToString() : std::string());
}

/// The date that the change is recorded under: payment's, as far as it is known. What was heard of
/// it goes before its row, which may have been changed.
BusinessDate DateOf(BusinessDate day, const Case& change) {
    if (HasPaymentEvent(change)) return change.match->terms.business_date;
    const Side payment = PaymentSide(day, change);
    if (payment.row != nullptr) return payment.business_date;
    const Side payout = PayoutSide(day, change);
    return payout.row != nullptr ? payout.business_date : change.match->terms.business_date;
}

std::string DescribeMatch(const std::optional<Match>& match) {
    if (!match) return "no event";
    const std::string terms = match->terms.gross.ToString() + " for merchant " +
                              match->terms.merchant.ToString() + " on " +
                              match->terms.business_date.ToString();
    switch (match->state) {
        case MatchState::kWaitingForPayout:
            return "only payment's event " + match->payment_event.ToString() + " of " + terms;
        case MatchState::kWaitingForPayment:
            return "only payout's event " + match->payout_event.ToString() + " of " + terms;
        case MatchState::kMatched:
            return "both, matched as " + terms;
        case MatchState::kDiffers:
            return "both, and they differ; payment's says " + terms;
    }
    return "unknown";
}

Finding FindingOf(BusinessDate day, const Case& change) {
    const Side payment = PaymentSide(day, change);
    const Side payout = PayoutSide(day, change);
    const bool with_dates = payment.elsewhere || payout.elsewhere;
    Finding finding{.subject = {.business_date = DateOf(day, change), .change = change.key},
                    .evidence = "payment's book: " + DescribeRow(payment, with_dates) +
                                "; payout's book: " + DescribeRow(payout, with_dates) +
                                "; events: " + DescribeMatch(change.match)};
    if (change.match) finding.currency = change.match->terms.gross.currency();
    if (payment.row != nullptr) {
        finding.merchant = payment.row->merchant;
        finding.payment_gross = payment.row->gross;
    }
    if (payout.row != nullptr) {
        if (payment.row == nullptr) finding.merchant = payout.row->merchant;
        finding.payout_gross = payout.row->gross;
    }
    if (payment.row == nullptr && payout.row == nullptr) {
        finding.merchant = change.match->terms.merchant;
    }
    return finding;
}

void ClassifyBothThere(const Side& payment, const Side& payout, const Case& change,
                       std::vector<DiscrepancyKind>& kinds) {
    using enum DiscrepancyKind;
    if (payment.business_date != payout.business_date) kinds.push_back(kDateDiffers);
    if (payment.row->gross != payout.row->gross) kinds.push_back(kAmountDiffers);
    if (payment.row->merchant != payout.row->merchant) kinds.push_back(kMerchantDiffers);
    if (!kinds.empty()) return;
    if (!HasPaymentEvent(change)) kinds.push_back(kPaymentEventMissing);
    if (!HasPayoutEvent(change)) kinds.push_back(kPayoutEventMissing);
    if (!kinds.empty()) return;
    if (change.match->state == MatchState::kDiffers) {
        kinds.push_back(kContentDiffers);
    } else if (!MatchedAs(payment.business_date, *change.match, *payment.row)) {
        kinds.push_back(kChangedInBoth);
    } else if (!HasToldFee(*change.match, *payout.row)) {
        if (change.match->told_fee.fee != payout.row->fee.fee) kinds.push_back(kFeeDiffers);
        if (change.match->told_fee.tax_class != payout.row->fee.tax_class) {
            kinds.push_back(kTaxDiffers);
        }
    }
}

/// Of a row whose fee is not the one that was told: the finding with both.
Finding ToldFeeFinding(const Case& change, DiscrepancyKind kind) {
    const Match& match = *change.match;
    const ToldFee& told = match.told_fee;
    const ToldFee& row = change.payout ? change.payout->fee : change.payout_elsewhere->row.fee;
    const std::string evidence = "payout told a fee of " + std::to_string(told.fee) + " under " +
                                 std::string(TaxClassName(told.tax_class)) + "; its row says " +
                                 std::to_string(row.fee) + " under " +
                                 std::string(TaxClassName(row.tax_class));
    if (kind == DiscrepancyKind::kFeeDiffers) {
        return FeeFinding(change.key, match.terms, told.fee, row.fee, evidence);
    }
    return TaxFinding(change.key, match.terms, told.tax_class, row, evidence);
}

void ClassifyOneSided(bool there_in_payment, const Case& change,
                      std::vector<DiscrepancyKind>& kinds) {
    using enum DiscrepancyKind;
    if (!there_in_payment) {
        kinds.push_back(kMissingInPayment);
    } else {
        kinds.push_back(kMissingInPayout);
        if (!HasPaymentEvent(change)) kinds.push_back(kPaymentEventMissing);
    }
}

std::string Describe(const digest::BucketDigest& digest) {
    return std::to_string(digest.count) + " rows, sum " + std::to_string(digest.signed_gross) +
           ", hash sum " + digest.hash_sum.ToHex();
}

}  // namespace

std::vector<int> BucketsToList(const DayDigests& digests) {
    // If both equal the matched ones they equal each other.
    const std::vector<int> payment = digest::UnequalBuckets(digests.payment, digests.matched);
    const std::vector<int> payout = digest::UnequalBuckets(digests.payout, digests.matched);
    std::vector<int> either;
    std::set_union(payment.begin(), payment.end(), payout.begin(), payout.end(),
                   std::back_inserter(either));
    return either;
}

bool Agrees(BusinessDate day, const Case& change) {
    return change.payment && change.payout && *change.payment == *change.payout && change.match &&
           MatchedAs(day, *change.match, *change.payment) &&
           HasToldFee(*change.match, *change.payout);
}

std::vector<Finding> Classify(BusinessDate day, const Case& change) {
    KESSAI_CHECK(change.payment || change.payout || change.match, "a case of nothing");
    std::vector<DiscrepancyKind> kinds;
    const Side payment = PaymentSide(day, change);
    const Side payout = PayoutSide(day, change);
    if (payment.row != nullptr && payout.row != nullptr) {
        ClassifyBothThere(payment, payout, change, kinds);
    } else if (payment.row != nullptr || payout.row != nullptr) {
        ClassifyOneSided(payment.row != nullptr, change, kinds);
    } else {
        kinds.push_back(DiscrepancyKind::kMissingInBoth);
    }
    std::vector<Finding> findings;
    for (const DiscrepancyKind kind : kinds) {
        if (NeedsDeepRun(kind)) {
            findings.push_back(ToldFeeFinding(change, kind));
            continue;
        }
        Finding finding = FindingOf(day, change);
        finding.subject.kind = kind;
        // The same as from the events.
        if (kind == DiscrepancyKind::kDateDiffers && change.match) {
            finding.merchant = change.match->terms.merchant;
        }
        findings.push_back(std::move(finding));
    }
    return findings;
}

Finding DigestFinding(BusinessDate day, Book book, int bucket, const digest::BucketDigest& kept,
                      const digest::BucketDigest& of_rows) {
    return {.subject = {.business_date = day,
                        .kind = DiscrepancyKind::kDigestDiffers,
                        .book = book,
                        .bucket = static_cast<std::uint32_t>(bucket)},
            .evidence = "the digest of " + std::string(BookName(book)) + " says " + Describe(kept) +
                        "; its rows have " + Describe(of_rows)};
}

}  // namespace kessai::reconciliation::domain
