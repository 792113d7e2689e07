#include "transport/book_service.h"

#include <charconv>
#include <string>

#include "domain/refusal.h"
#include "kessai/event/bucket.h"

namespace kessai::payment::transport {
namespace {

using domain::Refusal;
using domain::Refuse;

Status Stopping() {
    return Status(Code::kUnavailable, "STOPPING", "the service is stopping");
}

v1::BusinessDay::State StateOf(app::DayState state) {
    switch (state) {
        case app::DayState::kOpen:
            return v1::BusinessDay::OPEN;
        case app::DayState::kClosing:
        case app::DayState::kMarked:
            return v1::BusinessDay::CLOSING;
        case app::DayState::kClosed:
            return v1::BusinessDay::CLOSED;
    }
    return v1::BusinessDay::STATE_UNSPECIFIED;
}

v1::TrialBalance ToMessage(const app::DayBalance& balance) {
    v1::TrialBalance message;
    message.set_business_date(balance.day.date.ToNumber());
    message.set_state(StateOf(balance.day.state));
    message.set_final(balance.is_final());
    for (int number = 1; number <= domain::kAccounts; ++number) {
        const auto account = static_cast<domain::AccountKind>(number);
        v1::TrialBalance::Line* line = message.add_lines();
        line->set_account(std::string(domain::AccountName(account)));
        line->set_amount(balance.moved.Of(account));
        line->set_opening(balance.opening.Of(account));
        line->set_closing(balance.closing.Of(account));
    }
    message.set_cleared_count(balance.cleared.count);
    message.set_cleared_gross(balance.cleared.gross);
    return message;
}

/// "BUCKET-OBJECT-VERSION", in decimal.
std::string PositionText(const app::JournalPosition& position) {
    return std::to_string(position.bucket) + '-' + std::to_string(position.object) + '-' +
           std::to_string(position.version);
}

v1::JournalEntry ToMessage(const app::JournalLine& line) {
    const domain::Change& change = line.change;
    v1::JournalEntry message;
    message.set_kind(static_cast<v1::JournalEntry::Kind>(change.kind));
    message.set_object_id(change.object);
    message.set_version(change.version);
    message.set_occurred_at_us(ToMicros(change.occurred_at));
    message.set_merchant_payment_id(change.merchant_payment_id);
    message.set_merchant_refund_id(change.merchant_refund_id);
    for (const domain::Posting& posting : domain::PostingsOf(change)) {
        v1::JournalEntry::Posting* added = message.add_postings();
        added->set_account(std::string(domain::AccountName(posting.account)));
        added->set_owner_id(posting.owner);
        added->set_amount(posting.amount);
    }
    message.set_position(PositionText(line.position));
    return message;
}

/// Takes a number that is not negative off the front.
template <class Number>
bool TakeNumber(std::string_view& text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return error == std::errc() && number >= 0;
}

bool TakeDash(std::string_view& text) {
    if (!text.starts_with('-')) return false;
    text.remove_prefix(1);
    return true;
}

Result<app::JournalPosition> ParsePosition(std::string_view text) {
    app::JournalPosition position;
    if (text.empty()) return position;
    const bool is_position = TakeNumber(text, position.bucket) && TakeDash(text) &&
                             TakeNumber(text, position.object) && TakeDash(text) &&
                             TakeNumber(text, position.version) && text.empty() &&
                             position.bucket < event::kBuckets;
    if (!is_position) {
        return Refuse(Refusal::kPageTokenInvalid, "after is no position of an entry");
    }
    return position;
}

}  // namespace

auth::MethodPolicy BookPolicy() {
    return auth::MethodPolicy({
        {"GetTrialBalance", {auth::Operator("day:read")}},
        {"ListJournal", {auth::Operator("day:read")}},
    });
}

BookService::BookService(app::BalanceBooks& balance_books, app::BookReader& books,
                         app::DayStore& days)
    : balance_books_(balance_books), books_(books), days_(days) {}

void BookService::Register(rpc::Service& service, rpc::WorkerPool& pool) {
    service.Blocking("GetTrialBalance", pool, *this, &BookService::GetTrialBalance);
    service.Streaming<v1::ListJournalRequest, v1::JournalEntry>(
        "ListJournal", pool,
        [this](const rpc::CallContext&, const v1::ListJournalRequest& request,
               rpc::StreamWriter<v1::JournalEntry>& entries) {
            return ListJournal(request, entries);
        });
}

Result<v1::TrialBalance> BookService::GetTrialBalance(const rpc::CallContext& context,
                                                      const v1::GetTrialBalanceRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            BusinessDate::FromNumber(request.business_date()));
    const auto go_on = [&]() -> Status {
        if (stop_.stop_requested()) return Stopping();
        return context.cancelled() ? Status(Code::kCancelled, "CALLER_GONE", "nobody waits for it")
                                   : OkStatus();
    };
    KESSAI_ASSIGN_OR_RETURN(const app::DayBalance balance, balance_books_.Run(date, go_on));
    return ToMessage(balance);
}

Status BookService::ListJournal(const v1::ListJournalRequest& request,
                                rpc::StreamWriter<v1::JournalEntry>& entries) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            BusinessDate::FromNumber(request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(const app::JournalPosition from, ParsePosition(request.after()));
    KESSAI_RETURN_IF_ERROR(days_.Find(date).status());
    bool stopping = false;
    KESSAI_RETURN_IF_ERROR(books_.StreamJournal(date, from, [&](const app::JournalLine& line) {
        stopping = stop_.stop_requested();
        return !stopping && entries.Write(ToMessage(line));
    }));
    // Never as if it had come to its end.
    return stopping ? Stopping() : OkStatus();
}

}  // namespace kessai::payment::transport
