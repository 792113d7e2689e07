#pragma once

#include <span>

#include "kessai/digest/row_hash.h"
#include "kessai/outbox/relay.h"

namespace kessai::payment::transport {

/// Adds the changes of payments among what the relay just deleted to their day's digest: the side
/// of payment in reconciliation. Runs in the deleting transaction, so each change counts once.
Status AddPublishedToDigests(mysql::Session& session, std::span<const outbox::Published> published,
                             const digest::RowHasher& hasher);

}  // namespace kessai::payment::transport
