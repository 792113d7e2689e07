#include "domain/adjustment.h"

#include "domain/transfer_reason.h"

namespace kessai::payout::domain {
namespace {

constexpr std::size_t kReasonMax = 255;

Status Invalid(std::string message) {
    return Status(Code::kInvalidArgument, reason::kAdjustmentInvalid, std::move(message));
}

}  // namespace

Status CheckAdjustment(const Adjustment& adjustment) {
    if (adjustment.amount == 0) return Invalid("an adjustment of nothing");
    if (adjustment.amount > kJournalAmountMax || adjustment.amount < -kJournalAmountMax) {
        return Invalid("the amount has more than twelve digits");
    }
    if (adjustment.reason.empty() || adjustment.reason.size() > kReasonMax) {
        return Invalid("a reason has 1 to 255 bytes");
    }
    return OkStatus();
}

Result<std::optional<MerchantJournal>> Decide(Adjustment& adjustment, bool approve,
                                              std::string_view decided_by) {
    const AdjustmentState wished =
        approve ? AdjustmentState::kApproved : AdjustmentState::kDeclined;
    if (adjustment.state != AdjustmentState::kRequested) {
        if (adjustment.state == wished && adjustment.decided_by == decided_by) {
            return std::optional<MerchantJournal>();
        }
        return Status(Code::kFailedPrecondition, reason::kAdjustmentDecided,
                      "adjustment " + adjustment.id.ToString() + " was decided before");
    }
    if (approve && adjustment.requested_by == decided_by) {
        return Status(Code::kPermissionDenied, reason::kSameOperator,
                      "who requested the adjustment cannot approve it");
    }
    adjustment.state = wished;
    adjustment.decided_by = std::string(decided_by);
    if (!approve) return std::optional<MerchantJournal>();
    return std::optional<MerchantJournal>(MerchantJournal{.kind = JournalKind::kAdjustment,
                                                          .merchant = adjustment.merchant,
                                                          .object = adjustment.id.value(),
                                                          .amount = adjustment.amount});
}

}  // namespace kessai::payout::domain
