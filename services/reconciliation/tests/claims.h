#pragma once

#include <cstdint>

#include "domain/claim.h"
#include "domain/match.h"
#include "kessai/time/business_date.h"

/// Claims that agree with each other, for tests to bend.
namespace kessai::reconciliation::domain::testing {

inline BusinessDate Day(int offset = 0) {
    return BusinessDate::FromNumber(20261122).value().PlusDays(offset);
}

inline ContentHash HashOf(std::uint64_t seed) {
    ContentHash hash{};
    for (auto& byte : hash) {
        byte = static_cast<std::uint8_t>(seed);
        seed = seed >> 7 ^ seed << 9 ^ 0x9e37;
    }
    return hash;
}

inline PaymentClaim PaymentSays(std::int64_t payment, std::uint32_t version = 1,
                                std::int64_t gross = 1'000, std::int64_t merchant = 7) {
    const auto seed = static_cast<std::uint64_t>(payment) * 16 + version;
    return {.key = {PaymentId(payment), version},
            .terms = {Day(), MerchantId(merchant), Yen(gross)},
            .event = EventId(payment * 10 + version),
            .content = HashOf(seed),
            .kind = 0};
}

inline PayoutClaim PayoutSays(const PaymentClaim& answered) {
    return {.key = answered.key,
            .terms = answered.terms,
            .event = EventId(answered.event.value() + 5),
            .content = HashOf(static_cast<std::uint64_t>(answered.event.value()) + 77),
            .answered_event = answered.event,
            .answered_content = answered.content,
            .told_fee = {}};
}

}  // namespace kessai::reconciliation::domain::testing
