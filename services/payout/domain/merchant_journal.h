#pragma once

#include <cstdint>
#include <string_view>

#include "domain/ids.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::payout::domain {

/// What moves a merchant's money after its release. The numbers are stored, and are those of
/// `kessai.payout.v1.JournalEntry.Kind`.
enum class JournalKind : std::uint8_t {
    kTransferCreated = 1,
    kTransferSettled = 2,
    kTransferFailed = 3,
    /// The bank sent the money back after it had been settled.
    kTransferReturned = 4,
    kAdjustment = 5,
    // 6 and 7 are kinds of entries that are no rows of this journal.
    /// Taken back before the bank was told of it.
    kTransferCancelled = 8,
};

/// "TRANSFER_CREATED" and so on.
std::string_view JournalKindName(JournalKind kind);

/// One row of the merchants' journal: immutable, and its own journal (see ledger.h).
struct MerchantJournal {
    JournalKind kind = JournalKind::kTransferCreated;
    MerchantId merchant = {};
    /// The transfer, or the adjustment. One journal of a kind each.
    std::int64_t object = 0;
    /// Of a transfer: positive. Of an adjustment: negative when it is taken from the merchant.
    std::int64_t amount = 0;
    /// What the transfer costs the merchant, or would have: of the first attempt of a payout only.
    std::int64_t fee = 0;
    std::int64_t tax = 0;

    bool operator==(const MerchantJournal&) const = default;
};

/// What no journal's amount, with fee and tax, goes beyond: 12 digits, as the total of a transfer
/// file has.
inline constexpr std::int64_t kJournalAmountMax = 999'999'999'999;

/// Refuses with INTERNAL JOURNAL_INVALID what no journal can be.
Status CheckJournal(const MerchantJournal& journal);

/// A merchant's balances.
struct MerchantFunds {
    MerchantId merchant = {};
    /// The net of its releases.
    std::int64_t released = 0;
    /// What its journals made of available since; negative when it was paid.
    std::int64_t moved = 0;
    std::int64_t in_transit = 0;

    bool operator==(const MerchantFunds&) const = default;
};

/// Free to be paid out; negative: a debt, after refunds of what was paid already.
/// OUT_OF_RANGE AMOUNT_OVERFLOW.
Result<std::int64_t> AvailableOf(const MerchantFunds& funds);

/// The funds after a journal of the merchant. Refuses with INTERNAL IN_TRANSIT_NEGATIVE, as no
/// history can bring it, and with OUT_OF_RANGE AMOUNT_OVERFLOW; `funds` is then as it was.
Status Post(const MerchantJournal& journal, MerchantFunds& funds);

}  // namespace kessai::payout::domain
