#include "transport/outside_messages.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace kessai::reconciliation::transport {
namespace {

std::string BytesOfHexadecimal(std::string_view digits) {
    std::string bytes;
    for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
        unsigned value = 0;
        std::from_chars(digits.data() + at, digits.data() + at + 2, value, 16);
        bytes += static_cast<char>(value);
    }
    return bytes;
}

void FillPart(const statementfile::StatementSummary& summary, v1::StatementImport::Part& part) {
    part.set_account_number(summary.account);
    part.set_statement_ref(summary.id);
    if (summary.first) part.set_first_date(summary.first->ToNumber());
    if (summary.last) part.set_last_date(summary.last->ToNumber());
    part.set_currency(std::string(summary.movements.credits.currency().code()));
    if (summary.opening) part.set_opening(summary.opening->minor());
    if (summary.closing) part.set_closing(summary.closing->minor());
    part.set_credit_count(summary.movements.credit_count);
    part.set_credits(summary.movements.credits.minor());
    part.set_debit_count(summary.movements.debit_count);
    part.set_debits(summary.movements.debits.minor());
    part.set_unread(summary.unread);
    part.set_counts_checked(summary.counts_checked);
    part.set_sums_checked(summary.sums_checked);
    part.set_balance_checked(summary.balance_checked);
}

void FillSide(const domain::UnmatchedTotal& total, v1::OutsideSummary::Side& side) {
    side.set_count(total.count);
    side.set_value(total.value);
    side.set_overdue_count(total.overdue_count);
    side.set_overdue_value(total.overdue_value);
    side.set_oldest_days(total.oldest_days);
    for (int bucket = 0; bucket < domain::kAgeBuckets; ++bucket) {
        v1::OutsideSummary::Bucket& entry = *side.add_buckets();
        entry.set_age(std::string(domain::AgeBucketName(bucket)));
        entry.set_count(total.bucket_count[bucket]);
        entry.set_value(total.bucket_value[bucket]);
    }
}

}  // namespace

v1::OutsideText ToProto(const app::StoredText& text) {
    v1::OutsideText message;
    message.set_name(text.name);
    message.set_version(text.version);
    message.set_yaml(text.yaml);
    message.set_put_by(text.put_by);
    message.set_put_at_us(ToMicros(text.put_at));
    return message;
}

v1::StatementImport ToProto(const app::StatementImport& import) {
    v1::StatementImport message;
    message.set_import_id(import.id.value());
    message.set_format(static_cast<v1::StatementImport::Format>(import.format));
    message.set_template_name(import.template_name);
    message.set_template_version(import.template_version);
    message.set_sha256(BytesOfHexadecimal(import.sha256));
    message.set_byte_count(import.bytes);
    message.set_added(import.added);
    message.set_known(import.known);
    message.set_broken(import.broken);
    message.set_not_booked(import.not_booked);
    for (const std::string& account : import.accounts) message.add_accounts(account);
    message.set_imported_by(import.imported_by);
    message.set_imported_at_us(ToMicros(import.imported_at));
    for (const app::ImportNote& note : import.notes) {
        v1::StatementImport::Note& entry = *message.add_notes();
        entry.set_kind(static_cast<v1::StatementImport::Note::Kind>(note.kind));
        entry.set_line(note.line);
        entry.set_reason(note.reason);
        entry.set_message(note.message);
    }
    for (const auto& part : import.statements) FillPart(part, *message.add_parts());
    return message;
}

v1::MatchingRun ToProto(const app::MatchingRun& run) {
    v1::MatchingRun message;
    message.set_account(run.account);
    message.set_rules_version(run.rules_version);
    message.set_expected_count(run.looked_at.expected);
    message.set_booked_count(run.looked_at.booked);
    message.set_matches_made(run.matches_made);
    message.set_suggestions_made(run.suggestions_made);
    message.set_suggestions_withdrawn(run.suggestions_withdrawn);
    message.set_bounds_reached(run.bounds_reached);
    message.set_suggestions_left_out(run.suggestions_left_out);
    return message;
}

v1::OutsideItem ToProto(const domain::OutsideRecord& item, BusinessDate today,
                        const domain::OutsideAccount* account) {
    v1::OutsideItem message;
    message.set_item_id(item.id.value());
    message.set_side(static_cast<v1::OutsideItem::Side>(item.side));
    message.set_account(item.account);
    message.set_amount(item.amount.minor());
    message.set_currency(std::string(item.amount.currency().code()));
    message.set_item_date(item.date.ToNumber());
    for (const auto& [kind, value] : item.references) {
        v1::OutsideItem::Reference& reference = *message.add_references();
        reference.set_kind(kind);
        reference.set_value(value);
    }
    message.set_counterparty(item.counterparty);
    message.set_text(item.text);
    message.set_match_id(item.match.value());
    if (item.side == domain::OutsideSide::kExpected) {
        message.set_expects(static_cast<v1::OutsideItem::Expects>(item.kind));
        message.set_event_object_id(item.key.object);
        message.set_event_version(item.key.version);
    } else {
        message.set_import_id(item.import.value());
        message.set_line(item.line);
        message.set_value_date(item.value_date.ToNumber());
        message.set_reversal(item.is_reversal);
    }
    const auto age = static_cast<int>((today.day() - item.date.day()).count());
    message.set_age_days(age);
    message.set_age(std::string(domain::AgeBucketName(domain::AgeBucketOf(age))));
    message.set_overdue(item.match.is_none() && account != nullptr && age > account->overdue_days);
    return message;
}

v1::OutsideMatch ToProto(const app::MatchDetails& details, BusinessDate today,
                         const domain::OutsideAccounts& accounts) {
    const domain::OutsideMatchRecord& record = details.record;
    v1::OutsideMatch message;
    message.set_match_id(record.id.value());
    message.set_account(record.account);
    message.set_state(static_cast<v1::OutsideMatch::State>(record.state));
    message.set_rules_version(record.rules_version);
    message.set_rule(record.rule);
    message.set_score(record.score);
    message.set_why(record.why);
    message.set_difference(record.difference.minor());
    message.set_currency(std::string(record.difference.currency().code()));
    message.set_changed_at_us(ToMicros(record.changed_at));
    for (const domain::OutsideRecord& item : details.items) {
        *message.add_items() = ToProto(item, today, accounts.Find(item.account));
    }
    for (const domain::OutsideStep& step : details.history) {
        v1::OutsideMatch::Step& entry = *message.add_history();
        entry.set_state(static_cast<v1::OutsideMatch::State>(step.state));
        entry.set_actor(step.actor);
        entry.set_note(step.note);
        entry.set_at_us(ToMicros(step.at));
    }
    return message;
}

v1::OutsideSummary::Account ToProto(const app::AccountSummary& summary) {
    v1::OutsideSummary::Account message;
    message.set_account(summary.account.name);
    message.set_account_number(summary.account.number);
    FillSide(summary.expected, *message.mutable_expected());
    FillSide(summary.booked, *message.mutable_booked());
    message.set_overdue_days(summary.account.overdue_days);
    message.set_run_due(summary.run_is_due);
    message.set_rules_version(summary.rules_version);
    return message;
}

std::string PageTokenOf(const domain::OutsideRecord& item) {
    return std::to_string(item.date.ToNumber()) + "." + item.id.ToString();
}

Status ReadPageToken(std::string_view token, app::UnmatchedFilter& filter) {
    if (token.empty()) return OkStatus();
    std::int32_t number = 0;
    std::int64_t id = 0;
    const char* const end = token.data() + token.size();
    const auto day = std::from_chars(token.data(), end, number);
    const auto date = BusinessDate::FromNumber(number);
    if (day.ec == std::errc() && day.ptr != end && *day.ptr == '.' && date.ok()) {
        const auto item = std::from_chars(day.ptr + 1, end, id);
        if (item.ec == std::errc() && item.ptr == end && id > 0) {
            filter.after_date = *date;
            filter.after = domain::OutsideItemId(id);
            return OkStatus();
        }
    }
    return Status(Code::kInvalidArgument, "PAGE_TOKEN_INVALID", "not a token of this service");
}

}  // namespace kessai::reconciliation::transport
