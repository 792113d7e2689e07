#pragma once

#include <functional>

#include "app/event_encoder.h"
#include "app/restore_accrual.h"
#include "kessai/digest/row_hash.h"
#include "kessai/mysql/pool.h"
#include "kessai/time/clock.h"

namespace kessai::payout::storage {

/// See app/restore_accrual.h.
class MysqlRestoringStore final : public app::RestoringStore {
 public:
    /// All must outlive it. `on_events` is told of outbox shards that have something to publish.
    MysqlRestoringStore(mysql::Pool& pool, int partitions, const digest::RowHasher& hasher,
                        const app::EventEncoder& events, const Clock& clock,
                        std::function<void(unsigned)> on_events)
        : pool_(pool),
          partitions_(partitions),
          hasher_(hasher),
          events_(events),
          clock_(clock),
          on_events_(std::move(on_events)) {}

    Status InPartitionOf(domain::PaymentId payment,
                         const std::function<Status(app::RestoringTransaction&)>& work) override;
    Status Republish(std::span<const domain::EffectKey> keys) override;
    /// FAILED_PRECONDITION DAY_OPEN.
    Result<std::vector<app::DatedRow>> FindRows(std::span<const domain::EffectKey> keys) override;
    Result<digest::RecomputedBucket> RecomputeDigest(BusinessDate day, int bucket,
                                                     std::string_view key) override;

 private:
    mysql::Pool& pool_;
    const int partitions_;
    const digest::RowHasher& hasher_;
    const app::EventEncoder& events_;
    const Clock& clock_;
    const std::function<void(unsigned)> on_events_;
};

}  // namespace kessai::payout::storage
