#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "inbox_tables.h"
#include "item.h"
#include "kessai/inbox/handler.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"

namespace kessai::inbox {

/// Where dead letters go.
struct DeadLetterTopic {
    int topic = 1;
    int partitions = 1;
};

/// What is to become of each message of a batch.
struct Plan {
    std::vector<const Item*> apply;
    std::vector<const Item*> marks;
    std::vector<Failed> failed;
    std::vector<const Item*> parked;
    int repeated = 0;
};

/// A refusal, and whether the handler gave it (else it is of our own statements).
struct WorkFailure {
    Status status;
    bool by_handler = false;
};

/// The work of one transaction on one partition, for a consumer's batch and for a replay: sorts the
/// messages out and hands them to the handler. The caller opens the transaction, locks the offset
/// row first, and commits.
class BatchWork {
 public:
    BatchWork(Handler& handler, const PartitionKey& key, DeadLetterTopic dead_letters,
              bool ignore_effect_keys, Instant now)
        : handler_(handler),
          key_(key),
          dead_letters_(dead_letters),
          ignore_effect_keys_(ignore_effect_keys),
          now_(now) {}

    /// Decides about every item: blocked objects' events are parked, what is unreadable or in
    /// `rejected` (by offset) fails, repeats are dropped, the rest is applied. `blocked` are the
    /// objects that are blocked before the first item.
    Result<Plan> MakePlan(mysql::Session& session, std::span<const Item* const> items,
                          const std::map<std::int64_t, Status>& rejected,
                          std::set<std::int64_t> blocked) const;

    /// Applies the plan's events, then its marks. Rejections are added to `rejected`, by offset: if
    /// there are any, the transaction must be rolled back and run again with them.
    Status Apply(mysql::Session& session, const Plan& plan,
                 std::map<std::int64_t, Status>& rejected);

    /// Stores and publishes dead letters.
    Status StoreFailed(mysql::Session& session, std::span<const Failed> failed);
    /// Publishes only.
    Status PublishFailed(mysql::Session& session, std::span<const Failed> failed);

    /// What the handler was given last, for OnCommitted.
    const std::vector<Delivery>& applied() const { return applied_; }

 private:
    Result<std::map<EffectKey, event::ContentHash>> FindEffects(
        mysql::Session& session, std::span<const Item* const> items,
        const std::set<std::int64_t>& blocked) const;

    Handler& handler_;
    const PartitionKey key_;
    const DeadLetterTopic dead_letters_;
    const bool ignore_effect_keys_;
    const Instant now_;
    std::vector<Delivery> applied_;
};

}  // namespace kessai::inbox
