#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "domain/code_id.h"
#include "domain/ids.h"
#include "domain/payment.h"

namespace kessai::payment::domain {

/// Bounds that an operator sets; amounts in minor units.
struct Policy {
    std::int64_t payment_amount_max = 500'000;
    std::int64_t top_up_amount_max = 1'000'000;
    std::int64_t balance_max = 10'000'000;
    std::chrono::seconds code_lifetime{std::chrono::minutes(5)};
    std::chrono::seconds code_lifetime_max{std::chrono::hours(24 * 14)};
    std::uint32_t refunds_max = 50;
    /// Top-ups without a bank behind them; never in production.
    bool development_funding = false;
};

struct CreateCode {
    MerchantId merchant;
    std::string merchant_payment_id;
    Money amount;
    /// Unset: the policy's lifetime from now.
    std::optional<Instant> expires_at;
    OrderDetails details;
    /// Random, chosen once by the caller and sent again with a retry, which is so told from a
    /// second create of the same id.
    std::uint32_t salt = 0;
};

struct DeleteCode {
    MerchantId merchant;
    CodeId code;
};

/// The code is the idempotency key.
struct PayCode {
    UserId user;
    CodeId code;
    /// What the user was shown.
    Money amount;
};

struct CancelPayment {
    OrderKey order;
};

struct RefundPayment {
    MerchantId merchant;
    std::string merchant_refund_id;
    PaymentId payment;
    Money amount;
    std::string reason;
    std::int64_t requested_at_s = 0;
};

struct TopUpWallet {
    UserId user;
    std::string idempotency_key;
    Money amount;
    std::string source;
};

struct OpenWallet {
    UserId user;
};

/// Payout released a day (or merchants of it that were held back, in a later round): our payable
/// falls by the released gross. Keyed by (date, round).
struct ClearRelease {
    BusinessDate released_date;
    std::uint32_t round = 0;
    Money gross;
};

using Command = std::variant<CreateCode, DeleteCode, PayCode, CancelPayment, RefundPayment,
                             TopUpWallet, OpenWallet, ClearRelease>;

/// What was done, or had been done before when the command is a repeat.
struct PaymentOutcome {
    Payment payment;
    std::string merchant_name;
    /// The payer's balance, for PayCode.
    std::optional<Money> balance;
};
struct CancelOutcome {
    /// Unset: the id was unknown and is now barred.
    std::optional<Payment> payment;
};
struct NoOutcome {};

using Outcome = std::variant<PaymentOutcome, CancelOutcome, Refund, TopUp, Wallet, NoOutcome>;

/// What can be refused without looking anything up: empty or too long texts, amounts, currencies.
Status Validate(const Command& command, const Policy& policy);

}  // namespace kessai::payment::domain
