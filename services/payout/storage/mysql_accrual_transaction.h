#pragma once

#include <span>

#include "app/accrual_transaction.h"
#include "app/event_encoder.h"
#include "kessai/digest/row_hash.h"
#include "kessai/mysql/session.h"
#include "kessai/outbox/batch_writer.h"

namespace kessai::payout::storage {

/// The transaction of one partition's batch on a session. See app/accrual_transaction.h.
class MysqlAccrualTransaction final : public app::AccrualTransaction {
 public:
    /// Slots are 0 to kSlots-1: as many gate rows there are.
    static constexpr int kSlots = 64;

    /// What it is given must outlive it. Precondition: 0 ≤ slot < kSlots.
    MysqlAccrualTransaction(mysql::Session& session, int slot, const digest::RowHasher& hasher,
                            const app::EventEncoder& events);

    Result<std::vector<app::StoredEffect>> FindEffects(
        std::span<const domain::EffectKey> keys) override;
    Result<app::SlotGate> LockGate() override;
    Result<domain::PlanUpdates> PlansAfter(std::int64_t revision) override;
    Result<bool> IsStillOpen(BusinessDate day, domain::MerchantId merchant) override;
    Status Store(const app::AccrualBatch& batch) override;
    Status NoteDayClosed(BusinessDate day) override;

 private:
    Status StoreResults(const app::AccrualBatch& batch, mysql::StatementBatch& statements);

    mysql::Session& session_;
    const int slot_;
    const digest::RowHasher& hasher_;
    const app::EventEncoder& events_;
    std::int64_t outbox_rows_ = 0;
};

/// Puts dead letters into the outbox, in the caller's transaction.
Status StoreDeadLetters(mysql::Session& session, std::span<const outbox::Entry> entries);

}  // namespace kessai::payout::storage
