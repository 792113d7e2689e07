#pragma once

#include <functional>
#include <memory>
#include <span>

#include "app/accrual_transaction.h"
#include "app/accrue_payments.h"
#include "kessai/inbox/handler.h"
#include "kessai/metrics/registry.h"
#include "kessai/time/clock.h"

namespace kessai::payout::transport {

/// What the consumer did, as metrics.
struct AccrualMetrics {
    explicit AccrualMetrics(metrics::Registry& registry);

    metrics::Counter& accruals;
    metrics::Counter& skipped;
    metrics::Counters refused;
};

/// Applies the events of payment.events.v1: decodes, accrues, names what can't be accrued.
/// Thread safe.
class PaymentEventHandler final : public inbox::Handler {
 public:
    struct Ports {
        /// The transaction of a partition's batch on the consumer's session.
        std::function<std::unique_ptr<app::AccrualTransaction>(mysql::Session&, int partition)>
            join;
        std::function<Status(mysql::Session&, std::span<const outbox::Entry>)> store_dead_letters;
        /// Result events were committed.
        std::function<void()> on_events;
        /// A partition had a mark.
        std::function<void()> on_mark;
    };
    /// References must outlive it. `partition_count` is that of payment.events.v1.
    PaymentEventHandler(Ports ports, app::AccruePayments& accrue_payments, int partition_count,
                        AccrualMetrics metrics, const Clock& clock);

    /// An accrual is unique by (payment, version).
    bool RefusesRepeats() const override { return true; }
    Status FindEffects(mysql::Session& session, std::span<const inbox::EffectKey> keys,
                       inbox::Effects& effects) override;
    Status Apply(mysql::Session& session, const inbox::Batch& batch,
                 inbox::Rejections& rejections) override;
    /// INVALID_ARGUMENT FIELD_INVALID: not payment's, or of another number of partitions.
    Status ApplyMark(mysql::Session& session, const inbox::Mark& mark) override;
    Status PublishDeadLetters(mysql::Session& session,
                              std::span<const outbox::Entry> entries) override;
    void OnCommitted(const inbox::Batch& batch) override;

 private:
    void Reject(const inbox::Batch& batch, std::size_t index, const Status& why,
                inbox::Rejections& rejections) const;

    const Ports ports_;
    app::AccruePayments& accrue_payments_;
    const int partition_count_;
    const AccrualMetrics metrics_;
    const Clock& clock_;
};

}  // namespace kessai::payout::transport
