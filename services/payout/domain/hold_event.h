#pragma once

#include <cstdint>
#include <optional>

#include "domain/release.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai::payout::domain {

/// A step of a merchant's being held back for a day, as others are told: held (again with another
/// reason or other sums), or released. A row of its own, of which the event is a function.
struct HoldStep {
    BusinessDate day;
    /// Of the merchant and day.
    std::int64_t number = 0;
    /// From 1.
    std::uint32_t version = 0;
    /// Of a release the merchant only.
    HeldBack held;
    /// The round that released it; nothing: it is held.
    std::optional<int> released_round;
    Instant at;

    /// Whether it tells the same as this one did, so that nobody has to be told.
    bool SaysTheSame(const HoldStep& other) const {
        return released_round == other.released_round && held.reason == other.held.reason &&
               held.totals == other.held.totals && held.recounted == other.held.recounted &&
               held.note == other.held.note;
    }
};

/// The object of a hold's events: in a space of its own, as that of transfers (transfer_event.h).
inline constexpr std::int64_t kHoldObjects = std::int64_t{1} << 41;

inline std::int64_t EventObjectOfHold(std::int64_t number) {
    return number + kHoldObjects;
}

/// And back; nothing of an object of another space.
inline std::optional<std::int64_t> HoldOfEvent(std::int64_t object) {
    if (object <= kHoldObjects || object >= 2 * kHoldObjects) return std::nullopt;
    return object - kHoldObjects;
}

/// A function of the hold and the version, which rises for a hold.
inline std::int64_t EventIdOfHold(std::int64_t number, std::uint32_t version) {
    return EventObjectOfHold(number) << 16 | version;
}

}  // namespace kessai::payout::domain
