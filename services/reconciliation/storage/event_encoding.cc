#include "storage/event_encoding.h"

#include "kessai/event/envelope.h"
#include "kessai/reconciliation/v1/reconciliation_event.pb.h"

namespace kessai::reconciliation::storage {

Result<std::string> SealStep(const domain::Discrepancy& discrepancy) {
    const domain::Finding& finding = discrepancy.finding;
    v1::DiscrepancyChanged message;
    message.set_discrepancy_id(discrepancy.id.value());
    message.set_kind(static_cast<v1::Discrepancy::Kind>(finding.subject.kind));
    message.set_state(static_cast<v1::Discrepancy::State>(discrepancy.latest.state));
    message.set_payment_id(finding.subject.change.payment.value());
    message.set_version(finding.subject.change.version);
    message.set_merchant_id(finding.merchant.value());
    message.set_currency(std::string(finding.currency.code()));
    if (finding.payment_gross) message.set_payment_amount(*finding.payment_gross);
    if (finding.payout_gross) message.set_payout_amount(*finding.payout_gross);
    if (finding.subject.book) {
        message.set_book(static_cast<v1::Discrepancy::Book>(*finding.subject.book));
        message.set_bucket(finding.subject.bucket);
    }
    message.set_transfer_id(finding.subject.transfer.value());
    message.set_actor(discrepancy.latest.actor);
    message.set_note(discrepancy.latest.note);
    return event::Seal({.type = message.GetTypeName(),
                        .object_id = discrepancy.id.value(),
                        .version = discrepancy.latest.number,
                        .event_id = discrepancy.last_event.value(),
                        .business_date = finding.subject.business_date,
                        .occurred_at = discrepancy.latest.at,
                        .payload = message.SerializeAsString()});
}

Result<std::string> SealRun(const domain::DayRun& run, domain::EventId event) {
    v1::DayCompared message;
    message.set_business_date(run.business_date.ToNumber());
    message.set_run_number(run.number);
    message.set_deep(run.deep);
    message.set_state(static_cast<v1::DayRun::State>(run.state));
    message.set_buckets_different(run.buckets_different);
    message.set_rows_listed(run.rows_listed);
    message.set_discrepancies_found(run.discrepancies_found);
    message.set_started_at_us(ToMicros(run.started_at));
    message.set_finished_at_us(ToMicros(run.finished_at));
    message.set_failure(run.failure);
    return event::Seal({.type = message.GetTypeName(),
                        .object_id = run.business_date.ToNumber(),
                        .version = run.number,
                        .event_id = event.value(),
                        .business_date = run.business_date,
                        .occurred_at = run.finished_at,
                        .payload = message.SerializeAsString()});
}

}  // namespace kessai::reconciliation::storage
