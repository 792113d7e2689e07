#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/ids.h"
#include "domain/merchant_journal.h"
#include "kessai/result/result.h"

namespace kessai::payout::domain {

/// The numbers are stored, and are those of `kessai.payout.v1.Adjustment.State`.
enum class AdjustmentState : std::uint8_t {
    kRequested = 1,
    kApproved = 2,
    kDeclined = 3,
};

/// Money that an operator gives to a merchant, or takes back. It may make available negative.
struct Adjustment {
    AdjustmentId id;
    MerchantId merchant;
    std::string request_key;
    /// Negative: taken from the merchant.
    std::int64_t amount = 0;
    std::string reason;
    AdjustmentState state = AdjustmentState::kRequested;
    std::string requested_by;
    std::optional<std::string> decided_by;

    /// Whether a request asks for the same.
    bool SameAs(const Adjustment& other) const {
        return merchant == other.merchant && amount == other.amount && reason == other.reason;
    }
};

/// INVALID_ARGUMENT ADJUSTMENT_INVALID.
Status CheckAdjustment(const Adjustment& adjustment);

/// Approves or declines it. Gives the journal to post; nothing when it is declined, or was decided
/// so by the same operator before. PERMISSION_DENIED SAME_OPERATOR, FAILED_PRECONDITION
/// ADJUSTMENT_DECIDED.
Result<std::optional<MerchantJournal>> Decide(Adjustment& adjustment, bool approve,
                                              std::string_view decided_by);

}  // namespace kessai::payout::domain
