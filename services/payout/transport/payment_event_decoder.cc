#include "transport/payment_event_decoder.h"

#include <limits>
#include <string>

#include "domain/reason.h"
#include "kessai/payment/v1/payment_event.pb.h"

namespace kessai::payout::transport {
namespace {

namespace pb = ::kessai::payment::v1;

constexpr std::string_view kPaymentChanged = "kessai.payment.v1.PaymentChanged";

Status Invalid(std::string message) {
    return Status(Code::kInvalidArgument, domain::reason::kFieldInvalid, std::move(message));
}

Status CheckMethods(const pb::PaymentChanged& message) {
    if (message.methods().empty()) return OkStatus();
    std::int64_t sum = 0;
    for (const pb::MethodAmount& method : message.methods()) {
        if (method.amount() < 0) return Invalid("a method's amount is negative");
        KESSAI_ASSIGN_OR_RETURN(sum, CheckedAdd(sum, method.amount()));
    }
    if (sum != message.amount()) return Invalid("the methods do not sum to the amount");
    return OkStatus();
}

Result<domain::PaymentChange> ToChange(const event::Envelope& event,
                                       const pb::PaymentChanged& message) {
    if (message.payment_id() != event.object_id) {
        return Invalid("payment_id is not the event's object");
    }
    if (!domain::IsChangeKind(message.kind())) return Invalid("the kind is unknown");
    if (event.version > static_cast<std::uint32_t>(std::numeric_limits<std::int32_t>::max())) {
        return Invalid("the version is out of range");
    }
    KESSAI_RETURN_IF_ERROR(CheckMethods(message));
    const Result<BusinessDate> payment_date =
        BusinessDate::FromNumber(message.payment_business_date());
    if (!payment_date.ok()) return Invalid("payment_business_date is no date");

    domain::PaymentChange change;
    change.event = domain::EventId(event.event_id);
    change.key = {domain::PaymentId(event.object_id), event.version};
    change.business_date = event.business_date;
    change.kind = static_cast<domain::ChangeKind>(message.kind());
    change.merchant = domain::MerchantId(message.merchant_id());
    KESSAI_ASSIGN_OR_RETURN(change.currency, Currency::Parse(message.currency()));
    change.amount = message.amount();
    change.captured_total = message.captured_total();
    change.refunded_before = message.refunded_before();
    change.payment_date = *payment_date;
    change.content_hash = event.content_hash;
    KESSAI_RETURN_IF_ERROR(domain::Validate(change));
    return change;
}

}  // namespace

Result<std::optional<domain::PaymentChange>> DecodePaymentEvent(const event::Envelope& event) {
    if (event.type != kPaymentChanged) return std::optional<domain::PaymentChange>();
    pb::PaymentChanged message;
    if (!message.ParseFromString(event.payload)) {
        return Status(Code::kInvalidArgument, event::kEventMalformed,
                      "the payload is no PaymentChanged");
    }
    KESSAI_ASSIGN_OR_RETURN(const domain::PaymentChange change, ToChange(event, message));
    return std::optional<domain::PaymentChange>(change);
}

}  // namespace kessai::payout::transport
