#include "app/fix_month_volumes.h"

#include <map>
#include <vector>

namespace kessai::payout::app {
namespace {

// What is summed before the gates are taken, and written while they are held.
constexpr int kMerchantsAtOnce = 500;

}  // namespace

Result<std::int64_t> FixMonthVolumes::RunOnce() {
    KESSAI_ASSIGN_OR_RETURN(const auto month, store_.LastMonthClosed());
    if (!month) return std::int64_t{0};
    KESSAI_ASSIGN_OR_RETURN(std::int64_t revision, store_.Revision());
    {
        const std::lock_guard lock(mutex_);
        if (done_ == Done(*month, revision)) return std::int64_t{0};
    }
    std::int64_t fixed = 0;
    while (true) {
        // Read first: what is put meanwhile is looked at the next time.
        KESSAI_ASSIGN_OR_RETURN(revision, store_.Revision());
        KESSAI_ASSIGN_OR_RETURN(const auto merchants,
                                store_.TieredWithoutVolume(*month, kMerchantsAtOnce));
        if (merchants.empty()) break;
        KESSAI_ASSIGN_OR_RETURN(const std::int64_t some, FixSome(*month, merchants));
        fixed += some;
    }
    const std::lock_guard lock(mutex_);
    done_ = Done(*month, revision);
    return fixed;
}

Result<std::int64_t> FixMonthVolumes::FixSome(BusinessDate month,
                                              std::span<const domain::MerchantId> merchants) {
    // Its days are closed: no need to hold anybody up while they are summed.
    std::map<domain::MerchantId, std::int64_t> gross;
    for (const domain::MerchantId merchant : merchants) {
        KESSAI_ASSIGN_OR_RETURN(gross[merchant], store_.GrossOf(merchant, month));
    }
    std::int64_t fixed = 0;
    KESSAI_RETURN_IF_ERROR(store_.InPlanTransaction([&](PlanTransaction& transaction) -> Status {
        fixed = 0;
        const Instant now = clock_.Now();
        KESSAI_ASSIGN_OR_RETURN(const BusinessDate first_free, FirstFreeDay(transaction, now));
        // Another process may have been faster.
        KESSAI_ASSIGN_OR_RETURN(const auto lacking, transaction.WithoutVolume(month, merchants));
        std::vector<domain::MonthVolume> volumes;
        for (const domain::MerchantId merchant : lacking) {
            volumes.push_back({merchant, month, gross[merchant], first_free, 0});
        }
        if (volumes.empty()) return OkStatus();
        fixed = static_cast<std::int64_t>(volumes.size());
        return transaction.Insert(volumes, now);
    }));
    return fixed;
}

}  // namespace kessai::payout::app
