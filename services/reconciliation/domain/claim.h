#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "domain/ids.h"
#include "domain/tax_class.h"
#include "kessai/money/money.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::reconciliation::domain {

/// One change of a payment: what both sides speak of. Ordered as rows are listed.
struct ChangeKey {
    PaymentId payment{};
    std::uint32_t version = 0;

    constexpr auto operator<=>(const ChangeKey&) const = default;
};

/// The first 16 bytes of SHA-256 over an event (libs/event).
using ContentHash = std::array<std::uint8_t, 16>;

/// What both sides must say alike about a change.
struct Terms {
    BusinessDate business_date{};
    MerchantId merchant{};
    /// Signed: what the merchant gained.
    Money gross{};

    bool operator==(const Terms&) const = default;
};

/// As kessai.payment.v1.PaymentChanged.Kind; 0: not told, or not noted by an older version.
using PaymentKindNumber = std::uint8_t;

/// What an event of payment claims: this change happened.
struct PaymentClaim {
    ChangeKey key{};
    Terms terms{};
    EventId event{};
    ContentHash content{};
    PaymentKindNumber kind = 0;
};

/// What an event of payout claims: I accrued that change.
struct PayoutClaim {
    ChangeKey key{};
    Terms terms{};
    EventId event{};
    ContentHash content{};
    /// The payment event that it answers.
    EventId answered_event{};
    ContentHash answered_content{};
    ToldFee told_fee{};
};

/// No change moves more, in minor units: a claim beyond it is an error, and sums of claims are far
/// from 64 bits.
inline constexpr std::int64_t kGrossMax = 10'000'000'000'000;

/// INVALID_ARGUMENT CLAIM_INVALID for a claim that no service can mean: without an object, version,
/// merchant or event, or with a gross or fee beyond kGrossMax.
Status Validate(const PaymentClaim& claim);
Status Validate(const PayoutClaim& claim);

}  // namespace kessai::reconciliation::domain
