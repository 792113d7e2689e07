#include "rules/transfer_events.h"

#include <algorithm>
#include <string>

#include "kessai/event/envelope.h"
#include "kessai/payout/v1/payout_event.pb.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"
#include "rules/merchant_ledger.h"

namespace kessai::audit {
namespace {

constexpr std::int64_t kObjects = std::int64_t{1} << 40;

// Sent or cancelled, never both.
enum Version : std::uint32_t { kCreatedVersion = 1, kSentVersion, kResultVersion, kReturnVersion };

template <class Message>
Message Begin(const TransferRow& transfer) {
    Message message;
    message.set_merchant_id(transfer.merchant_id);
    message.set_payout_id(transfer.payout_id);
    message.set_attempt(static_cast<std::uint32_t>(transfer.attempt));
    message.set_currency("JPY");
    message.set_amount(transfer.amount);
    return message;
}

/// Nothing when the day is none.
template <class Message>
void Add(const TransferRow& transfer, Version version, DayNumber day, std::int64_t at_us,
         const Message& message, std::vector<PublishedRow>& events) {
    const auto date = BusinessDate::FromNumber(day);
    if (!date.ok()) return;
    const std::string payload = message.SerializeAsString();
    const std::int64_t object = EventObjectOf(transfer.transfer_id);
    const event::Fields fields{.type = Message::descriptor()->full_name(),
                               .object_id = object,
                               .version = version,
                               .event_id = object * 8 + version,
                               .business_date = *date,
                               .occurred_at = FromMicros(at_us),
                               .payload = payload};
    events.push_back({{object, version}, at_us, event::HashOf(fields), true});
}

void AddOfJournal(const TransferRow& transfer, const MerchantJournalRow& journal,
                  std::vector<PublishedRow>& events) {
    const auto add = [&](Version version, const auto& message) {
        Add(transfer, version, journal.business_date, journal.recorded_at_us, message, events);
    };
    switch (journal.kind) {
        case kTransferCreated: {
            auto message = Begin<payout::v1::TransferCreated>(transfer);
            const MerchantJournalRow implied = ImpliedBy(transfer).front();
            message.set_fee(implied.fee);
            message.set_tax(implied.tax);
            message.set_bank_account_version(static_cast<std::uint32_t>(transfer.bank_account));
            return add(kCreatedVersion, message);
        }
        case kTransferSettled:
            return add(kResultVersion, Begin<payout::v1::TransferSettled>(transfer));
        case kTransferFailed: {
            auto message = Begin<payout::v1::TransferFailed>(transfer);
            message.set_reason(transfer.reason);
            return add(kResultVersion, message);
        }
        case kTransferReturned: {
            auto message = Begin<payout::v1::TransferReturned>(transfer);
            message.set_reason(transfer.reason);
            return add(kReturnVersion, message);
        }
        case kTransferCancelled: {
            auto message = Begin<payout::v1::TransferCancelled>(transfer);
            const MerchantJournalRow implied = ImpliedBy(transfer).front();
            message.set_fee(implied.fee);
            message.set_tax(implied.tax);
            message.set_reason(transfer.reason);
            return add(kSentVersion, message);
        }
        default:
            return;
    }
}

}  // namespace

std::int64_t EventObjectOf(std::int64_t transfer_id) {
    return kObjects + transfer_id;
}
std::int64_t TransferOfEvent(std::int64_t object) {
    return object - kObjects;
}

std::vector<PublishedRow> EventsOf(const TransferRow& transfer,
                                   const std::vector<MerchantJournalRow>& journals) {
    std::vector<PublishedRow> events;
    for (const MerchantJournalRow& journal : journals) AddOfJournal(transfer, journal, events);
    if (transfer.batch_is_there) {
        auto message = Begin<payout::v1::TransferSent>(transfer);
        message.set_batch_id(transfer.batch_id);
        message.set_transfer_date(transfer.batch_date);
        const std::int64_t at_us = transfer.batch_created_at_us;
        Add(transfer, kSentVersion, BusinessDate::OfJst(FromMicros(at_us)).ToNumber(), at_us,
            message, events);
    }
    std::ranges::sort(events, {}, [](const PublishedRow& row) { return row.key.version; });
    return events;
}

}  // namespace kessai::audit
