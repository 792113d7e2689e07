#pragma once

#include <cstdint>
#include <string>

#include "model/values.h"

// Rows of the payment service's schema, as they are stored: nothing here is known to be valid.
// Instants are microseconds since 1970, amounts minor units of the row's currency. The numbers of
// kinds and states are those that services/payment documents beside its tables.
namespace kessai::audit {

enum ChangeKind : int {
    kCompleted = 1,
    kCanceled = 2,
    kRefunded = 3,
    kToppedUp = 4,
    kReleaseCleared = 5,
};

/// Changes that a merchant gains or loses by: of payments.
constexpr bool IsOfPayment(int kind) {
    return kind == kCompleted || kind == kCanceled || kind == kRefunded;
}
/// The sign of a change's amount in the merchant's gross.
constexpr int GrossSign(int kind) {
    return kind == kCompleted ? 1 : kind == kCanceled || kind == kRefunded ? -1 : 0;
}

enum AccountKind : int {
    kUserMoney = 1,
    kMerchantPayable = 2,
    kPayableReleased = 3,
    kPayoutClearing = 4,
    kDevelopmentFunding = 5,
};
/// Accounts with a row in table `account`; the others are sums of their postings.
constexpr bool HasStoredBalance(int account_kind) {
    return account_kind == kUserMoney;
}
std::string AccountKindText(int account_kind);

enum PaymentStatus : int {
    kStatusCreated = 1,
    kStatusCompleted = 2,
    kStatusRefunded = 3,
    kStatusFailed = 4,
    kStatusCodeDeleted = 5,
};

enum DayState : int {
    kDayClosing = 2,
    kDayMarked = 3,
    kDayClosed = 4,
};

/// One row of `journal`: an immutable change.
struct Change {
    ChangeKey key;
    std::int64_t event_id = 0;
    int kind = 0;
    DayNumber business_date = 0;
    std::int64_t occurred_at_us = 0;
    std::int64_t merchant_id = 0;
    std::int64_t user_id = 0;
    CurrencyCode currency;
    std::int64_t amount = 0;
    std::string merchant_payment_id;
    std::string store_id;
    std::string terminal_id;
    std::string order_receipt_number;
    std::int64_t order_amount = 0;
    std::int64_t captured_total = 0;
    std::int64_t refunded_before = 0;
    DayNumber payment_date = 0;
    std::int64_t payment_accepted_at_us = 0;
    std::int64_t refund_id = 0;
    std::string merchant_refund_id;
    std::string source;
    int bucket = 0;
};

struct PaymentRow {
    std::int64_t payment_id = 0;
    std::int64_t merchant_id = 0;
    std::string merchant_payment_id;
    CurrencyCode currency;
    std::int64_t amount = 0;
    std::string store_id;
    std::string terminal_id;
    std::string order_receipt_number;
    int status = 0;
    std::int64_t user_id = 0;
    std::int64_t accepted_at_us = 0;
    DayNumber business_date = 0;
    std::int64_t canceled_at_us = 0;
    std::int64_t captured = 0;
    std::int64_t refunded = 0;
    std::int64_t refund_count = 0;
    std::uint32_t version = 0;
    std::int64_t last_event_id = 0;
};

struct OrderRow {
    Hash16 order_key{};
    std::int64_t merchant_id = 0;
    std::string merchant_payment_id;
    std::int64_t payment_id = 0;
    std::int64_t canceled_at_us = 0;
};

struct RefundRow {
    Hash16 refund_key{};
    std::int64_t refund_id = 0;
    std::int64_t payment_id = 0;
    std::int64_t merchant_id = 0;
    std::string merchant_refund_id;
    CurrencyCode currency;
    std::int64_t amount = 0;
    std::int64_t accepted_at_us = 0;
};

struct TopUpRow {
    Hash16 top_up_key{};
    std::int64_t top_up_id = 0;
    std::int64_t user_id = 0;
    std::string idempotency_key;
    CurrencyCode currency;
    std::int64_t amount = 0;
    std::string source;
    std::int64_t balance_after = 0;
    std::int64_t accepted_at_us = 0;
};

/// `release_clearing`: a DayReleased event of payout that was cleared here.
struct ClearingRow {
    ChangeKey key;
    Hash16 content_hash{};
};

struct AccountRow {
    int kind = 0;
    std::int64_t owner_id = 0;
    CurrencyCode currency;
    std::int64_t balance = 0;
    std::int64_t last_event_id = 0;
};

struct PostingRow {
    int kind = 0;
    std::int64_t owner_id = 0;
    std::int64_t event_id = 0;
    ChangeKey key;
    DayNumber business_date = 0;
    CurrencyCode currency;
    std::int64_t amount = 0;
    std::int64_t balance_after = 0;
};

}  // namespace kessai::audit
