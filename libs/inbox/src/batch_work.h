#pragma once

#include <cstddef>
#include <map>
#include <optional>
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

/// How repeats are told from new events, beside those within the batch.
enum class EffectCheck {
    /// The handler is asked for the stored effects.
    kLookUp,
    /// Nobody is asked: the handler refuses the batch if one is stored.
    kAssumeNew,
    /// For tests only: not at all, not even within the batch.
    kIgnore,
};

/// The work of one transaction on one partition, for a consumer's batch and for a replay: sorts the
/// messages out and hands them to the handler. The caller opens the transaction, locks the offset
/// row first, and commits.
class BatchWork {
 public:
    BatchWork(Handler& handler, const PartitionKey& key, DeadLetterTopic dead_letters,
              EffectCheck effect_check, Instant now)
        : handler_(handler),
          key_(key),
          dead_letters_(dead_letters),
          effect_check_(effect_check),
          now_(now) {}

    /// Decides about every item: blocked objects' events are parked, what is unreadable or in
    /// `rejected` (by offset) fails, repeats are dropped, the rest is applied. `blocked` are the
    /// objects that are blocked before the first item.
    Result<Plan> MakePlan(mysql::Session& session, std::span<const Item* const> items,
                          const std::map<std::int64_t, Status>& rejected,
                          std::set<std::int64_t> blocked);

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
        const std::set<std::int64_t>& blocked);

    Handler& handler_;
    const PartitionKey key_;
    const DeadLetterTopic dead_letters_;
    const EffectCheck effect_check_;
    const Instant now_;
    /// Of this transaction's look-up, if there was one.
    std::optional<Effects> effects_;
    std::vector<Delivery> applied_;
};

}  // namespace kessai::inbox
