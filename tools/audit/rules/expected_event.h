#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kessai/event/envelope.h"
#include "model/payment_rows.h"

namespace kessai::audit {

/// The event that a change is published as, made anew from its columns as
/// proto/kessai/payment/v1/payment_event.proto says.
struct ExpectedEvent {
    std::string_view type;
    std::string payload;
    event::ContentHash content_hash{};
};

/// Nothing for a change that no event can tell of: an unknown kind, or a business date that is
/// none.
std::optional<ExpectedEvent> ExpectedEventOf(const Change& change);

/// In what two events differ, field by field: "amount: expected 100, found 120; …". For those that
/// are named in findings; not quick.
std::string DescribeDifference(const event::Fields& expected, const event::Fields& found);

}  // namespace kessai::audit
