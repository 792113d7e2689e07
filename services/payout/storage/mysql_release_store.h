#pragma once

#include <functional>

#include "app/release_store.h"
#include "kessai/mysql/pool.h"
#include "storage/blocked_events.h"

namespace kessai::payout::storage {

class MysqlReleaseStore final : public app::ReleaseStore {
 public:
    /// `pool` must outlive it; it must have a session for each thread of the release and one more.
    /// `clock` is for the lease on the turn; `on_events` as for MysqlDayStore.
    MysqlReleaseStore(mysql::Pool& pool, InboxName inbox, const Clock& clock,
                      std::function<void(unsigned)> on_events);

    Result<std::unique_ptr<app::ReleaseTurn>> TakeTurn() override;
    Result<domain::DayState> StateOf(BusinessDate day) override;
    Result<std::int64_t> MerchantCount(BusinessDate day) override;
    Result<std::optional<app::ReleaseRound>> UnderWay() override;
    Result<std::vector<app::ReleaseChunk>> SealedChunks(BusinessDate day) override;
    Result<std::vector<app::ReleaseChunk>> HeldChunks(BusinessDate day) override;
    Result<app::ReleaseRound> Begin(BusinessDate day, bool deep,
                                    std::span<const app::ReleaseChunk> chunks, Instant at) override;
    Result<std::vector<app::ReleaseChunk>> PendingChunks(const app::ReleaseRound& round) override;
    Status InChunk(const app::ReleaseRound& round, const app::ReleaseChunk& chunk,
                   const std::function<Status(app::ChunkTransaction&)>& work) override;
    Status InspectChunk(BusinessDate day, const app::ReleaseChunk& chunk,
                        const std::function<Status(app::ChunkTransaction&)>& work) override;
    Status Finish(const app::ReleaseRound& round, const app::EventEncoder& events,
                  Instant at) override;
    Result<domain::ReleaseSums> Summary(BusinessDate day) override;
    Result<std::vector<app::BlockedEvent>> Blocked(BusinessDate day, int limit) override;
    Result<std::optional<domain::MerchantId>> MerchantOfPayment(domain::PaymentId payment) override;
    Result<domain::PlanUpdates> PlansAfter(std::int64_t revision) override;
    Status ScanAmounts(BusinessDate day, int first_bucket, int last_bucket,
                       const TakeAmounts& take) override;
    Status ScanAccruals(BusinessDate day, int first_bucket, int last_bucket,
                        const TakeAccrual& take) override;

 private:
    mysql::Pool& pool_;
    const InboxName inbox_;
    const Clock& clock_;
    const std::function<void(unsigned)> on_events_;
};

}  // namespace kessai::payout::storage
