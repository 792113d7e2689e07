#include "transport/proto_mapping.h"

#include <charconv>
#include <cstdint>

#include "domain/kind_guide.h"

namespace kessai::reconciliation::transport {

v1::Match ToProto(const domain::Match& match) {
    v1::Match message;
    message.set_payment_id(match.key.payment.value());
    message.set_version(match.key.version);
    switch (match.state) {
        case domain::MatchState::kWaitingForPayout:
        case domain::MatchState::kWaitingForPayment:
            message.set_state(v1::Match::WAITING);
            break;
        case domain::MatchState::kMatched:
            message.set_state(v1::Match::MATCHED);
            break;
        case domain::MatchState::kDiffers:
            message.set_state(v1::Match::DIFFERS);
            break;
    }
    message.set_matched_at_us(ToMicros(match.matched_at));
    return message;
}

v1::Discrepancy ToProto(const app::DiscrepancyRecord& record) {
    const domain::Discrepancy& discrepancy = record.discrepancy;
    const domain::Finding& finding = discrepancy.finding;
    v1::Discrepancy message;
    message.set_discrepancy_id(discrepancy.id.value());
    message.set_kind(static_cast<v1::Discrepancy::Kind>(finding.subject.kind));
    message.set_state(static_cast<v1::Discrepancy::State>(discrepancy.state()));
    message.set_payment_id(finding.subject.change.payment.value());
    message.set_version(finding.subject.change.version);
    message.set_business_date(finding.subject.business_date.ToNumber());
    message.set_merchant_id(finding.merchant.value());
    message.set_currency(std::string(finding.currency.code()));
    if (finding.payment_gross) message.set_payment_amount(*finding.payment_gross);
    if (finding.payout_gross) message.set_payout_amount(*finding.payout_gross);
    message.set_evidence(finding.evidence);
    message.set_found_at_us(ToMicros(discrepancy.found_at));
    for (const domain::Step& step : record.history) {
        v1::Discrepancy::Step& entry = *message.add_history();
        entry.set_state(static_cast<v1::Discrepancy::State>(step.state));
        entry.set_actor(step.actor);
        entry.set_note(step.note);
        entry.set_at_us(ToMicros(step.at));
        entry.set_repair_number(step.repair);
    }
    if (finding.subject.book) {
        message.set_book(static_cast<v1::Discrepancy::Book>(*finding.subject.book));
        message.set_bucket(finding.subject.bucket);
    }
    message.set_owner(discrepancy.owner);
    message.set_open_repair(discrepancy.open_repair);
    message.set_corrected_by(discrepancy.corrected_by);
    message.set_transfer_id(finding.subject.transfer.value());
    const domain::KindGuide guide = domain::GuideOf(finding.subject.kind);
    message.set_meaning(std::string(guide.meaning));
    message.set_what_to_do(std::string(guide.what_to_do));
    return message;
}

v1::DayRun ToProto(const domain::DayRun& run) {
    v1::DayRun message;
    message.set_business_date(run.business_date.ToNumber());
    message.set_state(static_cast<v1::DayRun::State>(run.state));
    message.set_buckets_compared(run.buckets_compared);
    message.set_buckets_different(run.buckets_different);
    message.set_rows_listed(run.rows_listed);
    message.set_discrepancies_found(run.discrepancies_found);
    message.set_deep(run.deep);
    message.set_started_at_us(ToMicros(run.started_at));
    message.set_finished_at_us(ToMicros(run.finished_at));
    message.set_run_number(run.number);
    message.set_failure(run.failure);
    return message;
}

v1::PayoutCheck ToProto(const domain::PayoutCheck& check) {
    v1::PayoutCheck message;
    message.set_check_number(check.number);
    message.set_state(static_cast<v1::DayRun::State>(check.state));
    message.set_deep(check.deep);
    message.set_released(check.released);
    message.set_transfers_compared(check.transfers_compared);
    message.set_buckets_different(check.buckets_different);
    message.set_merchants_listed(check.merchants_listed);
    message.set_discrepancies_found(check.discrepancies_found);
    message.set_started_at_us(ToMicros(check.started_at));
    message.set_finished_at_us(ToMicros(check.finished_at));
    message.set_failure(check.failure);
    return message;
}

Result<BusinessDate> DateFrom(std::int32_t yyyymmdd) {
    auto date = BusinessDate::FromNumber(yyyymmdd);
    if (!date.ok()) {
        return Status(Code::kInvalidArgument, "FIELD_INVALID",
                      "business_date: " + std::to_string(yyyymmdd) + " is no date");
    }
    return date;
}

Result<domain::DiscrepancyState> StateFrom(v1::Discrepancy::State state) {
    if (!v1::Discrepancy::State_IsValid(state) || state == v1::Discrepancy::STATE_UNSPECIFIED) {
        return Status(Code::kInvalidArgument, "FIELD_INVALID",
                      "state: " + std::to_string(static_cast<int>(state)) + " is no state");
    }
    return static_cast<domain::DiscrepancyState>(state);
}

std::string PageTokenAfter(domain::DiscrepancyId id) {
    return id.ToString();
}

Result<domain::DiscrepancyId> PageTokenFrom(std::string_view token) {
    if (token.empty()) return domain::DiscrepancyId();
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), id);
    if (error != std::errc() || end != token.data() + token.size() || id <= 0) {
        return Status(Code::kInvalidArgument, "PAGE_TOKEN_INVALID", "not a token of this service");
    }
    return domain::DiscrepancyId(id);
}

}  // namespace kessai::reconciliation::transport
