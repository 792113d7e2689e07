#include "transport/proto_mapping.h"

#include <openssl/rand.h>

#include "domain/refusal.h"

namespace kessai::payment::transport {
namespace {

using domain::Refusal;
using domain::Refuse;

std::int64_t MicrosOrZero(Instant instant) {
    return ToMicros(instant);
}

v1::PaymentStatus StatusOf(domain::PaymentStatus status) {
    switch (status) {
        case domain::PaymentStatus::kCreated:
            return v1::CREATED;
        case domain::PaymentStatus::kCompleted:
            return v1::COMPLETED;
        case domain::PaymentStatus::kRefunded:
            return v1::REFUNDED;
        case domain::PaymentStatus::kFailed:
            return v1::FAILED;
        case domain::PaymentStatus::kCodeDeleted:
            return v1::CODE_DELETED;
    }
    return v1::PAYMENT_STATUS_UNSPECIFIED;
}

/// Never 0, which means "none given" on the wire.
std::uint32_t RandomSalt() {
    std::uint32_t salt = 0;
    while (salt == 0) {
        KESSAI_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&salt), sizeof salt) == 1,
                     "the system has random numbers");
    }
    return salt;
}

domain::OrderDetails ToDetails(const v1::OrderDetails& message) {
    return {message.order_description(),    message.store_id(),       message.terminal_id(),
            message.order_receipt_number(), message.requested_at_s(), message.extra_json()};
}

v1::HistoryEntry::Kind HistoryKindOf(domain::ChangeKind kind) {
    switch (kind) {
        case domain::ChangeKind::kCompleted:
            return v1::HistoryEntry::PAYMENT;
        case domain::ChangeKind::kCanceled:
            return v1::HistoryEntry::CANCEL;
        case domain::ChangeKind::kRefunded:
            return v1::HistoryEntry::REFUND;
        case domain::ChangeKind::kToppedUp:
            return v1::HistoryEntry::TOP_UP;
        case domain::ChangeKind::kReleaseCleared:
            break;
    }
    return v1::HistoryEntry::KIND_UNSPECIFIED;
}

}  // namespace

Result<Money> ToMoney(const type::v1::Money& money, bool present) {
    if (!present) return Refuse(Refusal::kAmountOutOfRange, "the amount is missing");
    KESSAI_ASSIGN_OR_RETURN(const Currency currency, Currency::Parse(money.currency()));
    return Money(money.minor(), currency);
}

void FillMoney(Money money, type::v1::Money* message) {
    message->set_minor(money.minor());
    message->set_currency(std::string(money.currency().code()));
}

void FillPayment(const domain::Payment& payment, std::string_view merchant_name, Instant now,
                 v1::Payment* message) {
    message->set_payment_id(payment.id.value());
    message->set_merchant_id(payment.merchant.value());
    message->set_merchant_payment_id(payment.merchant_payment_id);
    message->set_status(StatusOf(payment.status));
    FillMoney(payment.amount, message->mutable_amount());
    message->set_user_id(payment.user.value());

    v1::Code* code = message->mutable_code();
    code->set_code_id(domain::FormatCodeId({payment.id, payment.code_salt}));
    code->set_expires_at_us(ToMicros(payment.code_expires_at));
    code->set_expired(payment.CodeExpired(now));

    v1::OrderDetails* details = message->mutable_details();
    details->set_order_description(payment.details.order_description);
    details->set_store_id(payment.details.store_id);
    details->set_terminal_id(payment.details.terminal_id);
    details->set_order_receipt_number(payment.details.order_receipt_number);
    details->set_requested_at_s(payment.details.requested_at_s);
    details->set_extra_json(payment.details.extra_json);

    message->set_created_at_us(MicrosOrZero(payment.created_at));
    message->set_accepted_at_us(MicrosOrZero(payment.accepted_at));
    message->set_canceled_at_us(MicrosOrZero(payment.canceled_at));
    FillMoney(Money(payment.refunded, payment.amount.currency()), message->mutable_refunded());
    message->set_merchant_name(std::string(merchant_name));
}

void FillRefund(const domain::Refund& refund, v1::Refund* message) {
    message->set_refund_id(refund.id.value());
    message->set_merchant_refund_id(refund.merchant_refund_id);
    message->set_payment_id(refund.payment.value());
    FillMoney(refund.amount, message->mutable_amount());
    message->set_accepted_at_us(ToMicros(refund.accepted_at));
    message->set_requested_at_s(refund.requested_at_s);
    message->set_reason(refund.reason);
}

void FillWallet(const domain::Wallet& wallet, v1::Wallet* message) {
    message->set_user_id(wallet.user.value());
    FillMoney(wallet.balance, message->mutable_balance());
}

void FillMerchant(const domain::Merchant& merchant, v1::Merchant* message) {
    message->set_merchant_id(merchant.id.value());
    message->set_name(merchant.name);
    message->set_suspended(merchant.suspended);
    message->set_multiple_refunds(merchant.multiple_refunds);
}

void FillHistoryEntry(const app::HistoryEntry& entry, std::string_view merchant_name,
                      v1::HistoryEntry* message) {
    const domain::Change& change = entry.change;
    message->set_event_id(change.event.value());
    message->set_kind(HistoryKindOf(change.kind));
    message->set_object_id(change.object);
    FillMoney(entry.amount, message->mutable_amount());
    FillMoney(entry.balance_after, message->mutable_balance_after());
    message->set_occurred_at_us(ToMicros(change.occurred_at));
    message->set_merchant_id(change.merchant.value());
    message->set_merchant_name(std::string(merchant_name));
    message->set_merchant_payment_id(change.merchant_payment_id);
}

Result<domain::Command> ToCommand(const v1::CreateCodeRequest& request,
                                  const auth::Principal& principal) {
    domain::CreateCode command;
    command.merchant = domain::MerchantId(principal.merchant_id);
    command.merchant_payment_id = request.merchant_payment_id();
    KESSAI_ASSIGN_OR_RETURN(command.amount, ToMoney(request.amount(), request.has_amount()));
    if (request.expires_at_us() != 0) command.expires_at = FromMicros(request.expires_at_us());
    command.details = ToDetails(request.details());
    command.salt = request.salt() != 0 ? request.salt() : RandomSalt();
    return command;
}

Result<domain::Command> ToCommand(const v1::DeleteCodeRequest& request,
                                  const auth::Principal& principal) {
    KESSAI_ASSIGN_OR_RETURN(const domain::CodeId code, domain::ParseCodeId(request.code_id()));
    return domain::DeleteCode{domain::MerchantId(principal.merchant_id), code};
}

Result<domain::Command> ToCommand(const v1::PayCodeRequest& request,
                                  const auth::Principal& principal) {
    KESSAI_ASSIGN_OR_RETURN(const domain::CodeId code, domain::ParseCodeId(request.code_id()));
    KESSAI_ASSIGN_OR_RETURN(const Money amount, ToMoney(request.amount(), request.has_amount()));
    return domain::PayCode{domain::UserId(principal.user_id), code, amount};
}

Result<domain::Command> ToCommand(const v1::CancelPaymentRequest& request,
                                  const auth::Principal& principal) {
    return domain::CancelPayment{
        {domain::MerchantId(principal.merchant_id), request.merchant_payment_id()}};
}

Result<domain::Command> ToCommand(const v1::RefundPaymentRequest& request,
                                  const auth::Principal& principal) {
    KESSAI_ASSIGN_OR_RETURN(const Money amount, ToMoney(request.amount(), request.has_amount()));
    return domain::RefundPayment{domain::MerchantId(principal.merchant_id),
                                 request.merchant_refund_id(),
                                 domain::PaymentId(request.payment_id()),
                                 amount,
                                 request.reason(),
                                 request.requested_at_s()};
}

Result<domain::Command> ToCommand(const v1::TopUpRequest& request,
                                  const auth::Principal& principal) {
    KESSAI_ASSIGN_OR_RETURN(const Money amount, ToMoney(request.amount(), request.has_amount()));
    return domain::TopUpWallet{domain::UserId(principal.user_id), request.idempotency_key(), amount,
                               request.source()};
}

Result<domain::Command> ToCommand(const v1::OpenWalletRequest&, const auth::Principal& principal) {
    return domain::OpenWallet{domain::UserId(principal.user_id)};
}

void FillOutcome(const domain::Outcome& outcome, Instant now, v1::Payment* message) {
    const auto& done = std::get<domain::PaymentOutcome>(outcome);
    FillPayment(done.payment, done.merchant_name, now, message);
    if (done.balance.has_value()) FillMoney(*done.balance, message->mutable_balance());
}

void FillOutcome(const domain::Outcome& outcome, Instant now, v1::CancelPaymentResponse* message) {
    const auto& done = std::get<domain::CancelOutcome>(outcome);
    if (done.payment.has_value()) FillPayment(*done.payment, {}, now, message->mutable_payment());
}

void FillOutcome(const domain::Outcome& outcome, Instant, v1::Refund* message) {
    FillRefund(std::get<domain::Refund>(outcome), message);
}

void FillOutcome(const domain::Outcome& outcome, Instant, v1::TopUpResponse* message) {
    const auto& top_up = std::get<domain::TopUp>(outcome);
    message->set_top_up_id(top_up.id.value());
    FillMoney(top_up.amount, message->mutable_amount());
    FillMoney(top_up.balance_after, message->mutable_balance_after());
    message->set_accepted_at_us(ToMicros(top_up.accepted_at));
}

void FillOutcome(const domain::Outcome& outcome, Instant, v1::Wallet* message) {
    FillWallet(std::get<domain::Wallet>(outcome), message);
}

void FillOutcome(const Result<domain::Outcome>& outcome, Instant now, v1::Outcome* message) {
    if (!outcome.ok()) {
        const Status& status = outcome.status();
        type::v1::Refusal* refusal = message->mutable_refusal();
        refusal->set_code(static_cast<std::int32_t>(status.code()));
        refusal->set_reason(std::string(status.reason()));
        refusal->set_message(std::string(status.message()));
        return;
    }
    struct Fill {
        const domain::Outcome& outcome;
        Instant now;
        v1::Outcome* message;
        void operator()(const domain::PaymentOutcome&) const {
            FillOutcome(outcome, now, message->mutable_payment());
        }
        void operator()(const domain::CancelOutcome&) const {
            FillOutcome(outcome, now, message->mutable_cancel());
        }
        void operator()(const domain::Refund&) const {
            FillOutcome(outcome, now, message->mutable_refund());
        }
        void operator()(const domain::TopUp&) const {
            FillOutcome(outcome, now, message->mutable_top_up());
        }
        void operator()(const domain::Wallet&) const {
            FillOutcome(outcome, now, message->mutable_wallet());
        }
        void operator()(const domain::NoOutcome&) const {}
    };
    std::visit(Fill{*outcome, now, message}, *outcome);
}

}  // namespace kessai::payment::transport
