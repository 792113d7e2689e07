#pragma once

#include <compare>
#include <cstdint>

#include "kessai/ids/strong_id.h"

namespace kessai::payout::domain {

using PaymentId = StrongId<struct PaymentIdTag>;
using MerchantId = StrongId<struct MerchantIdTag>;
using PlanId = StrongId<struct PlanIdTag>;
using EventId = StrongId<struct EventIdTag>;

/// What every effect is keyed by: one change of one payment.
struct EffectKey {
    PaymentId payment;
    std::uint32_t version = 0;

    constexpr auto operator<=>(const EffectKey&) const = default;
};

}  // namespace kessai::payout::domain
