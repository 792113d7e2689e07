#pragma once

#include <map>
#include <utility>
#include <vector>

#include "domain/accrual.h"
#include "domain/day_total.h"
#include "tests/seeded.h"

namespace kessai::payout {

/// A random trade: payments of some merchants, some skewed to one, refunded in parts or cancelled
/// days later, some only authorized. In an order that a topic could have.
inline std::vector<domain::PaymentChange> RandomTrade(Seeded& random, std::int64_t payments,
                                                      std::int64_t merchants,
                                                      std::int64_t first_payment,
                                                      BusinessDate first_day, int days) {
    std::vector<domain::PaymentChange> changes;
    for (std::int64_t i = 0; i < payments; ++i) {
        domain::PaymentChange change;
        change.key = {domain::PaymentId(first_payment + i), 1};
        change.event = domain::EventId(change.key.payment.value() * 100 + 1);
        const int day = static_cast<int>(random.Between(0, days - 1));
        change.business_date = change.payment_date = first_day.PlusDays(day);
        change.merchant =
            domain::MerchantId(1'000 + (random.OneIn(3) ? 1 : random.Between(1, merchants)));
        change.amount = change.captured_total = 1 + random.UpTo(1'000'000);
        if (random.OneIn(20)) {
            change.kind = domain::ChangeKind::kAuthorized;
            change.captured_total = 0;
            changes.push_back(change);
            continue;
        }
        changes.push_back(change);
        std::int64_t refunded = 0;
        for (std::uint32_t version = 2; version <= 4 && random.OneIn(3); ++version) {
            const std::int64_t rest = change.captured_total - refunded;
            if (rest == 0) break;
            domain::PaymentChange back = change;
            const bool cancel = version == 2 && random.OneIn(3);
            back.kind = cancel ? domain::ChangeKind::kCanceled : domain::ChangeKind::kRefunded;
            back.key.version = version;
            back.event = domain::EventId(change.key.payment.value() * 100 + version);
            back.business_date =
                first_day.PlusDays(static_cast<int>(random.Between(day, days - 1)));
            back.refunded_before = refunded;
            back.amount = cancel ? rest : random.Between(1, rest);
            refunded += back.amount;
            changes.push_back(back);
        }
    }
    return changes;
}

/// What the rules say of each change, one at a time.
inline std::map<domain::EffectKey, domain::Accrual> ReferenceAccruals(
    const std::vector<domain::PaymentChange>& changes, const domain::PlanBook& plans) {
    std::map<domain::EffectKey, domain::Accrual> accruals;
    for (const domain::PaymentChange& change : changes) {
        accruals[change.key] = domain::Accrue(change, plans, domain::TaxTable::Japan()).value();
    }
    return accruals;
}

using DayAndMerchant = std::pair<BusinessDate, domain::MerchantId>;

/// Their sums, by a plain map.
inline std::map<DayAndMerchant, domain::Sums> ReferenceTotals(
    const std::map<domain::EffectKey, domain::Accrual>& accruals) {
    std::map<DayAndMerchant, domain::Sums> totals;
    for (const auto& [key, accrual] : accruals) {
        domain::Sums& sums = totals[{accrual.business_date, accrual.merchant}];
        sums.gross += accrual.gross;
        sums.fee += accrual.fee;
        ++sums.item_count;
    }
    return totals;
}

}  // namespace kessai::payout
