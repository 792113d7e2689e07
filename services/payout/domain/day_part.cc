#include "domain/day_part.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace kessai::payout::domain {

std::optional<DayPartKind> PartOf(const Accrual& accrual) {
    switch (accrual.kind) {
        case ChangeKind::kCompleted:
        case ChangeKind::kCaptured:
            return std::nullopt;
        case ChangeKind::kCanceled:
        case ChangeKind::kRefunded:
            // What was only authorized is canceled without money.
            return accrual.gross == 0 ? DayPartKind::kNeutral : DayPartKind::kReturns;
        case ChangeKind::kMerchantCashback:
        case ChangeKind::kMerchantCashbackReturned:
        case ChangeKind::kMerchantCoupon:
        case ChangeKind::kMerchantCouponReturned:
            return DayPartKind::kBenefits;
        case ChangeKind::kAuthorized:
        case ChangeKind::kReverted:
        case ChangeKind::kExpired:
        case ChangeKind::kOperatorCashback:
        case ChangeKind::kOperatorCashbackReturned:
        case ChangeKind::kOperatorCoupon:
        case ChangeKind::kOperatorCouponReturned:
            return DayPartKind::kNeutral;
    }
    return DayPartKind::kNeutral;
}

std::vector<DayPart> SumParts(std::span<const Accrual> accruals) {
    std::map<std::tuple<BusinessDate, MerchantId, TaxClass, DayPartKind>, DayPart> found;
    for (const Accrual& accrual : accruals) {
        const auto kind = PartOf(accrual);
        if (!kind) continue;
        const auto [at, added] =
            found.try_emplace({accrual.business_date, accrual.merchant, accrual.tax_class, *kind},
                              DayPart{accrual.business_date, *kind,
                                      MerchantSums{accrual.merchant, accrual.tax_class, Sums()},
                                      accrual.payment_date, accrual.payment_date});
        DayPart& part = at->second;
        part.part.sums = part.part.sums + Sums{accrual.gross, accrual.fee, 1};
        part.payment_first = std::min(part.payment_first, accrual.payment_date);
        part.payment_last = std::max(part.payment_last, accrual.payment_date);
    }
    std::vector<DayPart> parts;
    parts.reserve(found.size());
    for (auto& [key, part] : found) parts.push_back(part);
    return parts;
}

}  // namespace kessai::payout::domain
