#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "domain/accrual.h"
#include "domain/day_part.h"
#include "domain/day_total.h"
#include "domain/plan_book.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::payout::app {

/// What a partition's gate row says.
struct SlotGate {
    /// The last day whose mark the partition has had.
    std::optional<BusinessDate> closed_through;
    /// The highest revision of a fee plan.
    std::int64_t plan_revision = 0;
};

struct StoredEffect {
    domain::EffectKey key;
    domain::ContentHash content_hash{};
};

/// What one batch stores.
struct AccrualBatch {
    std::span<const domain::Accrual> accruals;
    /// Of each accrual's event, W3C; empty where there is none.
    std::span<const std::string_view> traceparents;
    std::span<const domain::DayTotal> totals;
    std::span<const domain::DayPart> parts;
    /// Days that this process has not stored anything of yet.
    std::span<const BusinessDate> new_days;
    Instant recorded_at;
};

/// A transaction in which events of one partition are applied. It is begun and committed by whoever
/// runs the use case; nothing here outlives it. One thread at a time.
class AccrualTransaction {
 public:
    virtual ~AccrualTransaction() = default;

    /// Those of `keys` that are stored.
    virtual Result<std::vector<StoredEffect>> FindEffects(
        std::span<const domain::EffectKey> keys) = 0;
    /// Locks the partition's gate row until the end.
    virtual Result<SlotGate> LockGate() = 0;
    /// Plans, and what goes with them, above a revision.
    virtual Result<domain::PlanUpdates> PlansAfter(std::int64_t revision) = 0;
    /// Locks the day, and says whether the merchant can still get accruals of it: while the day is
    /// not closed, or as long as the merchant was left open at its close and is not released.
    virtual Result<bool> IsStillOpen(BusinessDate day, domain::MerchantId merchant) = 0;
    /// Accruals, totals, digests and result events. Precondition: LockGate was called.
    /// INVALID_ARGUMENT and RESOURCE_EXHAUSTED as of the outbox.
    virtual Status Store(const AccrualBatch& batch) = 0;
    /// The partition has had the mark of `day`.
    virtual Status NoteDayClosed(BusinessDate day) = 0;
};

}  // namespace kessai::payout::app
