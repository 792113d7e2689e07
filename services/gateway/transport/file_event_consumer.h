#pragma once

#include <atomic>
#include <functional>

#include "app/change_deliveries.h"
#include "app/id_source.h"
#include "app/webhook_directory.h"
#include "domain/file_links.h"
#include "kessai/inbox/handler.h"
#include "kessai/time/clock.h"

namespace kessai::gateway::transport {

/// Turns FileCreated of reconciliation.events.v1 into webhook deliveries `file.created`, one an
/// endpoint of the file's merchant, in the transaction that notes the events as read. Its effects
/// are those deliveries, as PaymentEventConsumer's are. Files whose time of availability is over
/// are not told of: a consumer that begins anew must not send links that nobody can follow.
class FileEventConsumer final : public inbox::Handler {
 public:
    FileEventConsumer(const app::WebhookDirectory& directory, app::ChangeDeliveries& deliveries,
                      app::IdSource& ids, const domain::FileLinks& links, const Clock& clock,
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
    const app::WebhookDirectory& directory_;
    app::ChangeDeliveries& deliveries_;
    app::IdSource& ids_;
    const domain::FileLinks& links_;
    const Clock& clock_;
    const std::function<void()> on_new_deliveries_;
    std::atomic<bool> added_ = false;
};

}  // namespace kessai::gateway::transport
