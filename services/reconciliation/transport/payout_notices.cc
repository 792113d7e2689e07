#include "transport/payout_notices.h"

#include <string>
#include <string_view>

#include "kessai/money/money.h"
#include "kessai/payout/v1/payout_event.pb.h"

namespace kessai::reconciliation::transport {

namespace {

using domain::TransferStep;

constexpr std::string_view kPackage = "kessai.payout.v1.";

Status Malformed(std::string_view what) {
    return Status(Code::kInvalidArgument, "PAYLOAD_MALFORMED", std::string(what));
}

/// Our books are in yen alone, as payout's.
Status CheckCurrency(const std::string& code) {
    KESSAI_ASSIGN_OR_RETURN(const Currency currency, Currency::Parse(code));
    if (currency == Currency::Jpy()) return OkStatus();
    return Status(Code::kInvalidArgument, "CURRENCY_UNKNOWN", "payout's transfers are in yen");
}

/// What all messages of transfers have.
template <class Message>
Status Fill(const Message& message, domain::TransferNotice& notice) {
    KESSAI_RETURN_IF_ERROR(CheckCurrency(message.currency()));
    if (message.merchant_id() <= 0 || message.payout_id() <= 0 || message.amount() <= 0) {
        return Malformed("a transfer without merchant, payout or amount");
    }
    notice.merchant = domain::MerchantId(message.merchant_id());
    notice.payout = message.payout_id();
    notice.attempt = message.attempt();
    notice.amount = message.amount();
    if constexpr (requires { message.fee(); }) {
        notice.fee = message.fee();
        notice.tax = message.tax();
    }
    if constexpr (requires { message.transfer_date(); }) {
        const auto date = BusinessDate::FromNumber(message.transfer_date());
        if (!date.ok()) return Malformed("transfer_date is no date");
        notice.transfer_date = *date;
    }
    return OkStatus();
}

template <class Message>
Result<std::optional<domain::TransferNotice>> Decode(const event::Envelope& event,
                                                     TransferStep step, std::uint32_t version) {
    Message message;
    if (!message.ParseFromString(event.payload)) return Malformed("not a " + event.type);
    if (!domain::IsTransfer(event.object_id) || event.version != version) {
        return Malformed("the object or version is of no such step of a transfer");
    }
    domain::TransferNotice notice{.transfer = domain::TransferOf(event.object_id),
                                  .version = event.version,
                                  .step = step,
                                  .content = event.content_hash,
                                  .business_date = event.business_date};
    KESSAI_RETURN_IF_ERROR(Fill(message, notice));
    return std::optional(std::move(notice));
}

}  // namespace

Result<std::optional<domain::TransferNotice>> DecodeTransfer(const event::Envelope& event) {
    using namespace payout::v1;
    std::string_view type = event.type;
    if (!type.starts_with(kPackage)) return std::optional<domain::TransferNotice>();
    type.remove_prefix(kPackage.size());
    if (!type.starts_with("Transfer")) return std::optional<domain::TransferNotice>();
    if (type == "TransferCreated") return Decode<TransferCreated>(event, TransferStep::kCreated, 1);
    if (type == "TransferSent") return Decode<TransferSent>(event, TransferStep::kSent, 2);
    if (type == "TransferCancelled") {
        return Decode<TransferCancelled>(event, TransferStep::kCancelled, 2);
    }
    if (type == "TransferSettled") return Decode<TransferSettled>(event, TransferStep::kSettled, 3);
    if (type == "TransferFailed") return Decode<TransferFailed>(event, TransferStep::kFailed, 3);
    if (type == "TransferReturned") {
        return Decode<TransferReturned>(event, TransferStep::kReturned, 4);
    }
    return std::optional<domain::TransferNotice>();
}

Result<std::optional<app::ReleaseNotice>> DecodeRelease(const event::Envelope& event) {
    if (event.type != "kessai.payout.v1.DayReleased") return std::optional<app::ReleaseNotice>();
    payout::v1::DayReleased message;
    if (!message.ParseFromString(event.payload)) return Malformed("not a DayReleased");
    KESSAI_RETURN_IF_ERROR(CheckCurrency(message.currency()));
    const auto date = BusinessDate::FromNumber(message.business_date());
    if (!date.ok() || message.business_date() != event.object_id || event.version == 0) {
        return Malformed("the object is not the date that was released");
    }
    return std::optional(app::ReleaseNotice{.key = {event.object_id, event.version},
                                            .content = event.content_hash,
                                            .released_date = *date,
                                            .totals = {.merchant_count = message.merchant_count(),
                                                       .gross = message.gross(),
                                                       .fee = message.fee(),
                                                       .tax = message.tax(),
                                                       .net = message.net()}});
}

}  // namespace kessai::reconciliation::transport
