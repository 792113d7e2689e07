#include "rules/merchant_day.h"

#include <set>
#include <string>
#include <utility>

#include "rules/seals.h"

namespace kessai::audit {
namespace {

using enum Invariant;

std::string PartText(int part) {
    switch (part) {
        case kReturns:
            return "returns";
        case kBenefits:
            return "benefits";
        case kNeutral:
            return "nothing moved";
        default:
            return std::to_string(part);
    }
}

class MerchantDayCheck {
 public:
    MerchantDayCheck(const MerchantDay& day, const DayProgress& progress, Report& report)
        : day_(day), progress_(progress), report_(report) {}

    void Run() {
        CheckTotals();
        CheckParts();
        if (progress_.has_reconciliation) {
            ExpectEqual("matched total", day_.matched, day_.matched_kept);
        }
        if (IsClosedForMerchant(day_, progress_)) CheckClosed();
        CheckReleases();
        CheckHoldSeal();
    }

 private:
    Subject OfDay() const {
        return {{"merchant", day_.merchant_id}, {"day", DayText(day_.business_date)}};
    }
    Subject OfTotal(std::int32_t slot, std::int32_t tax_class) const {
        Subject subject = OfDay();
        subject.emplace_back("slot", std::int64_t{slot});
        subject.emplace_back("tax class", std::int64_t{tax_class});
        return subject;
    }
    Subject OfRelease(const ReleaseRow& release) const {
        Subject subject = OfDay();
        subject.emplace_back("tax class", std::int64_t{release.tax_class});
        return subject;
    }

    void CheckTotals() {
        // A total holds one currency, which rows of damaged accruals may not.
        std::map<std::pair<std::int32_t, std::int32_t>, std::pair<CurrencyCode, Sums>> accrued;
        for (const AccrualSum& sum : day_.accrued) {
            auto& [currency, sums] = accrued[{sum.slot, sum.tax_class}];
            currency = sum.currency;
            sums.Add(sum.sums);
        }
        for (const TotalRow& total : day_.totals) {
            const auto found = accrued.find({total.slot, total.tax_class});
            const bool there = found != accrued.end();
            const Sums expected = there ? found->second.second : Sums{};
            const auto subject = [&] { return OfTotal(total.slot, total.tax_class); };
            report_.Expect(kM7, "merchant's day total", subject, expected,
                           Sums{total.gross, total.fee, total.item_count});
            if (!there) continue;
            report_.Expect(kM7, "currency of day total", subject, found->second.first,
                           total.currency);
            accrued.erase(found);
        }
        for (const auto& [place, sum] : accrued) {
            report_.Found(kM7, "merchant's day total is missing", [&] {
                return Finding{OfTotal(place.first, place.second), ToText(sum.second), "none"};
            });
        }
    }

    void CheckParts() {
        using Place = std::pair<std::int32_t, std::int32_t>;
        std::map<Place, PartSum> kept;
        for (const PartRow& row : day_.parts) {
            const PartSum sum{row.business_date,
                              row.merchant_id,
                              row.tax_class,
                              row.part,
                              {row.gross, row.fee, row.item_count},
                              row.payment_first,
                              row.payment_last};
            const auto [at, is_new] = kept.try_emplace({row.tax_class, row.part}, sum);
            if (!is_new) at->second.Merge(sum);
        }
        std::map<Place, PartSum> accrued;
        for (const PartSum& sum : day_.accrued_parts) accrued[{sum.tax_class, sum.part}] = sum;
        const auto text_of = [](const std::map<Place, PartSum>& sums, const Place& place) {
            const auto found = sums.find(place);
            return found == sums.end() ? std::string("none") : ToText(found->second);
        };
        std::set<Place> places;
        for (const auto& [place, sum] : kept) places.insert(place);
        for (const auto& [place, sum] : accrued) places.insert(place);
        for (const Place& place : places) {
            report_.Expect(
                kM7, "part of merchant's day",
                [&] {
                    Subject subject = OfDay();
                    subject.emplace_back("tax class", std::int64_t{place.first});
                    subject.emplace_back("part", PartText(place.second));
                    return subject;
                },
                text_of(accrued, place), text_of(kept, place));
        }
    }

    void ExpectEqual(std::string_view what, const MerchantDay::ByCurrency& expected,
                     const MerchantDay::ByCurrency& found) {
        std::set<CurrencyCode> currencies;
        for (const auto& [currency, sum] : expected) currencies.insert(currency);
        for (const auto& [currency, sum] : found) currencies.insert(currency);
        for (const CurrencyCode currency : currencies) {
            const auto sum_of = [&](const MerchantDay::ByCurrency& sums) {
                const auto there = sums.find(currency);
                return there == sums.end() ? Wide{0} : there->second;
            };
            report_.Expect(
                kM8, what,
                [&] {
                    Subject subject = OfDay();
                    subject.emplace_back("currency", currency.ToString());
                    return subject;
                },
                sum_of(expected), sum_of(found));
        }
    }

    void CheckClosed() {
        MerchantDay::ByCurrency gross;
        for (const TotalRow& total : day_.totals) gross[total.currency] += total.gross;
        ExpectEqual("payout's gross beside payable", day_.payable, gross);
        if (progress_.has_reconciliation && progress_.reconciliation_is_up) {
            ExpectEqual("matched beside payable", day_.payable, day_.matched_kept);
        }
    }

    void CheckReleases() {
        std::map<std::int32_t, Sums> accrued;
        for (const AccrualSum& sum : day_.accrued) accrued[sum.tax_class].Add(sum.sums);
        for (const ReleaseRow& release : day_.releases) {
            const auto subject = [&] { return OfRelease(release); };
            report_.Expect(kM8, "released beside accrued", subject, accrued[release.tax_class],
                           Sums{release.gross, release.fee, release.item_count});
            report_.Expect(kM1, "release's net", subject,
                           Wide{release.gross} - release.fee - release.tax, Wide{release.net});
        }
        const bool held = day_.hold.has_value() && !day_.hold->released_round.has_value();
        if (held && !day_.releases.empty()) {
            report_.Found(kM8, "released though held back", [&] {
                return Finding{OfDay(), "held back", "released"};
            });
        }
        const bool due = progress_.payout_state == kPayoutReleased && !day_.totals.empty();
        if (due && !held && day_.releases.empty()) {
            report_.Found(kM8, "neither released nor held back", [&] {
                return Finding{OfDay(), "released, as its day is", "no release"};
            });
        }
    }

    void CheckHoldSeal() {
        if (!day_.hold.has_value() || !day_.hold->open_at_close ||
            !day_.hold->released_round.has_value()) {
            return;
        }
        TotalsSeal seal(day_.business_date);
        for (const TotalRow& total : day_.totals) seal.Add(total);
        const auto subject = [&] { return OfDay(); };
        if (!day_.hold->seal.has_value()) {
            report_.Found(kM9, "seal of merchant's totals", [&] {
                return Finding{subject(), ToText(seal.End()), "none"};
            });
            return;
        }
        report_.Expect(kM9, "seal of merchant's totals", subject, seal.End(), *day_.hold->seal);
    }

    const MerchantDay& day_;
    const DayProgress& progress_;
    Report& report_;
};

}  // namespace

// The kinds are those of kessai.payment.v1.PaymentChanged.
std::optional<int> PartOf(int kind, std::int64_t gross) {
    constexpr int kCaptured = 5;
    switch (kind) {
        case kCompleted:
        case kCaptured:
            return std::nullopt;
        case kCanceled:
        case kRefunded:
            return gross == 0 ? kNeutral : kReturns;
        case 8:  // what the merchant bears of cashback and coupons, and what comes back of it
        case 9:
        case 10:
        case 11:
            return kBenefits;
        default:
            return kNeutral;
    }
}

bool IsClosedForMerchant(const MerchantDay& day, const DayProgress& progress) {
    const bool held_open =
        day.hold.has_value() && day.hold->open_at_close && !day.hold->released_round.has_value();
    return progress.has_payment && progress.closed_in_payment &&
           progress.payout_state >= kPayoutClosed && !held_open;
}

void CheckMerchantDay(const MerchantDay& day, const DayProgress& progress, Report& report) {
    MerchantDayCheck(day, progress, report).Run();
}

}  // namespace kessai::audit
