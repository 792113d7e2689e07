#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <tuple>

#include "model/payment_rows.h"

namespace kessai::audit {

/// A posting that a change implies. Ordered as table `posting` is: by account, then event.
struct ImpliedPosting {
    /// `balance_after` of what no other row tells.
    static constexpr std::int64_t kUnknown = INT64_MIN;

    std::int64_t owner_id = 0;
    std::int64_t event_id = 0;
    ChangeKey key;
    std::int64_t amount = 0;
    std::int64_t balance_after = kUnknown;
    DayNumber business_date = 0;
    std::int16_t kind = 0;
    CurrencyCode currency;

    auto place() const { return std::tuple(owner_id, int{kind}, event_id); }
    bool operator<(const ImpliedPosting& other) const { return place() < other.place(); }
};

/// The two postings of a change; they sum to zero. Liabilities are positive:
///
///     COMPLETED         user money -amount       merchant payable +amount
///     CANCELED          user money +amount       merchant payable -amount
///     REFUNDED          user money +amount       merchant payable -amount
///     TOPPED_UP         user money +amount       development funding -amount
///     RELEASE_CLEARED   payable released -amount payout clearing +amount
///
/// Nothing for a kind that is not known.
std::optional<std::array<ImpliedPosting, 2>> ImpliedPostings(const Change& change);

}  // namespace kessai::audit
