#include "transport/transfer_messages.h"

#include <charconv>

#include "domain/reason.h"

namespace kessai::payout::transport {
namespace {

// By app::JournalPosition::Part.
constexpr std::string_view kParts = "arj";

std::string ToText(app::JournalPosition position) {
    return kParts[static_cast<std::size_t>(position.part)] + std::to_string(position.after);
}

void Fill(const app::ImportedResults::Sums& sums, v1::ImportedResults::Sums* message) {
    message->set_count(sums.count);
    message->set_amount(sums.amount);
}

}  // namespace

v1::BankAccount ToMessage(const domain::BankAccount& account) {
    v1::BankAccount message;
    message.set_merchant_id(account.merchant.value());
    message.set_version(account.version);
    message.set_bank_code(account.bank_code);
    message.set_branch_code(account.branch_code);
    message.set_account_type(static_cast<int>(account.type));
    message.set_account_number(account.number);
    message.set_account_holder(account.holder_kana);
    message.set_bank_name(account.bank_kana);
    message.set_branch_name(account.branch_kana);
    message.set_put_by(account.put_by);
    message.set_confirmed_by(account.confirmed_by.value_or(""));
    message.set_verification(
        static_cast<v1::BankAccount::Verification>(account.verification.state));
    message.set_verification_reason(account.verification.reason);
    message.set_verification_by(account.verification.asked_by);
    return message;
}

v1::PayoutTerms ToMessage(const domain::PayoutTerms& terms) {
    v1::PayoutTerms message;
    message.set_merchant_id(terms.merchant.value());
    message.set_version(terms.version);
    message.set_cycle(static_cast<v1::PayoutTerms::Cycle>(terms.cycle));
    message.set_weekday(terms.weekday);
    message.set_minimum_amount(terms.minimum_amount);
    message.set_transfer_fee(terms.transfer_fee);
    message.set_on_demand_fee(terms.on_demand_fee);
    return message;
}

v1::PayoutHold ToMessage(const app::PayoutHold& hold) {
    v1::PayoutHold message;
    message.set_hold_id(hold.id.value());
    message.set_merchant_id(hold.merchant.value());
    message.set_cause(static_cast<v1::PayoutHold::Cause>(hold.cause));
    message.set_payout_id(hold.payout.value());
    message.set_note(hold.note);
    message.set_put_by(hold.put_by);
    message.set_lifted_by(hold.lifted_by.value_or(""));
    return message;
}

v1::TransferRun ToMessage(const app::TransferRun& run) {
    v1::TransferRun message;
    message.set_due_date(run.due_date.ToNumber());
    message.set_transfer_date(run.transfer_date.ToNumber());
    message.set_transfer_count(run.transfer_count);
    message.set_amount(run.amount);
    message.set_held_count(run.held_count);
    message.set_below_minimum_count(run.below_minimum_count);
    return message;
}

v1::Transfer ToMessage(const domain::Transfer& transfer) {
    v1::Transfer message;
    message.set_transfer_id(transfer.id.value());
    message.set_attempt(transfer.attempt);
    message.set_bank_account_version(transfer.bank_account);
    message.set_transfer_date(transfer.transfer_date.ToNumber());
    message.set_amount(transfer.amount);
    message.set_state(static_cast<v1::Transfer::State>(transfer.state));
    message.set_reason(transfer.reason);
    message.set_batch_id(transfer.batch.value());
    message.set_requested_by(transfer.requested_by);
    message.set_cancelled_by(transfer.cancelled_by);
    return message;
}

v1::Payout ToMessage(const app::PayoutHistory& history) {
    const domain::Payout& payout = history.payout;
    v1::Payout message;
    message.set_payout_id(payout.id.value());
    message.set_merchant_id(payout.merchant.value());
    message.set_request_key(payout.request_key);
    message.set_on_demand(payout.on_demand);
    message.set_amount(payout.amounts.amount);
    message.set_fee(payout.amounts.fee);
    message.set_tax(payout.amounts.tax);
    message.set_requested_by(payout.requested_by);
    for (const domain::Transfer& transfer : history.transfers) {
        *message.add_transfers() = ToMessage(transfer);
        message.set_cancelled(domain::IsCancelled(transfer));
    }
    return message;
}

v1::TransferBatch ToMessage(const app::TransferBatch& batch) {
    v1::TransferBatch message;
    message.set_batch_id(batch.id.value());
    message.set_transfer_date(batch.transfer_date.ToNumber());
    message.set_transfer_count(batch.transfer_count);
    message.set_amount(batch.amount);
    if (batch.file_hash) message.set_file_hash(batch.file_hash->data(), batch.file_hash->size());
    message.set_created_by(batch.created_by);
    return message;
}

v1::ImportedResults ToMessage(const app::ImportedResults& results) {
    v1::ImportedResults message;
    message.set_file_hash(results.file_hash.data(), results.file_hash.size());
    message.set_format(results.format);
    Fill(results.settled, message.mutable_settled());
    Fill(results.failed, message.mutable_failed());
    Fill(results.returned, message.mutable_returned());
    message.set_repeated_count(results.repeated_count);
    message.set_imported_by(results.imported_by);
    return message;
}

v1::Adjustment ToMessage(const domain::Adjustment& adjustment) {
    v1::Adjustment message;
    message.set_adjustment_id(adjustment.id.value());
    message.set_merchant_id(adjustment.merchant.value());
    message.set_request_key(adjustment.request_key);
    message.set_amount(adjustment.amount);
    message.set_reason(adjustment.reason);
    message.set_state(static_cast<v1::Adjustment::State>(adjustment.state));
    message.set_requested_by(adjustment.requested_by);
    message.set_decided_by(adjustment.decided_by.value_or(""));
    return message;
}

v1::JournalEntry ToMessage(const app::JournalLine& line) {
    v1::JournalEntry message;
    message.set_kind(static_cast<v1::JournalEntry::Kind>(line.kind));
    message.set_merchant_id(line.merchant.value());
    message.set_journal_id(line.journal.value());
    message.set_object_id(line.object);
    for (const domain::Posting& posting : line.postings) {
        v1::JournalEntry::Posting* added = message.add_postings();
        added->set_account(std::string(domain::AccountName(posting.account)));
        added->set_amount(posting.amount);
    }
    message.set_position(ToText(app::PositionBehind(line)));
    return message;
}

Result<app::JournalPosition> ParsePosition(std::string_view text) {
    app::JournalPosition position;
    if (text.empty()) return position;
    const std::size_t part = kParts.find(text.front());
    const auto [end, error] =
        std::from_chars(text.data() + 1, text.data() + text.size(), position.after);
    if (part == std::string_view::npos || error != std::errc() ||
        end != text.data() + text.size() || position.after < 0) {
        return Status(Code::kInvalidArgument, domain::reason::kFieldInvalid,
                      "after is no position of an entry");
    }
    position.part = static_cast<app::JournalPosition::Part>(part);
    return position;
}

}  // namespace kessai::payout::transport
