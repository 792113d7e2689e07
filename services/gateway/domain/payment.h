#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kessai/money/money.h"
#include "kessai/time/clock.h"

/// Payments as the gateway shows them to the outside. The payment service owns them; times are
/// unset where a thing has not happened.
namespace kessai::gateway::domain {

enum class PaymentStatus : std::uint8_t {
    kUnknown,
    kCreated,
    kCompleted,
    kRefunded,
    kFailed,
    kCodeDeleted,
    kAuthorized,
    kCanceled,
    kExpired,
};

struct OrderDetails {
    std::string order_description;
    std::string store_id;
    std::string terminal_id;
    std::string order_receipt_number;
    std::int64_t requested_at_s = 0;
    /// A JSON object of what only the partner interface reads; empty: none.
    std::string extra_json;
};

struct Refund {
    std::int64_t refund_id = 0;
    std::string merchant_refund_id;
    std::int64_t payment_id = 0;
    Money amount;
    std::optional<Instant> accepted_at;
    std::int64_t requested_at_s = 0;
    std::string reason;
};

struct Payment {
    std::int64_t payment_id = 0;
    std::int64_t merchant_id = 0;
    std::string merchant_payment_id;
    PaymentStatus status = PaymentStatus::kUnknown;
    Money amount;
    std::int64_t user_id = 0;

    std::string code_id;
    std::optional<Instant> code_expires_at;
    bool code_expired = false;
    OrderDetails details;

    std::optional<Instant> created_at;
    std::optional<Instant> accepted_at;
    std::optional<Instant> canceled_at;

    Money refunded;
    std::vector<Refund> refunds;
    std::string merchant_name;
    /// Of the payer, after paying.
    std::optional<Money> balance;
};

struct Wallet {
    std::int64_t user_id = 0;
    Money balance;
};

struct TopUp {
    std::int64_t top_up_id = 0;
    Money amount;
    Money balance_after;
    std::optional<Instant> accepted_at;
};

struct HistoryEntry {
    enum class Kind : std::uint8_t { kUnknown, kPayment, kCancel, kRefund, kTopUp };
    std::int64_t event_id = 0;
    Kind kind = Kind::kUnknown;
    std::int64_t object_id = 0;
    Money amount;
    Money balance_after;
    std::optional<Instant> occurred_at;
    std::int64_t merchant_id = 0;
    std::string merchant_name;
    std::string merchant_payment_id;
};

struct HistoryPage {
    std::vector<HistoryEntry> entries;
    std::string next_page_token;
};

struct Merchant {
    std::int64_t merchant_id = 0;
    std::string name;
    bool suspended = false;
    bool multiple_refunds = false;
};

/// One change of a payment, wallet or transfer.
struct ChangeName {
    std::int64_t object_id = 0;
    std::uint32_t version = 0;

    bool operator==(const ChangeName&) const = default;
};

// What callers ask for.

struct CreateCode {
    std::string merchant_payment_id;
    Money amount;
    std::optional<Instant> expires_at;
    OrderDetails details;
    /// Tells a repeat of this very request from a second one for the same id; never 0.
    std::uint32_t salt = 0;
};

struct RefundPayment {
    std::string merchant_refund_id;
    std::int64_t payment_id = 0;
    Money amount;
    std::string reason;
    std::int64_t requested_at_s = 0;
};

}  // namespace kessai::gateway::domain
