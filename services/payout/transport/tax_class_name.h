#pragma once

#include <cstdint>
#include <string>

#include "domain/tax.h"

namespace kessai::payout::transport {

/// As messages write it; empty for what a damaged row says.
inline std::string TaxClassName(domain::TaxClass tax_class) {
    const domain::TaxTable& taxes = domain::TaxTable::Japan();
    const auto known = taxes.FromNumber(static_cast<std::int64_t>(tax_class));
    return known.ok() ? std::string(taxes.RateOf(*known).name) : std::string();
}

}  // namespace kessai::payout::transport
