#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "domain/accrual.h"
#include "domain/release.h"

namespace kessai::payout::domain {

/// The accounts of the merchant ledger. A merchant's are liabilities: what we owe is positive. The
/// postings of a journal sum to zero.
enum class Account : std::uint8_t {
    /// What payment holds for us: falls (more negative) with every sale.
    kClearing,
    /// Owed to the merchant, of days not released yet, before tax.
    kPending,
    /// Owed, and free to be paid out.
    kAvailable,
    /// On its way to the merchant's bank.
    kInTransit,
    /// Earned by us, tax-exclusive.
    kFeeRevenue,
    /// Owed to the tax office.
    kConsumptionTax,
    /// Paid to the merchant's bank.
    kBankSettlement,
};

struct Posting {
    Account account;
    std::int64_t amount;

    bool operator==(const Posting&) const = default;
};

/// An accrual row is its own journal: these are its postings.
///
///     clearing −gross, pending gross − fee, fee revenue fee
std::array<Posting, 3> PostingsOf(const Accrual& accrual);

/// A release row is its own journal: from pending to available, the day's tax split off.
///
///     pending −(gross − fee), available net, consumption tax tax
std::array<Posting, 3> PostingsOf(const ReleaseLine& line);

}  // namespace kessai::payout::domain
