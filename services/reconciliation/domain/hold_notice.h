#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "domain/claim.h"
#include "domain/ids.h"
#include "kessai/money/money.h"
#include "kessai/time/business_date.h"

namespace kessai::reconciliation::domain {

/// What payout's events of a hold are about: the object is of a merchant and day.
struct HoldKey {
    std::int64_t object = 0;
    std::uint32_t version = 0;

    constexpr auto operator<=>(const HoldKey&) const = default;
};

/// The objects of holds are in a space of their own (kessai.payout.v1.MerchantHeldBack).
constexpr bool IsHold(std::int64_t object) {
    return object >= std::int64_t{1} << 41 && object < std::int64_t{1} << 42;
}

/// Payout says that it holds back a merchant's day, or no longer does.
struct HoldNotice {
    HoldKey key{};
    ContentHash content{};
    BusinessDate business_date{};
    /// None: an event that nobody can attribute holds the day open.
    MerchantId merchant{};
    bool released = false;
    /// Of one that is held: why, and the sums of both sides, for people.
    std::string evidence{};
    /// What the accrual rows sum to.
    std::int64_t recounted_gross = 0;
    Currency currency{};
    /// Of a release: which round.
    std::uint32_t round = 0;
};

/// A notice that was noted before.
struct NotedHold {
    HoldKey key{};
    ContentHash content{};
};

}  // namespace kessai::reconciliation::domain
