#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "domain/accrual.h"
#include "domain/merchant_journal.h"
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
    /// What operators gave to merchants or took back: falls with what is given.
    kAdjustments,
};
inline constexpr int kAccounts = 8;

/// "CLEARING" and so on, as reports show it.
std::string_view AccountName(Account account);

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

/// A row of the merchants' journal:
///
///     transfer created   available −(amount + fee + tax), in transit amount, fee revenue fee,
///                        consumption tax tax
///     transfer settled   in transit −amount, bank settlement amount
///     transfer failed    in transit −amount, available amount
///     transfer returned  bank settlement −amount, available amount
///     transfer cancelled what created it, the other way round
///     adjustment         adjustments −amount, available amount
///
/// Those that a journal has not are zero. Precondition: CheckJournal.
std::array<Posting, 4> PostingsOf(const MerchantJournal& journal);

}  // namespace kessai::payout::domain
