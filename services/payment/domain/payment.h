#pragma once

#include <cstdint>
#include <string>

#include "domain/ids.h"
#include "kessai/money/money.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai::payment::domain {

/// Numbers are stored and sent: they never change.
enum class PaymentStatus : std::uint8_t {
    /// A code is open for it, or has expired.
    kCreated = 1,
    kCompleted = 2,
    /// A refund was made, of a part or all.
    kRefunded = 3,
    /// Cancelled by the merchant, before or after it was paid.
    kFailed = 4,
    /// Its code was deleted before anybody paid.
    kCodeDeleted = 5,
};

/// What the merchant said about the order; kept and given back, never acted upon.
struct OrderDetails {
    std::string order_description;
    std::string store_id;
    std::string terminal_id;
    std::string order_receipt_number;
    std::int64_t requested_at_s = 0;
    /// A JSON object that only the merchant's interface reads.
    std::string extra_json;

    bool operator==(const OrderDetails&) const = default;
};

/// A payment from its code to its last refund.
struct Payment {
    PaymentId id;
    MerchantId merchant;
    std::string merchant_payment_id;
    PaymentStatus status = PaymentStatus::kCreated;
    Money amount;
    /// None until somebody paid.
    UserId user;

    /// Makes the code id unguessable, and tells a retried create from another one.
    std::uint32_t code_salt = 0;
    Instant code_expires_at;

    Instant created_at;
    /// When and on which day of the books it was paid; the epoch and 1970-01-01 before.
    Instant accepted_at;
    BusinessDate business_date;
    Instant canceled_at;

    /// Minor units of `amount`'s currency.
    std::int64_t captured = 0;
    std::int64_t refunded = 0;
    std::uint32_t refund_count = 0;

    /// Number of its changes of money so far, and the last one's event.
    std::uint32_t version = 0;
    EventId last_event;

    OrderDetails details;

    bool CodeExpired(Instant now) const { return now >= code_expires_at; }
    bool operator==(const Payment&) const = default;
};

struct Refund {
    RefundId id;
    PaymentId payment;
    MerchantId merchant;
    std::string merchant_refund_id;
    Money amount;
    Instant accepted_at;
    std::int64_t requested_at_s = 0;
    std::string reason;

    bool operator==(const Refund&) const = default;
};

struct TopUp {
    TopUpId id;
    UserId user;
    std::string idempotency_key;
    Money amount;
    std::string source;
    Money balance_after;
    Instant accepted_at;

    bool operator==(const TopUp&) const = default;
};

/// A user's stored balance.
struct Wallet {
    UserId user;
    Money balance;
    EventId last_event;
    Instant opened_at;

    bool operator==(const Wallet&) const = default;
};

struct Merchant {
    MerchantId id;
    std::string name;
    bool suspended = false;
    /// Whether a payment may be refunded more than once.
    bool multiple_refunds = false;

    bool operator==(const Merchant&) const = default;
};

/// The row behind a merchantPaymentId: which payment it names now.
struct OrderKey {
    MerchantId merchant;
    std::string merchant_payment_id;

    bool operator==(const OrderKey&) const = default;
    auto operator<=>(const OrderKey&) const = default;
};
struct Order {
    OrderKey key;
    /// None for a tombstone: cancelled before it was created.
    PaymentId payment;
    /// The epoch while not cancelled.
    Instant canceled_at;

    bool canceled() const { return canceled_at != Instant{}; }
    bool operator==(const Order&) const = default;
};

}  // namespace kessai::payment::domain
