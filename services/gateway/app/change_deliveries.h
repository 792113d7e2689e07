#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "domain/webhook.h"
#include "kessai/event/envelope.h"
#include "kessai/result/result.h"

namespace kessai::mysql {
class Session;
}

namespace kessai::gateway::app {

/// A delivery that a change of a payment gives rise to.
struct ChangeDelivery {
    domain::WebhookDelivery delivery;
    event::ContentHash content_hash{};
};

/// A change that has deliveries.
struct ToldChange {
    std::int64_t object_id = 0;
    std::uint32_t version = 0;
    event::ContentHash content_hash{};
};

/// The deliveries of changes, written in the transaction that the caller has open on the session.
class ChangeDeliveries {
 public:
    virtual ~ChangeDeliveries() = default;
    /// What of these objects' changes has deliveries already.
    virtual Result<std::vector<ToldChange>> Find(mysql::Session& session,
                                                 std::span<const std::int64_t> object_ids) = 0;
    virtual Status Add(mysql::Session& session, std::span<const ChangeDelivery> deliveries) = 0;
};

}  // namespace kessai::gateway::app
