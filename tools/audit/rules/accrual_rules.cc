#include "rules/accrual_rules.h"

#include "kessai/event/bucket.h"
#include "kessai/payout/v1/payout_event.pb.h"

namespace kessai::audit {
namespace {

using enum Invariant;

std::string MatchStateText(int state) {
    switch (state) {
        case kWaitingForPayout:
            return "waiting for payout";
        case kWaitingForPayment:
            return "waiting for payment";
        case kMatched:
            return "matched";
        case kDiffers:
            return "differs";
        default:
            return "state " + std::to_string(state);
    }
}

std::string PlanText(std::int64_t plan, std::int64_t version) {
    return "plan " + std::to_string(plan) + " version " + std::to_string(version);
}

void CheckFee(const ChangeRecord& change, const AccrualRow& accrual, const FeePlans& plans,
              Report& report) {
    const auto subject = [&] { return SubjectOfChange(change.key); };
    const auto [plan, since] = plans.InForce(change.merchant_id, change.payment_date);
    if (plan == nullptr) {
        report.Found(kM7, "plan", [&] {
            return Finding{subject(),
                           "a plan of merchant " + std::to_string(change.merchant_id) + " on " +
                               DayText(change.payment_date),
                           "none"};
        });
        return;
    }
    report.Expect(kM7, "plan in force", subject, PlanText(plan->plan_id, plan->version),
                  PlanText(accrual.plan_id, accrual.plan_version));
    report.Expect(kM7, "plan's currency", subject, change.currency, plan->currency);
    const FeeCase fee_case{change.store_hash, change.payment_date, since,
                           plans.VolumeOn(change.merchant_id, change.payment_date)};
    report.Expect(kM7, "fee", subject,
                  SignedFee(*plan, fee_case, change.kind, change.amount, change.captured_total,
                            change.refunded_before),
                  Wide{accrual.fee});
    // Kept where the fee follows it; payment knows no method but the wallet yet.
    report.Expect(kM7, "accrual's store", subject,
                  HasStores(*plan) ? change.store_hash : std::uint64_t{0}, accrual.store_hash);
    report.Expect(kM7, "accrual's split", subject, std::string("all money"),
                  std::string(accrual.has_split ? "several methods" : "all money"));
    report.Expect(kM7, "tax class", subject, TaxClassOn(change.payment_date),
                  int{accrual.tax_class});
}

}  // namespace

Subject SubjectOfChange(const ChangeKey& key) {
    return {{"payment", key.object}, {"version", std::int64_t{key.version}}};
}

std::string AccrualPayload(const AccrualRow& accrual) {
    thread_local payout::v1::AccrualRecorded message;
    message.Clear();
    message.set_merchant_id(accrual.merchant_id);
    message.set_currency(accrual.currency.ToString());
    message.set_gross(accrual.gross);
    message.set_fee(accrual.fee);
    message.set_tax_class(std::string(TaxClassName(accrual.tax_class)));
    message.set_plan_id(accrual.plan_id);
    message.set_plan_version(static_cast<std::uint32_t>(accrual.plan_version));
    message.set_payment_event_id(accrual.event_id);
    message.set_payment_content_hash(accrual.content_hash.data(), accrual.content_hash.size());
    return message.SerializeAsString();
}

std::optional<event::Fields> AccrualEventOf(const AccrualRow& accrual, std::string_view payload) {
    const auto date = BusinessDate::FromNumber(accrual.business_date);
    if (!date.ok()) return std::nullopt;
    return event::Fields{"kessai.payout.v1.AccrualRecorded",
                         accrual.key.object,
                         accrual.key.version,
                         accrual.event_id,
                         *date,
                         FromMicros(accrual.recorded_at_us),
                         payload};
}

Hash16 AccrualEventHash(const AccrualRow& accrual) {
    const std::string payload = AccrualPayload(accrual);
    const auto fields = AccrualEventOf(accrual, payload);
    return fields.has_value() ? event::HashOf(*fields) : Hash16{};
}

void CheckPresentAccrual(const ChangeRecord& change, const AccrualRow& accrual,
                         const FeePlans& plans, Report& report) {
    const auto subject = [&] { return SubjectOfChange(change.key); };
    report.Expect(kM7, "accrual's merchant", subject, change.merchant_id, accrual.merchant_id);
    report.Expect(kM7, "accrual's business date", subject, DayText(change.business_date),
                  DayText(accrual.business_date));
    report.Expect(kM7, "accrual's kind", subject, int{change.kind}, int{accrual.kind});
    report.Expect(kM7, "accrual's currency", subject, change.currency, accrual.currency);
    report.Expect(kM7, "accrual's gross", subject, change.merchant_gross(), accrual.gross);
    report.Expect(kM7, "accrual's captured total", subject, change.captured_total,
                  accrual.captured_total);
    report.Expect(kM7, "accrual's refunded before", subject, change.refunded_before,
                  accrual.refunded_before);
    report.Expect(kM7, "accrual's payment date", subject, DayText(change.payment_date),
                  DayText(accrual.payment_date));
    report.Expect(kM7, "accrual's event", subject, change.event_id, accrual.event_id);
    report.Expect(kM7, "accrual's content", subject, change.event_hash, accrual.content_hash);
    report.Expect(kM8, "accrual's bucket", subject, event::BucketOf(change.key.object),
                  int{accrual.bucket});
    CheckFee(change, accrual, plans, report);
}

void CheckPresentMatch(const ChangeRecord& change, const AccrualRow* accrual, const MatchRow& match,
                       Report& report) {
    const auto subject = [&] { return SubjectOfChange(change.key); };
    if (!report.Expect(kM8, "match's state", subject, MatchStateText(kMatched),
                       MatchStateText(match.state))) {
        return;
    }
    report.Expect(kM8, "match's merchant", subject, change.merchant_id, match.merchant_id);
    report.Expect(kM8, "match's business date", subject, DayText(change.business_date),
                  DayText(match.business_date));
    report.Expect(kM8, "match's currency", subject, change.currency, match.currency);
    report.Expect(kM8, "match's gross", subject, change.merchant_gross(), match.gross);
    report.Expect(kM8, "match's payment event", subject, change.event_id, match.payment_event_id);
    report.Expect(kM8, "match's payment content", subject, change.event_hash,
                  match.payment_content);
    report.Expect(kM8, "match's bucket", subject, event::BucketOf(change.key.object), match.bucket);
    if (accrual == nullptr) return;
    report.Expect(kM8, "match's payout event", subject, accrual->event_id, match.payout_event_id);
    report.Expect(kM8, "match's payout content", subject, accrual->event_hash,
                  match.payout_content);
}

}  // namespace kessai::audit
