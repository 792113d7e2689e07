#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "domain/ids.h"
#include "domain/payment_method.h"
#include "kessai/money/money.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::payout::domain {

/// The numbers are stored, and are those of `kessai.payment.v1.PaymentChanged.Kind`.
enum class ChangeKind : std::uint8_t {
    kCompleted = 1,
    kCanceled = 2,
    kRefunded = 3,
    kAuthorized = 4,
    kCaptured = 5,
    kReverted = 6,
    kExpired = 7,
    // Cashback and coupons, by who bears them.
    kMerchantCashback = 8,
    kMerchantCashbackReturned = 9,
    kMerchantCoupon = 10,
    kMerchantCouponReturned = 11,
    kOperatorCashback = 12,
    kOperatorCashbackReturned = 13,
    kOperatorCoupon = 14,
    kOperatorCouponReturned = 15,
};

/// The largest amount of one change, minor units. Far above what the partner contract allows (11
/// digits), and small enough that millions of them fit a merchant's 64-bit totals.
inline constexpr std::int64_t kMaxAmount = 1'000'000'000'000;

using ContentHash = std::array<std::uint8_t, 16>;

/// One change of a payment, as its event tells it. Amounts are minor units and not negative.
struct PaymentChange {
    EventId event;
    EffectKey key;
    /// The day of the books that the change belongs to.
    BusinessDate business_date;
    ChangeKind kind = ChangeKind::kCompleted;
    MerchantId merchant;
    Currency currency;
    /// What this change moved.
    std::int64_t amount = 0;
    /// What the payment captured in all, this change included.
    std::int64_t captured_total = 0;
    /// What earlier refunds returned.
    std::int64_t refunded_before = 0;
    /// How what was captured splits over methods; of a capture, how this one does too.
    MethodSplit captured_methods;
    MethodSplit methods;
    /// The merchant's own id of the store; empty where it named none.
    std::string store;
    /// The day of the payment itself: its plan and its tax rate are those of that day.
    BusinessDate payment_date;
    ContentHash content_hash{};
};

/// Whether a stored or received number is a kind.
bool IsChangeKind(std::int64_t number);

/// +1 where the merchant's gross grows by the amount, -1 where it falls, 0 where no money of the
/// merchant moves.
int GrossSign(ChangeKind kind);
/// Whether the change is charged or gives a charge back: what was captured or returned. Cashback
/// and coupons are not, whoever bears them.
bool HasFee(ChangeKind kind);

/// Whether the numbers of a change fit each other, so that what follows needs no more checks.
/// Refuses with INVALID_ARGUMENT FIELD_INVALID, AMOUNT_OVERFLOW or REFUND_EXCEEDS_PAYMENT.
Status Validate(const PaymentChange& change);

}  // namespace kessai::payout::domain
