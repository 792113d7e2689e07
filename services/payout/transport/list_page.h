#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "kessai/result/result.h"

namespace kessai::payout::transport {

/// A page of a list by number: how many at most, and behind which number it begins (0: at the
/// beginning).
struct ListPage {
    int size = 0;
    std::int64_t at = 0;

    /// The token of the page behind one with `found` entries that ends with `last`; empty when that
    /// one is not full.
    std::string Next(std::size_t found, std::int64_t last) const {
        return found < static_cast<std::size_t>(size) ? std::string() : std::to_string(last);
    }
};

/// At most 100, which is what 0 gives. INVALID_ARGUMENT FIELD_INVALID: the token is of no page.
Result<ListPage> ListPageOf(std::uint32_t size, const std::string& token);

}  // namespace kessai::payout::transport
