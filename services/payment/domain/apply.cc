#include "domain/apply.h"

#include <array>
#include <string>
#include <utility>

#include "domain/refusal.h"

namespace kessai::payment::domain {
namespace {

Result<const Merchant*> ActiveMerchant(MerchantId id, const WorkingSet& rows) {
    const Merchant* merchant = rows.merchants.Find(id);
    if (merchant == nullptr) {
        return Refuse(Refusal::kMerchantUnknown, "there is no merchant " + id.ToString());
    }
    if (merchant->suspended) {
        return Refuse(Refusal::kMerchantSuspended, "merchant " + id.ToString() + " is suspended");
    }
    return merchant;
}

std::string MerchantName(MerchantId id, const WorkingSet& rows) {
    const Merchant* merchant = rows.merchants.Find(id);
    return merchant == nullptr ? std::string() : merchant->name;
}

/// The change that `payment` makes next; the caller fills in what its kind adds.
Change NextChange(ChangeKind kind, Money amount, const Payment& payment,
                  const BatchContext& batch) {
    Change change;
    change.object = payment.id.value();
    change.version = payment.version + 1;
    change.event = EventId(batch.ids.Next());
    change.kind = kind;
    change.business_date = batch.business_date;
    change.occurred_at = batch.now;
    change.merchant = payment.merchant;
    change.user = payment.user;
    change.amount = amount;
    change.merchant_payment_id = payment.merchant_payment_id;
    change.store_id = payment.details.store_id;
    change.terminal_id = payment.details.terminal_id;
    change.order_receipt_number = payment.details.order_receipt_number;
    change.order_amount = payment.amount.minor();
    change.captured_total = payment.captured;
    change.refunded_before = payment.refunded;
    change.payment_date = payment.business_date;
    change.payment_accepted_at = payment.accepted_at;
    return change;
}

void Append(WorkingSet& rows, Change change, const std::array<Posting, 2>& postings) {
    KESSAI_CHECK(postings[0].amount + postings[1].amount == 0,
                 "the postings of a journal sum to zero");
    rows.journals.push_back({std::move(change), {postings.begin(), postings.end()}});
}

/// Journals a change, and moves the user's side of it into or out of the wallet. Precondition: the
/// new balance is in range.
void MoveUserMoney(Wallet& wallet, Change change, WorkingSet& rows) {
    std::array<Posting, 2> postings = PostingsOf(change);
    Posting& of_user = postings.front();
    KESSAI_CHECK(of_user.account == AccountKind::kUserMoney && of_user.owner == wallet.user.value(),
                 "a change of a user's money is in the user's wallet");
    of_user.balance_after = wallet.balance.minor() + of_user.amount;
    KESSAI_CHECK(of_user.balance_after >= 0, "a wallet's balance never goes below zero");
    wallet.balance = Money(of_user.balance_after, wallet.balance.currency());
    wallet.last_event = change.event;
    Append(rows, std::move(change), postings);
}

Status WalletUnknown(UserId user) {
    return Refuse(Refusal::kWalletUnknown, "user " + user.ToString() + " has no wallet");
}

Result<Outcome> ApplyOne(const CreateCode& command, WorkingSet& rows, const BatchContext& batch) {
    KESSAI_RETURN_IF_ERROR(ActiveMerchant(command.merchant, rows));
    const OrderKey key{command.merchant, command.merchant_payment_id};

    if (const Order* order = rows.orders.Find(key)) {
        if (const Payment* earlier = rows.payments.Find(order->payment)) {
            if (earlier->code_salt == command.salt) {  // Our own, its reply lost.
                return PaymentOutcome{*earlier, MerchantName(command.merchant, rows), {}};
            }
            const bool dead =
                earlier->status == PaymentStatus::kCodeDeleted ||
                (earlier->status == PaymentStatus::kCreated && earlier->CodeExpired(batch.now));
            if (!dead && !order->canceled()) {
                return Refuse(Refusal::kDuplicateCode,
                              "a code or payment with this merchantPaymentId exists");
            }
        }
        if (order->canceled()) {
            return Refuse(Refusal::kPaymentCanceled, "this merchantPaymentId was cancelled");
        }
    }

    const Instant expires_at = command.expires_at.value_or(batch.now + batch.policy.code_lifetime);
    if (expires_at <= batch.now || expires_at > batch.now + batch.policy.code_lifetime_max) {
        return Refuse(Refusal::kExpiryOutOfRange, "the code's expiry is past or too far away");
    }

    Payment payment;
    payment.id = PaymentId(batch.ids.Next());
    payment.merchant = command.merchant;
    payment.merchant_payment_id = command.merchant_payment_id;
    payment.amount = command.amount;
    payment.code_salt = command.salt;
    payment.code_expires_at = expires_at;
    payment.created_at = batch.now;
    payment.details = command.details;

    if (rows.orders.Find(key) != nullptr) {
        rows.orders.Change(key).payment = payment.id;
    } else {
        rows.orders.Insert(key, Order{key, payment.id, {}});
    }
    rows.payments.Insert(payment.id, payment);
    return PaymentOutcome{std::move(payment), MerchantName(command.merchant, rows), {}};
}

/// The payment behind a code, or kCodeUnknown.
Result<const Payment*> PaymentOfCode(CodeId code, const WorkingSet& rows) {
    const Payment* payment = rows.payments.Find(code.payment);
    if (payment == nullptr || payment->code_salt != code.salt) {
        return Refuse(Refusal::kCodeUnknown, "there is no such code");
    }
    return payment;
}

Result<Outcome> ApplyOne(const DeleteCode& command, WorkingSet& rows, const BatchContext&) {
    KESSAI_ASSIGN_OR_RETURN(const Payment* payment, PaymentOfCode(command.code, rows));
    // Another merchant's code is as good as none.
    if (payment->merchant != command.merchant) {
        return Refuse(Refusal::kCodeUnknown, "there is no such code");
    }
    if (payment->status == PaymentStatus::kCreated) {
        rows.payments.Change(payment->id).status = PaymentStatus::kCodeDeleted;
    } else if (payment->status != PaymentStatus::kCodeDeleted) {
        return Refuse(Refusal::kCodeAlreadyPaid, "the code was paid or cancelled");
    }
    return PaymentOutcome{*payment, MerchantName(payment->merchant, rows), {}};
}

/// Whether the user was shown what the code asks for. A retry with another amount is no retry.
Status CheckAmount(const PayCode& command, const Payment& payment) {
    if (command.amount == payment.amount) return OkStatus();
    return Refuse(Refusal::kAmountChanged, "the code asks for " + payment.amount.ToString() +
                                               ", not " + command.amount.ToString());
}

/// Whether the code can be paid by this command now.
Status CheckPayable(const PayCode& command, const Payment& payment, const BatchContext& batch) {
    switch (payment.status) {
        case PaymentStatus::kCreated:
            break;
        case PaymentStatus::kCodeDeleted:
            return Refuse(Refusal::kCodeDeleted, "the code was withdrawn by the merchant");
        case PaymentStatus::kFailed:
            if (payment.user.is_none()) {
                return Refuse(Refusal::kPaymentCanceled, "the order was cancelled by the merchant");
            }
            [[fallthrough]];
        case PaymentStatus::kCompleted:
        case PaymentStatus::kRefunded:
            return Refuse(Refusal::kCodeAlreadyPaid, "the code was already paid");
    }
    if (payment.CodeExpired(batch.now))
        return Refuse(Refusal::kCodeExpired, "the code has expired");
    return CheckAmount(command, payment);
}

Result<Outcome> ApplyOne(const PayCode& command, WorkingSet& rows, const BatchContext& batch) {
    KESSAI_ASSIGN_OR_RETURN(const Payment* found, PaymentOfCode(command.code, rows));
    const Wallet* wallet = rows.wallets.Find(command.user);
    if (wallet == nullptr) return WalletUnknown(command.user);
    if (found->user == command.user) {  // Paid before, by the same user: the first outcome.
        KESSAI_RETURN_IF_ERROR(CheckAmount(command, *found));
        return PaymentOutcome{*found, MerchantName(found->merchant, rows), wallet->balance};
    }
    KESSAI_RETURN_IF_ERROR(CheckPayable(command, *found, batch));
    KESSAI_RETURN_IF_ERROR(ActiveMerchant(found->merchant, rows));
    if (wallet->balance.minor() < found->amount.minor()) {
        return Refuse(Refusal::kInsufficientFunds, "the balance does not cover the payment");
    }

    Payment& payment = rows.payments.Change(found->id);
    payment.status = PaymentStatus::kCompleted;
    payment.user = command.user;
    payment.accepted_at = batch.now;
    payment.business_date = batch.business_date;
    payment.captured = payment.amount.minor();

    Change change = NextChange(ChangeKind::kCompleted, payment.amount, payment, batch);
    payment.version = change.version;
    payment.last_event = change.event;
    Wallet& payer = rows.wallets.Change(command.user);
    MoveUserMoney(payer, std::move(change), rows);
    return PaymentOutcome{payment, MerchantName(payment.merchant, rows), payer.balance};
}

/// Gives a paid amount back to the payer and journals it.
void ReturnMoney(Change change, Payment& payment, WorkingSet& rows) {
    payment.version = change.version;
    payment.last_event = change.event;
    MoveUserMoney(rows.wallets.Change(payment.user), std::move(change), rows);
}

Result<Outcome> ApplyOne(const CancelPayment& command, WorkingSet& rows,
                         const BatchContext& batch) {
    const Order* order = rows.orders.Find(command.order);
    if (order == nullptr) {
        rows.orders.Insert(command.order, Order{command.order, PaymentId(), batch.now});
        return CancelOutcome{};
    }
    const Payment* found = rows.payments.Find(order->payment);
    if (found == nullptr) return CancelOutcome{};  // A tombstone already.
    if (found->status == PaymentStatus::kFailed) return CancelOutcome{*found};
    if (found->status == PaymentStatus::kRefunded) {
        return Refuse(Refusal::kNotReversible, "the payment was refunded");
    }
    const bool paid = found->status == PaymentStatus::kCompleted;
    if (paid && batch.now >= CancelWindowEnd(found->accepted_at)) {
        return Refuse(Refusal::kNotReversible, "the time to cancel has passed: refund instead");
    }
    if (paid && rows.wallets.Find(found->user) == nullptr) return WalletUnknown(found->user);

    rows.orders.Change(command.order).canceled_at = batch.now;
    Payment& payment = rows.payments.Change(found->id);
    payment.status = PaymentStatus::kFailed;
    payment.canceled_at = batch.now;
    if (paid) {
        ReturnMoney(NextChange(ChangeKind::kCanceled, payment.amount, payment, batch), payment,
                    rows);
    }
    return CancelOutcome{payment};
}

/// Whether the payment can be refunded by this command now.
Status CheckRefundable(const RefundPayment& command, const Payment& payment,
                       const Merchant& merchant, const BatchContext& batch) {
    if (payment.status != PaymentStatus::kCompleted && payment.status != PaymentStatus::kRefunded) {
        return Refuse(Refusal::kNotRefundable, "only a completed payment can be refunded");
    }
    if (batch.now >= RefundWindowEnd(payment.accepted_at)) {
        return Refuse(Refusal::kRefundWindowPassed, "the time to refund has passed");
    }
    if (payment.refund_count > 0 && !merchant.multiple_refunds) {
        return Refuse(Refusal::kMultipleRefundsNotAllowed, "the payment was refunded before");
    }
    if (payment.refund_count >= batch.policy.refunds_max) {
        return Refuse(Refusal::kRefundLimitExceeded, "the payment was refunded too many times");
    }
    if (command.amount.currency() != payment.amount.currency() ||
        command.amount.minor() > payment.captured - payment.refunded) {
        return Refuse(Refusal::kRefundExceedsPayment, "the refund exceeds what is left");
    }
    return OkStatus();
}

Result<Outcome> ApplyOne(const RefundPayment& command, WorkingSet& rows,
                         const BatchContext& batch) {
    const RefundKey key{command.merchant, command.merchant_refund_id, command.payment};
    if (const Refund* earlier = rows.refunds.Find(key)) {
        if (earlier->amount != command.amount) {
            return Refuse(Refusal::kKeyReused,
                          "this merchantRefundId was used for " + earlier->amount.ToString());
        }
        return *earlier;
    }
    const Payment* found = rows.payments.Find(command.payment);
    if (found == nullptr || found->merchant != command.merchant) {
        return Refuse(Refusal::kPaymentUnknown, "there is no such payment");
    }
    const Merchant* merchant = rows.merchants.Find(command.merchant);
    if (merchant == nullptr) {
        return Refuse(Refusal::kMerchantUnknown, "there is no such merchant");
    }
    KESSAI_RETURN_IF_ERROR(CheckRefundable(command, *found, *merchant, batch));
    if (rows.wallets.Find(found->user) == nullptr) return WalletUnknown(found->user);

    Refund refund;
    refund.id = RefundId(batch.ids.Next());
    refund.payment = command.payment;
    refund.merchant = command.merchant;
    refund.merchant_refund_id = command.merchant_refund_id;
    refund.amount = command.amount;
    refund.accepted_at = batch.now;
    refund.requested_at_s = command.requested_at_s;
    refund.reason = command.reason;

    Payment& payment = rows.payments.Change(command.payment);
    Change change = NextChange(ChangeKind::kRefunded, command.amount, payment, batch);
    change.refund = refund.id;
    change.merchant_refund_id = refund.merchant_refund_id;
    payment.status = PaymentStatus::kRefunded;
    payment.refunded += command.amount.minor();
    ++payment.refund_count;
    ReturnMoney(std::move(change), payment, rows);
    rows.refunds.Insert(key, refund);
    return refund;
}

Result<Outcome> ApplyOne(const TopUpWallet& command, WorkingSet& rows, const BatchContext& batch) {
    const TopUpKey key{command.user, command.idempotency_key};
    if (const TopUp* earlier = rows.top_ups.Find(key)) {
        if (earlier->amount != command.amount || earlier->source != command.source) {
            return Refuse(Refusal::kKeyReused, "this idempotency key was used for another top-up");
        }
        return *earlier;
    }
    const Wallet* wallet = rows.wallets.Find(command.user);
    if (wallet == nullptr) return WalletUnknown(command.user);
    if (command.amount.minor() > batch.policy.balance_max - wallet->balance.minor()) {
        return Refuse(Refusal::kBalanceLimit,
                      "the wallet may hold at most " + std::to_string(batch.policy.balance_max));
    }

    TopUp top_up;
    top_up.id = TopUpId(batch.ids.Next());
    top_up.user = command.user;
    top_up.idempotency_key = command.idempotency_key;
    top_up.amount = command.amount;
    top_up.source = command.source;
    top_up.accepted_at = batch.now;

    Change change;
    change.object = top_up.id.value();
    change.version = 1;
    change.event = EventId(batch.ids.Next());
    change.kind = ChangeKind::kToppedUp;
    change.business_date = batch.business_date;
    change.occurred_at = batch.now;
    change.user = command.user;
    change.amount = command.amount;
    change.source = command.source;

    Wallet& changed = rows.wallets.Change(command.user);
    MoveUserMoney(changed, std::move(change), rows);
    top_up.balance_after = changed.balance;
    rows.top_ups.Insert(key, top_up);
    return top_up;
}

Result<Outcome> ApplyOne(const OpenWallet& command, WorkingSet& rows, const BatchContext& batch) {
    if (const Wallet* wallet = rows.wallets.Find(command.user)) return *wallet;
    return rows.wallets.Insert(command.user, Wallet{command.user, Yen(0), EventId(), batch.now});
}

Result<Outcome> ApplyOne(const ClearRelease& command, WorkingSet& rows, const BatchContext& batch) {
    const ReleaseKey key{command.released_date, command.round};
    if (rows.releases.Find(key) != nullptr) return NoOutcome{};

    Change change;
    change.object = command.released_date.ToNumber();
    change.version = command.round + 1;
    change.event = EventId(batch.ids.Next());
    change.kind = ChangeKind::kReleaseCleared;
    change.business_date = batch.business_date;
    change.occurred_at = batch.now;
    change.amount = command.gross;
    const auto postings = PostingsOf(change);
    Append(rows, std::move(change), postings);
    rows.releases.Insert(key, key);
    return NoOutcome{};
}

}  // namespace

Instant CancelWindowEnd(Instant accepted_at) {
    return BusinessDate::OfJst(accepted_at).Next().At(std::chrono::minutes(15));
}

Instant RefundWindowEnd(Instant accepted_at) {
    return BusinessDate::OfJst(accepted_at).PlusDays(366).StartsAt();
}

Result<Outcome> Apply(const Command& command, WorkingSet& rows, const BatchContext& batch) {
    return std::visit([&](const auto& one) { return ApplyOne(one, rows, batch); }, command);
}

}  // namespace kessai::payment::domain
