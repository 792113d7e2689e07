#include "transport/event_decoding.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "domain/merchant_effect.h"
#include "kessai/payment/v1/payment_event.pb.h"
#include "kessai/payout/v1/payout_event.pb.h"

namespace kessai::reconciliation::transport {

namespace {

constexpr std::string_view kPaymentChanged = "kessai.payment.v1.PaymentChanged";
constexpr std::string_view kAccrualRecorded = "kessai.payout.v1.AccrualRecorded";
constexpr std::string_view kMerchantHeldBack = "kessai.payout.v1.MerchantHeldBack";
constexpr std::string_view kMerchantReleased = "kessai.payout.v1.MerchantReleased";

Status Malformed(std::string_view what) {
    return Status(Code::kInvalidArgument, "PAYLOAD_MALFORMED", std::string(what));
}

domain::ChangeKey KeyOf(const event::Envelope& event) {
    return {domain::PaymentId(event.object_id), event.version};
}

std::string ToText(const payout::v1::MerchantHeldBack::Sums& sums) {
    return "gross " + std::to_string(sums.gross()) + " and fee " + std::to_string(sums.fee()) +
           " of " + std::to_string(sums.item_count()) + " accruals";
}

std::string EvidenceOf(const payout::v1::MerchantHeldBack& message) {
    std::string evidence = message.reason() + ": " + message.note();
    if (message.totals().item_count() != 0 || message.recounted().item_count() != 0) {
        evidence +=
            "; totals: " + ToText(message.totals()) + ", recounted: " + ToText(message.recounted());
    }
    return evidence;
}

}  // namespace

Result<std::optional<domain::PaymentClaim>> DecodePaymentEvent(const event::Envelope& event) {
    if (event.type != kPaymentChanged) return std::optional<domain::PaymentClaim>();
    payment::v1::PaymentChanged message;
    if (!message.ParseFromString(event.payload)) return Malformed("not a PaymentChanged");
    if (message.payment_id() != event.object_id) {
        return Malformed("payload and envelope name different payments");
    }
    KESSAI_ASSIGN_OR_RETURN(const Currency currency, Currency::Parse(message.currency()));
    KESSAI_ASSIGN_OR_RETURN(const Money gross,
                            domain::MerchantEffect(static_cast<domain::PaymentKind>(message.kind()),
                                                   Money(message.amount(), currency)));
    const domain::PaymentClaim claim{
        .key = KeyOf(event),
        .terms = {.business_date = event.business_date,
                  .merchant = domain::MerchantId(message.merchant_id()),
                  .gross = gross},
        .event = domain::EventId(event.event_id),
        .content = event.content_hash,
        .kind = static_cast<domain::PaymentKindNumber>(message.kind())};
    KESSAI_RETURN_IF_ERROR(domain::Validate(claim));
    return std::optional(claim);
}

Result<std::optional<domain::PayoutClaim>> DecodePayoutEvent(const event::Envelope& event) {
    if (event.type != kAccrualRecorded) return std::optional<domain::PayoutClaim>();
    payout::v1::AccrualRecorded message;
    if (!message.ParseFromString(event.payload)) return Malformed("not an AccrualRecorded");
    KESSAI_ASSIGN_OR_RETURN(const Currency currency, Currency::Parse(message.currency()));
    domain::PayoutClaim claim{
        .key = KeyOf(event),
        .terms = {.business_date = event.business_date,
                  .merchant = domain::MerchantId(message.merchant_id()),
                  .gross = Money(message.gross(), currency)},
        .event = domain::EventId(event.event_id),
        .content = event.content_hash,
        .answered_event = domain::EventId(message.payment_event_id()),
        .answered_content = {},
        .told_fee = {message.fee(), domain::TaxClassNamed(message.tax_class())}};
    const std::string& answered = message.payment_content_hash();
    if (answered.size() != claim.answered_content.size()) {
        return Malformed("payment_content_hash is not 16 bytes");
    }
    std::ranges::copy(answered, claim.answered_content.begin());
    KESSAI_RETURN_IF_ERROR(domain::Validate(claim));
    return std::optional(claim);
}

Result<std::optional<domain::HoldNotice>> DecodeHold(const event::Envelope& event) {
    const bool released = event.type == kMerchantReleased;
    if (!released && event.type != kMerchantHeldBack) return std::optional<domain::HoldNotice>();
    if (!domain::IsHold(event.object_id) || event.version == 0) {
        return Malformed("the object is of no hold");
    }
    domain::HoldNotice notice{.key = {event.object_id, event.version},
                              .content = event.content_hash,
                              .business_date = event.business_date,
                              .released = released};
    if (released) {
        payout::v1::MerchantReleased message;
        if (!message.ParseFromString(event.payload)) return Malformed("not a MerchantReleased");
        notice.merchant = domain::MerchantId(message.merchant_id());
        notice.round = message.round();
    } else {
        payout::v1::MerchantHeldBack message;
        if (!message.ParseFromString(event.payload)) return Malformed("not a MerchantHeldBack");
        notice.merchant = domain::MerchantId(message.merchant_id());
        KESSAI_ASSIGN_OR_RETURN(notice.currency, Currency::Parse(message.currency()));
        notice.recounted_gross = message.recounted().gross();
        notice.evidence = EvidenceOf(message);
    }
    if (notice.merchant.value() < 0) return Malformed("the merchant's id is negative");
    return std::optional(std::move(notice));
}

}  // namespace kessai::reconciliation::transport
