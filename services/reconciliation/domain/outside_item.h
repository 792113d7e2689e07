#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "domain/ids.h"
#include "kessai/money/money.h"
#include "kessai/time/business_date.h"

namespace kessai::reconciliation::domain {

/// The two sides that are held against each other.
enum class OutsideSide : std::uint8_t {
    /// What our books say must have moved outside: transfers sent, credits that came back, top-ups,
    /// settlements of card networks.
    kExpected = 1,
    /// What a statement says did.
    kBooked = 2,
};

/// One movement, as one of the sides has it.
struct OutsideItem {
    /// Of its side, where it is unique.
    OutsideItemId id{};
    /// As statements name it; items of different accounts are never matched.
    std::string account = {};
    /// Above zero into the account. The same sign on both sides.
    Money amount = {};
    /// When it is expected, or was booked.
    BusinessDate date = {};
    /// What it may be called by, as written; compared by NormalReference.
    std::vector<std::string> references = {};

    bool operator==(const OutsideItem&) const = default;
};

/// A reference without what people and systems write differently: case, full width or half, spaces
/// and marks between its parts, leading zeros of one that is all digits. Empty for what refers to
/// nothing: zeros, marks, NOTPROVIDED (which ISO 20022 messages have where there is none).
std::string NormalReference(std::string_view written);

}  // namespace kessai::reconciliation::domain
