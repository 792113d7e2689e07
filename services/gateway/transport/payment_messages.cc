#include "transport/payment_messages.h"

#include <utility>

namespace kessai::gateway::transport {

namespace {

namespace v1 = payment::v1;

std::optional<Instant> InstantOrNone(std::int64_t micros) {
    if (micros == 0) return std::nullopt;
    return FromMicros(micros);
}

domain::PaymentStatus ToStatus(v1::PaymentStatus status) {
    switch (status) {
        case v1::CREATED:
            return domain::PaymentStatus::kCreated;
        case v1::COMPLETED:
            return domain::PaymentStatus::kCompleted;
        case v1::REFUNDED:
            return domain::PaymentStatus::kRefunded;
        case v1::FAILED:
            return domain::PaymentStatus::kFailed;
        case v1::CODE_DELETED:
            return domain::PaymentStatus::kCodeDeleted;
        case v1::AUTHORIZED:
            return domain::PaymentStatus::kAuthorized;
        case v1::CANCELED:
            return domain::PaymentStatus::kCanceled;
        case v1::EXPIRED:
            return domain::PaymentStatus::kExpired;
        default:
            return domain::PaymentStatus::kUnknown;
    }
}

domain::HistoryEntry::Kind ToKind(v1::HistoryEntry::Kind kind) {
    switch (kind) {
        case v1::HistoryEntry::PAYMENT:
            return domain::HistoryEntry::Kind::kPayment;
        case v1::HistoryEntry::CANCEL:
            return domain::HistoryEntry::Kind::kCancel;
        case v1::HistoryEntry::REFUND:
            return domain::HistoryEntry::Kind::kRefund;
        case v1::HistoryEntry::TOP_UP:
            return domain::HistoryEntry::Kind::kTopUp;
        default:
            return domain::HistoryEntry::Kind::kUnknown;
    }
}

}  // namespace

Money ToMoney(const type::v1::Money& message) {
    // An unset amount is zero yen; what the services send has a currency that we know.
    return Money(message.minor(), Currency::Parse(message.currency()).value_or(Currency::Jpy()));
}

void FillMoney(Money money, type::v1::Money* message) {
    message->set_minor(money.minor());
    message->set_currency(std::string(money.currency().code()));
}

domain::Payment ToPayment(v1::Payment& message) {
    domain::Payment payment;
    payment.payment_id = message.payment_id();
    payment.merchant_id = message.merchant_id();
    payment.merchant_payment_id = std::move(*message.mutable_merchant_payment_id());
    payment.status = ToStatus(message.status());
    payment.amount = ToMoney(message.amount());
    payment.user_id = message.user_id();
    payment.code_id = std::move(*message.mutable_code()->mutable_code_id());
    payment.code_expires_at = InstantOrNone(message.code().expires_at_us());
    payment.code_expired = message.code().expired();
    v1::OrderDetails& details = *message.mutable_details();
    payment.details.order_description = std::move(*details.mutable_order_description());
    payment.details.store_id = std::move(*details.mutable_store_id());
    payment.details.terminal_id = std::move(*details.mutable_terminal_id());
    payment.details.order_receipt_number = std::move(*details.mutable_order_receipt_number());
    payment.details.requested_at_s = details.requested_at_s();
    payment.details.extra_json = std::move(*details.mutable_extra_json());
    payment.created_at = InstantOrNone(message.created_at_us());
    payment.accepted_at = InstantOrNone(message.accepted_at_us());
    payment.canceled_at = InstantOrNone(message.canceled_at_us());
    payment.refunded = ToMoney(message.refunded());
    for (v1::Refund& refund : *message.mutable_refunds()) {
        payment.refunds.push_back(ToRefund(refund));
    }
    payment.merchant_name = std::move(*message.mutable_merchant_name());
    if (message.has_balance()) payment.balance = ToMoney(message.balance());
    return payment;
}

domain::Refund ToRefund(v1::Refund& message) {
    domain::Refund refund;
    refund.refund_id = message.refund_id();
    refund.merchant_refund_id = std::move(*message.mutable_merchant_refund_id());
    refund.payment_id = message.payment_id();
    refund.amount = ToMoney(message.amount());
    refund.accepted_at = InstantOrNone(message.accepted_at_us());
    refund.requested_at_s = message.requested_at_s();
    refund.reason = std::move(*message.mutable_reason());
    return refund;
}

domain::Wallet ToWallet(const v1::Wallet& message) {
    return {message.user_id(), ToMoney(message.balance())};
}

domain::TopUp ToTopUp(const v1::TopUpResponse& message) {
    return {message.top_up_id(), ToMoney(message.amount()), ToMoney(message.balance_after()),
            InstantOrNone(message.accepted_at_us())};
}

domain::HistoryPage ToHistoryPage(v1::ListHistoryResponse& message) {
    domain::HistoryPage page;
    page.next_page_token = std::move(*message.mutable_next_page_token());
    for (v1::HistoryEntry& entry : *message.mutable_entries()) {
        domain::HistoryEntry& to = page.entries.emplace_back();
        to.event_id = entry.event_id();
        to.kind = ToKind(entry.kind());
        to.object_id = entry.object_id();
        to.amount = ToMoney(entry.amount());
        to.balance_after = ToMoney(entry.balance_after());
        to.occurred_at = InstantOrNone(entry.occurred_at_us());
        to.merchant_id = entry.merchant_id();
        to.merchant_name = std::move(*entry.mutable_merchant_name());
        to.merchant_payment_id = std::move(*entry.mutable_merchant_payment_id());
    }
    return page;
}

domain::Merchant ToMerchant(v1::Merchant& message) {
    return {message.merchant_id(), std::move(*message.mutable_name()), message.suspended(),
            message.multiple_refunds()};
}

void FillCreateCode(const domain::CreateCode& command, v1::CreateCodeRequest* message) {
    message->set_merchant_payment_id(command.merchant_payment_id);
    FillMoney(command.amount, message->mutable_amount());
    if (command.expires_at) message->set_expires_at_us(ToMicros(*command.expires_at));
    message->set_salt(command.salt);
    v1::OrderDetails* details = message->mutable_details();
    details->set_order_description(command.details.order_description);
    details->set_store_id(command.details.store_id);
    details->set_terminal_id(command.details.terminal_id);
    details->set_order_receipt_number(command.details.order_receipt_number);
    details->set_requested_at_s(command.details.requested_at_s);
    details->set_extra_json(command.details.extra_json);
}

void FillRefundPayment(const domain::RefundPayment& command, v1::RefundPaymentRequest* message) {
    message->set_merchant_refund_id(command.merchant_refund_id);
    message->set_payment_id(command.payment_id);
    FillMoney(command.amount, message->mutable_amount());
    message->set_reason(command.reason);
    message->set_requested_at_s(command.requested_at_s);
}

}  // namespace kessai::gateway::transport
