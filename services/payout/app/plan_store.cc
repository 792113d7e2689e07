#include "app/plan_store.h"

#include <algorithm>

namespace kessai::payout::app {

Result<BusinessDate> FirstFreeDay(PlanTransaction& transaction, Instant now) {
    KESSAI_ASSIGN_OR_RETURN(const auto latest, transaction.LatestDay());
    const BusinessDate today = BusinessDate::OfJst(now);
    return std::max(today, latest.value_or(today)).Next();
}

Result<bool> MayHaveAccruals(PlanTransaction& transaction, domain::MerchantId merchant,
                             BusinessDate effective_from, BusinessDate first_free) {
    if (effective_from >= first_free) return true;
    return transaction.HasAccruals(merchant);
}

}  // namespace kessai::payout::app
