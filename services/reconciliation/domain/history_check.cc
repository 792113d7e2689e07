#include "domain/history_check.h"

#include <string>
#include <utility>

#include "domain/merchant_effect.h"

namespace kessai::reconciliation::domain {

namespace {

using enum PaymentKind;

PaymentKind KindOf(PaymentKindNumber number) {
    return static_cast<PaymentKind>(number);
}

bool IsSale(PaymentKind kind) {
    return kind == kCompleted || kind == kCaptured;
}
bool IsReturn(PaymentKind kind) {
    return kind == kCanceled || kind == kRefunded;
}
bool IsBenefit(PaymentKind kind) {
    return kind >= kMerchantCashback;
}

/// What a payment's changes up to some version made of it.
struct Standing {
    bool authorized = false;
    /// Cancelled, reverted or expired.
    bool canceled = false;
    bool ended = false;
    std::int64_t captured = 0;
    std::int64_t returned = 0;
    /// Some kind is not noted, or some change is not there.
    bool incomplete = false;
};

Standing StandingAfter(std::span<const Match> changes) {
    Standing standing;
    std::uint32_t version = 0;
    for (const Match& change : changes) {
        const PaymentKind kind = KindOf(change.kind);
        if (change.kind == 0 || change.key.version != ++version) standing.incomplete = true;
        version = change.key.version;
        if (kind == kAuthorized) standing.authorized = true;
        if (kind == kCanceled) standing.canceled = true;
        if (kind == kReverted || kind == kExpired) standing.ended = true;
        if (IsSale(kind)) standing.captured += change.terms.gross.minor();
        if (IsReturn(kind)) standing.returned -= change.terms.gross.minor();
    }
    return standing;
}

/// What keeps the change from following, in words; empty when nothing does.
std::string Objection(PaymentKind kind, std::int64_t gross, bool first, const Standing& before) {
    if (first != (kind == kCompleted || kind == kAuthorized)) {
        return first ? "a payment cannot begin with it" : "a payment can only begin with it";
    }
    switch (kind) {
        case kCompleted:
        case kAuthorized:
            return {};
        case kCaptured:
        case kReverted:
        case kExpired:
            if (!before.authorized) return "nothing was authorized";
            if (before.ended || before.canceled) return "the authorization has ended";
            return {};
        case kCanceled:
        case kRefunded:
            if (before.canceled) return "the payment is cancelled";
            if (-gross > before.captured - before.returned) {
                return "it returns " + std::to_string(-gross) + " where " +
                       std::to_string(before.captured) + " was captured and " +
                       std::to_string(before.returned) + " returned";
            }
            return {};
        default:
            return {};
    }
}

Finding FindingOf(ChangeKey key, const Terms& terms, DiscrepancyKind kind, std::string evidence) {
    return {.subject = {.business_date = terms.business_date, .kind = kind, .change = key},
            .merchant = terms.merchant,
            .currency = terms.gross.currency(),
            .evidence = std::move(evidence)};
}

/// floor(fee × part ÷ whole), for 0 ≤ part ≤ whole, so that it is no more than the fee.
std::int64_t Share(std::int64_t fee, std::int64_t part, std::int64_t whole) {
    return FloorMulDiv(fee, part, whole).value();
}

/// The fee that a return gives back by the fees of its payment; nothing when they are not all
/// known, or are damaged so that none follows.
std::optional<std::int64_t> FeeReturned(const PayoutClaim& claim, std::span<const Match> before) {
    const Standing standing = StandingAfter(before);
    const std::int64_t returned = -claim.terms.gross.minor();
    if (standing.incomplete || before.empty() || standing.captured <= 0) return std::nullopt;
    if (before.back().key.version + 1 != claim.key.version) return std::nullopt;
    if (standing.returned < 0 || standing.returned + returned > standing.captured) {
        return std::nullopt;
    }
    std::int64_t charged = 0;
    for (const Match& change : before) {
        if (!change.told_fee.noted()) return std::nullopt;
        if (IsSale(KindOf(change.kind))) charged += change.told_fee.fee;
    }
    if (charged < 0) return std::nullopt;
    return -(Share(charged, standing.returned + returned, standing.captured) -
             Share(charged, standing.returned, standing.captured));
}

/// The tax class of a return's payment; of a sale that of its own day. Nothing when unknown.
std::optional<TaxClass> ClassOfPayment(const PayoutClaim& claim, PaymentKindNumber kind,
                                       std::span<const Match> before) {
    if (KindOf(kind) == kCompleted) return TaxClassOn(claim.terms.business_date);
    if (before.empty() || before.front().key.version != 1) return std::nullopt;
    return TaxClassOn(before.front().terms.business_date);
}

}  // namespace

std::vector<Finding> CheckHistory(const PaymentClaim& claim, std::span<const Match> before) {
    std::vector<Finding> findings;
    if (claim.kind == 0) return findings;
    const bool first = claim.key.version == 1;
    const bool follows =
        first || (!before.empty() && before.back().key.version + 1 == claim.key.version);
    const std::string change = "payment's event " + claim.event.ToString() + " says " +
                               std::string(PaymentKindName(KindOf(claim.kind))) + " of " +
                               claim.terms.gross.ToString();
    const auto add = [&](DiscrepancyKind kind, std::string evidence) {
        Finding finding = FindingOf(claim.key, claim.terms, kind, std::move(evidence));
        finding.payment_gross = claim.terms.gross.minor();
        findings.push_back(std::move(finding));
    };
    if (!follows) {
        const std::string known =
            before.empty() ? "none" : std::to_string(before.back().key.version);
        add(DiscrepancyKind::kOutOfOrder, change + " as version " +
                                              std::to_string(claim.key.version) +
                                              "; the latest one before it that came: " + known);
        return findings;
    }
    const Standing standing = StandingAfter(before);
    if (standing.incomplete) return findings;
    const std::string objection =
        Objection(KindOf(claim.kind), claim.terms.gross.minor(), first, standing);
    if (!objection.empty()) add(DiscrepancyKind::kStateInvalid, change + ": " + objection);
    return findings;
}

std::vector<Finding> CheckFee(const PayoutClaim& claim, PaymentKindNumber kind,
                              std::span<const Match> before) {
    std::vector<Finding> findings;
    const ToldFee& told = claim.told_fee;
    if (!told.noted()) return findings;
    const std::int64_t gross = claim.terms.gross.minor();
    const auto add = [&](std::optional<std::int64_t> expected, std::string_view why) {
        findings.push_back(FeeFinding(claim.key, claim.terms, expected, told.fee,
                                      "event " + claim.event.ToString() +
                                          " of payout says a fee of " + std::to_string(told.fee) +
                                          " for " + claim.terms.gross.ToString() + ": " +
                                          std::string(why)));
    };
    const bool benefit = kind != 0 && IsBenefit(KindOf(kind));
    if (benefit && told.fee != 0) {
        add(0, "a cashback or coupon has none");
    } else if (gross == 0 && told.fee != 0) {
        add(0, "what moved nothing has none");
    } else if (gross > 0 && told.fee < 0) {
        add(std::nullopt, "a sale is charged");
    } else if (gross < 0 && told.fee > 0) {
        add(std::nullopt, "a return is not charged");
    } else if (gross < 0 && kind != 0 && IsReturn(KindOf(kind))) {
        const auto expected = FeeReturned(claim, before);
        if (expected && *expected != told.fee) {
            add(*expected,
                "by the fees of its payment it gives back " + std::to_string(-*expected));
        }
    }
    const auto expected_class = ClassOfPayment(claim, kind, before);
    const bool wrong = told.tax_class == TaxClass::kUnknown || told.tax_class == TaxClass::kNone ||
                       (expected_class && *expected_class != told.tax_class);
    if (wrong) {
        const TaxClass expected = expected_class.value_or(TaxClassOn(claim.terms.business_date));
        findings.push_back(
            TaxFinding(claim.key, claim.terms, expected, told,
                       "event " + claim.event.ToString() + " of payout puts the fee under " +
                           std::string(TaxClassName(told.tax_class)) +
                           ", the payment's day is under " + std::string(TaxClassName(expected))));
    }
    return findings;
}

Finding FeeFinding(ChangeKey key, const Terms& terms, std::optional<std::int64_t> expected,
                   std::int64_t fee, std::string evidence) {
    Finding finding = FindingOf(key, terms, DiscrepancyKind::kFeeDiffers, std::move(evidence));
    finding.payment_gross = expected;
    finding.payout_gross = fee;
    return finding;
}

Finding TaxFinding(ChangeKey key, const Terms& terms, TaxClass expected, const ToldFee& told,
                   std::string evidence) {
    Finding finding = FindingOf(key, terms, DiscrepancyKind::kTaxDiffers, std::move(evidence));
    finding.payment_gross = TaxOf(expected, told.fee);
    finding.payout_gross = TaxOf(told.tax_class, told.fee);
    return finding;
}

Finding DuplicateFinding(const PaymentClaim& claim, std::string_view why) {
    Finding finding =
        FindingOf(claim.key, claim.terms, DiscrepancyKind::kDuplicate,
                  "payment told again of it, as event " + claim.event.ToString() + " with " +
                      claim.terms.gross.ToString() + ": " + std::string(why));
    finding.payment_gross = claim.terms.gross.minor();
    return finding;
}

Finding DuplicateFinding(const PayoutClaim& claim, std::string_view why) {
    Finding finding =
        FindingOf(claim.key, claim.terms, DiscrepancyKind::kDuplicate,
                  "payout told again of it, as event " + claim.event.ToString() + " with " +
                      claim.terms.gross.ToString() + ": " + std::string(why));
    finding.payout_gross = claim.terms.gross.minor();
    return finding;
}

}  // namespace kessai::reconciliation::domain
