#pragma once

#include <atomic>
#include <functional>

#include "app/change_deliveries.h"
#include "app/id_source.h"
#include "app/webhook_directory.h"
#include "kessai/inbox/handler.h"
#include "kessai/metrics/registry.h"
#include "kessai/time/clock.h"

namespace kessai::gateway::transport {

/// Turns changes of payments into webhook deliveries, in the transaction that notes the events as
/// read.
///
/// Its effects are the delivery rows themselves, keyed by (object, version, endpoint): most changes
/// have none, because nobody subscribed, and so leave no trace here. FindEffects therefore finds
/// nothing, and Apply looks at the rows of those changes that do concern somebody.
class PaymentEventConsumer final : public inbox::Handler {
 public:
    struct Options {
        bool order_amount_as_text = true;
    };

    PaymentEventConsumer(Options options, const app::WebhookDirectory& directory,
                         app::ChangeDeliveries& deliveries, app::IdSource& ids, const Clock& clock,
                         std::function<void()> on_new_deliveries);

    Status FindEffects(mysql::Session& session, std::span<const inbox::EffectKey> keys,
                       inbox::Effects& effects) override;
    Status Apply(mysql::Session& session, const inbox::Batch& batch,
                 inbox::Rejections& rejections) override;
    Status ApplyMark(mysql::Session& session, const inbox::Mark& mark) override;
    Status PublishDeadLetters(mysql::Session& session,
                              std::span<const outbox::Entry> entries) override;
    void OnCommitted(const inbox::Batch& batch) override;

 private:
    const Options options_;
    const app::WebhookDirectory& directory_;
    app::ChangeDeliveries& deliveries_;
    app::IdSource& ids_;
    const Clock& clock_;
    const std::function<void()> on_new_deliveries_;
    std::atomic<bool> added_ = false;
};

}  // namespace kessai::gateway::transport
