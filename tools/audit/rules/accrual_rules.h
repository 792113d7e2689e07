#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kessai/event/envelope.h"
#include "model/change_record.h"
#include "model/payout_rows.h"
#include "model/reconciliation_rows.h"
#include "report.h"
#include "rules/fees.h"

namespace kessai::audit {

/// The payload of the event AccrualRecorded that tells of an accrual
/// (proto/kessai/payout/v1/payout_event.proto).
std::string AccrualPayload(const AccrualRow& accrual);
/// That event's fields: its id is that of the payment event that it answers, its time the
/// accrual's. Nothing when the accrual's day is no date. `payload` must outlive them.
std::optional<event::Fields> AccrualEventOf(const AccrualRow& accrual, std::string_view payload);
/// That event's content hash; zeros where there is none.
Hash16 AccrualEventHash(const AccrualRow& accrual);

/// M7 of one change of a payment and its accrual: same merchant, day, kind, currency, signed
/// amount, event and content; the plan that was in force on the payment's day, the fee by it, and
/// the tax class of that day. `accrual` may be null; then `why` (called only then) says what is
/// known of it.
template <class Why>
void CheckAccrual(const ChangeRecord& change, const AccrualRow* accrual, const FeePlans& plans,
                  const Why& why, Report& report);

/// M8 of one change of a payment and its match in reconciliation: both sides came and agreed, with
/// what the books of both say. `accrual` may be null (then M7 tells), `match` too.
template <class Why>
void CheckMatch(const ChangeRecord& change, const AccrualRow* accrual, const MatchRow* match,
                const Why& why, Report& report);

// The parts of them that are no templates.
void CheckPresentAccrual(const ChangeRecord& change, const AccrualRow& accrual,
                         const FeePlans& plans, Report& report);
void CheckPresentMatch(const ChangeRecord& change, const AccrualRow* accrual, const MatchRow& match,
                       Report& report);
Subject SubjectOfChange(const ChangeKey& key);

template <class Why>
void CheckAccrual(const ChangeRecord& change, const AccrualRow* accrual, const FeePlans& plans,
                  const Why& why, Report& report) {
    if (accrual != nullptr) return CheckPresentAccrual(change, *accrual, plans, report);
    report.Found(Invariant::kM7, "accrual is missing", [&] {
        return Finding{SubjectOfChange(change.key),
                       "gross " + ToText(change.merchant_gross()) + " of merchant " +
                           ToText(change.merchant_id),
                       "none" + why()};
    });
}

template <class Why>
void CheckMatch(const ChangeRecord& change, const AccrualRow* accrual, const MatchRow* match,
                const Why& why, Report& report) {
    if (match != nullptr) return CheckPresentMatch(change, accrual, *match, report);
    report.Found(Invariant::kM8, "match is missing", [&] {
        return Finding{SubjectOfChange(change.key), "matched by reconciliation", "none" + why()};
    });
}

}  // namespace kessai::audit
