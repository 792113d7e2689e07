#include "storage/event_encoding.h"

#include "kessai/event/envelope.h"
#include "kessai/reconciliation/v1/reconciliation_event.pb.h"

namespace kessai::reconciliation::storage {

namespace {

void AddTotals(const std::vector<filetemplate::ColumnTotal>& totals, v1::File& message) {
    for (const filetemplate::ColumnTotal& total : totals) {
        v1::File::Total& added = *message.add_totals();
        added.set_column(total.column);
        added.set_amount(total.sum.minor());
        added.set_currency(std::string(total.sum.currency().code()));
    }
}

}  // namespace

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
    message.set_owner(discrepancy.owner);
    message.set_repair_number(discrepancy.latest.repair);
    message.set_chain_hash(discrepancy.last_hash.data(), discrepancy.last_hash.size());
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

Result<std::string> SealFile(const domain::MerchantFile& file, std::string_view by, Instant at) {
    v1::FileCreated message;
    v1::File& told = *message.mutable_file();
    told.set_file_id(file.id.value());
    told.set_merchant_id(file.merchant.value());
    told.set_name(file.name);
    told.set_template_name(file.template_name);
    told.set_template_version(file.template_version);
    told.set_business_date(file.business_date.ToNumber());
    told.set_version(file.version);
    told.set_part(file.part);
    told.set_bytes(file.bytes);
    told.set_sha256(file.sha256.data(), file.sha256.size());
    told.set_rows(file.rows);
    AddTotals(file.totals, told);
    told.set_made_at_us(ToMicros(file.made_at));
    told.set_expires_at_us(ToMicros(file.expires_at));
    told.set_run_id(file.run.value());
    message.set_announcement(file.announcements);
    message.set_announced_by(std::string(by));
    return event::Seal({.type = message.GetTypeName(),
                        .object_id = file.id.value(),
                        .version = file.announcements,
                        .event_id = file.last_event.value(),
                        .business_date = file.business_date,
                        .occurred_at = at,
                        .payload = message.SerializeAsString()});
}

std::string EncodeTotals(const std::vector<filetemplate::ColumnTotal>& totals) {
    v1::File message;
    AddTotals(totals, message);
    return message.SerializeAsString();
}

Result<std::vector<filetemplate::ColumnTotal>> DecodeTotals(std::string_view bytes) {
    v1::File message;
    std::vector<filetemplate::ColumnTotal> totals;
    bool good = message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
    for (const v1::File::Total& total : message.totals()) {
        const auto currency = Currency::Parse(total.currency());
        // Of a file without rows the sum may have none.
        const bool none = total.currency() == Currency::None().code();
        good = good && (none || currency.ok());
        if (!good) break;
        totals.push_back(
            {total.column(), Money(total.amount(), none ? Currency::None() : *currency)});
    }
    if (good) return totals;
    return Status(Code::kDataLoss, "FILE_DAMAGED", "the totals of a file cannot be read");
}

}  // namespace kessai::reconciliation::storage
