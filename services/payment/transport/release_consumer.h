#pragma once

#include "app/execute_batch.h"
#include "app/release_ledger.h"
#include "kessai/inbox/handler.h"

namespace kessai::payment::transport {

/// Hears of payout's releases on payout.events.v1 and clears them in the customer ledger: what was
/// released is no longer payable here. All other events of the topic are not for this service.
class ReleaseConsumer final : public inbox::Handler {
 public:
    ReleaseConsumer(app::ReleaseLedger& ledger, const app::BatchServices& services)
        : ledger_(ledger), services_(services) {}

    Status FindEffects(mysql::Session& session, std::span<const inbox::EffectKey> keys,
                       inbox::Effects& effects) override;
    Status Apply(mysql::Session& session, const inbox::Batch& batch,
                 inbox::Rejections& rejections) override;
    Status ApplyMark(mysql::Session&, const inbox::Mark&) override { return OkStatus(); }
    Status PublishDeadLetters(mysql::Session& session,
                              std::span<const outbox::Entry> entries) override;

 private:
    app::ReleaseLedger& ledger_;
    const app::BatchServices services_;
};

}  // namespace kessai::payment::transport
