#include "transport/payment_event_decoder.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "domain/reason.h"
#include "domain/store_id.h"
#include "kessai/payment/v1/payment_event.pb.h"

namespace kessai::payout::transport {
namespace {

namespace pb = ::kessai::payment::v1;

constexpr std::string_view kPaymentChanged = "kessai.payment.v1.PaymentChanged";

Status Invalid(std::string message) {
    return Status(Code::kInvalidArgument, domain::reason::kFieldInvalid, std::move(message));
}

using MethodAmounts = google::protobuf::RepeatedPtrField<pb::MethodAmount>;

Result<domain::MethodSplit> SplitOf(const MethodAmounts& methods, std::int64_t amount) {
    // Nearly always.
    if (methods.size() == 1 && methods[0].method() == pb::MethodAmount::WALLET &&
        methods[0].amount() == amount) {
        return domain::MethodSplit();
    }
    std::vector<domain::MethodAmount> parts;
    for (const pb::MethodAmount& method : methods) {
        if (!domain::IsMethod(method.method())) return Invalid("the method is unknown");
        parts.push_back({static_cast<domain::Method>(method.method()), method.amount()});
    }
    return domain::MakeSplit(std::move(parts), amount);
}

/// How what was captured splits. Whoever pays with more than money says it, unless this change is
/// all that was captured.
Result<domain::MethodSplit> CapturedSplitOf(const pb::PaymentChanged& message,
                                            const domain::MethodSplit& methods) {
    if (!message.captured_methods().empty()) {
        return SplitOf(message.captured_methods(), message.captured_total());
    }
    if (methods.empty() || message.amount() == message.captured_total()) return methods;
    return Invalid("captured_methods are missing");
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
    KESSAI_ASSIGN_OR_RETURN(change.methods, SplitOf(message.methods(), message.amount()));
    if (domain::HasFee(change.kind)) {
        KESSAI_ASSIGN_OR_RETURN(change.captured_methods, CapturedSplitOf(message, change.methods));
    }
    change.store = message.store_id();
    if (!domain::FitsStoreId(change.store)) return Invalid("store_id is too long");
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
    KESSAI_ASSIGN_OR_RETURN(domain::PaymentChange change, ToChange(event, message));
    return std::optional<domain::PaymentChange>(std::move(change));
}

}  // namespace kessai::payout::transport
