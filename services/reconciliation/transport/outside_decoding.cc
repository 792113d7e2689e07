#include "transport/outside_decoding.h"

#include <string>
#include <string_view>

#include "kessai/payment/v1/payment_event.pb.h"
#include "kessai/payout/v1/payout_event.pb.h"

namespace kessai::reconciliation::transport {
namespace {

constexpr std::string_view kWalletChanged = "kessai.payment.v1.WalletChanged";
constexpr std::string_view kTransferSent = "kessai.payout.v1.TransferSent";
constexpr std::string_view kTransferFailed = "kessai.payout.v1.TransferFailed";
constexpr std::string_view kTransferReturned = "kessai.payout.v1.TransferReturned";

/// The objects of transfers are in a space of their own (payout_event.proto); above it is the
/// transfer's number, which the record of the bank's file has in its customer codes.
constexpr std::int64_t kTransfers = std::int64_t{1} << 40;

using Item = std::optional<domain::ExpectedItem>;

Status Malformed(std::string_view what) {
    return Status(Code::kInvalidArgument, "PAYLOAD_MALFORMED", std::string(what));
}

domain::ExpectedItem Begin(const event::Envelope& event, const domain::OutsideAccount& account) {
    return {.key = {event.object_id, event.version},
            .content = event.content_hash,
            .account = account.name,
            .date = event.business_date};
}

template <class Message>
Result<Item> DecodeTransfer(const event::Envelope& event, const domain::OutsideAccounts& accounts,
                            Message& message) {
    const domain::OutsideAccount* account = accounts.OfTransfers();
    if (account == nullptr) return Item();
    if (!message.ParseFromString(event.payload)) return Malformed("not what its type says");
    if (event.object_id <= kTransfers || event.object_id >= 2 * kTransfers || event.version == 0) {
        return Malformed("the object is of no transfer");
    }
    if (message.amount() <= 0) return Malformed("a transfer's amount is above zero");
    domain::ExpectedItem item = Begin(event, *account);
    KESSAI_ASSIGN_OR_RETURN(const Currency currency, Currency::Parse(message.currency()));
    item.kind = domain::ExpectedKind::kTransferReturned;
    item.amount = Money(message.amount(), currency);
    item.references = {std::to_string(event.object_id - kTransfers)};
    item.text = "payout " + std::to_string(message.payout_id()) + ", attempt " +
                std::to_string(message.attempt()) + ", merchant " +
                std::to_string(message.merchant_id());
    return Item(std::move(item));
}

Result<Item> DecodeSent(const event::Envelope& event, const domain::OutsideAccounts& accounts) {
    payout::v1::TransferSent message;
    KESSAI_ASSIGN_OR_RETURN(Item item, DecodeTransfer(event, accounts, message));
    if (!item) return item;
    const auto date = BusinessDate::FromNumber(message.transfer_date());
    if (!date.ok()) return Malformed("transfer_date is no date");
    item->kind = domain::ExpectedKind::kTransferSent;
    item->amount = Money(-item->amount.minor(), item->amount.currency());
    item->date = *date;
    item->text += ", file " + std::to_string(message.batch_id());
    return item;
}

Result<Item> DecodeTopUp(const event::Envelope& event, const domain::OutsideAccounts& accounts) {
    payment::v1::WalletChanged message;
    if (!message.ParseFromString(event.payload)) return Malformed("not a WalletChanged");
    if (message.kind() != payment::v1::WalletChanged::TOPPED_UP) return Item();
    const domain::OutsideAccount* account = accounts.OfTopUps(message.source());
    if (account == nullptr) return Item();
    if (message.amount() <= 0) return Malformed("a top-up's amount is above zero");
    domain::ExpectedItem item = Begin(event, *account);
    KESSAI_ASSIGN_OR_RETURN(const Currency currency, Currency::Parse(message.currency()));
    item.kind = domain::ExpectedKind::kTopUp;
    item.amount = Money(message.amount(), currency);
    item.references = {std::to_string(event.object_id)};
    item.text = "top-up from " + message.source() + ", user " + std::to_string(message.user_id());
    return Item(std::move(item));
}

}  // namespace

Result<Item> DecodeExpected(const event::Envelope& event, const domain::OutsideAccounts& accounts) {
    if (event.type == kWalletChanged) return DecodeTopUp(event, accounts);
    if (event.type == kTransferSent) return DecodeSent(event, accounts);
    if (event.type == kTransferFailed) {
        payout::v1::TransferFailed message;
        return DecodeTransfer(event, accounts, message);
    }
    if (event.type == kTransferReturned) {
        payout::v1::TransferReturned message;
        return DecodeTransfer(event, accounts, message);
    }
    return Item();
}

}  // namespace kessai::reconciliation::transport
