#pragma once

#include <compare>
#include <cstdint>

#include "kessai/ids/strong_id.h"

namespace kessai::payout::domain {

using PaymentId = StrongId<struct PaymentIdTag>;
using MerchantId = StrongId<struct MerchantIdTag>;
using PlanId = StrongId<struct PlanIdTag>;
using EventId = StrongId<struct EventIdTag>;
using PayoutId = StrongId<struct PayoutIdTag>;
using TransferId = StrongId<struct TransferIdTag>;
using BatchId = StrongId<struct BatchIdTag>;
using PayoutHoldId = StrongId<struct PayoutHoldIdTag>;
using AdjustmentId = StrongId<struct AdjustmentIdTag>;
using JournalId = StrongId<struct JournalIdTag>;

/// What every effect is keyed by: one change of one payment.
struct EffectKey {
    PaymentId payment;
    std::uint32_t version = 0;

    constexpr auto operator<=>(const EffectKey&) const = default;
};

}  // namespace kessai::payout::domain
