#pragma once

#include <any>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/event/envelope.h"
#include "kessai/event/mark.h"
#include "kessai/outbox/batch_writer.h"
#include "kessai/result/result.h"

namespace kessai::mysql {
class Session;
}

namespace kessai::inbox {

/// What an event's effects are keyed by: it is applied once, whatever the topic holds.
struct EffectKey {
    std::int64_t object_id = 0;
    std::uint32_t version = 0;
    auto operator<=>(const EffectKey&) const = default;
};

/// An effect that is stored: the event of this key was applied, with this content.
struct Effect {
    EffectKey key;
    event::ContentHash content_hash{};
};

/// What a look-up found, for the rest of its transaction.
struct Effects {
    std::vector<Effect> found;
    /// Whatever else the handler read or locked on the way, for its Apply.
    std::any kept;
};

/// An event to apply.
struct Delivery {
    event::Envelope event;
    /// W3C trace context of the change, or empty.
    std::string traceparent;
    std::int64_t offset = 0;
};

/// Events of one partition in the order of the topic, without repeats, applied in one transaction.
struct Batch {
    std::string_view topic;
    int partition = 0;
    std::span<const Delivery> deliveries;

    /// What FindEffects gave in this transaction. Null when it was not asked: because
    /// `assumed_new`, or because a test said so.
    const Effects* effects = nullptr;
    /// The events are taken for new on the handler's word (Handler::RefusesRepeats).
    bool assumed_new = false;
};

/// A mark as it stands in one partition, behind all events of its day in that partition.
struct Mark {
    event::BusinessDayClosed day;
    std::string_view topic;
    int partition = 0;
    std::int64_t offset = 0;
};

/// Where a handler names the events of a batch that can never be applied as they are.
class Rejections {
 public:
    /// `index` in Batch::deliveries; `why` has the reason that operators see. The first word on an
    /// event counts. Precondition: `why` is not ok.
    void Reject(std::size_t index, Status why);

    bool empty() const { return by_index_.empty(); }
    const std::map<std::size_t, Status>& by_index() const { return by_index_; }

 private:
    std::map<std::size_t, Status> by_index_;
};

/// An event whose effect is stored already, with another content.
struct ConflictingEvent {
    Delivery delivery;
    /// EFFECT_CONFLICT, with both contents.
    Status why;
};

/// What a service does with the events of one topic.
///
/// All calls but OnCommitted and OnDropped run inside a transaction that the consumer opened on
/// `session` and commits or rolls back; they are never made twice at a time for one partition, but
/// for several partitions at a time (from the consumer's workers, and from a replay). What a call
/// returns decides by `ActionFor` (policy.h) what becomes of the batch: ABORTED, UNAVAILABLE and
/// the like: all of it is rolled back and runs again; a permanent refusal: the batch is halved
/// until the event that causes it is alone, which becomes a dead letter. State in memory must only
/// be changed in OnCommitted, because any transaction may be rolled back after Apply.
class Handler {
 public:
    virtual ~Handler() = default;

    /// Whether Apply needs no look-up to know a repeat: the effects are rows with a unique key, and
    /// it refuses when one of them is there already. Then batches are applied without FindEffects.
    /// Whatever Apply refuses or rejects in such a run decides nothing: the transaction is rolled
    /// back, and the batch runs again with FindEffects, as do some batches behind it. Say so where
    /// nearly all events are new.
    virtual bool RefusesRepeats() const { return false; }

    /// Puts into `effects.found` the stored effects among `keys` (rising, unique, at most
    /// ConsumerOptions::batch_events_max).
    virtual Status FindEffects(mysql::Session& session, std::span<const EffectKey> keys,
                               Effects& effects) = 0;

    /// Applies the events and stores an Effect for each, so that FindEffects finds it from then on.
    /// Events that cannot be applied are named in `rejections`; then the whole transaction is
    /// rolled back and runs again without them (they become dead letters, later events of their
    /// objects are parked), so nothing of this call needs to be undone. Events of types that the
    /// service does not use are skipped; they need no effect.
    virtual Status Apply(mysql::Session& session, const Batch& batch, Rejections& rejections) = 0;

    /// Events that became dead letters because they contradict what was applied before; in the
    /// transaction that stores the dead letters, once for each.
    virtual Status OnConflicts(mysql::Session& session,
                               std::span<const ConflictingEvent> conflicts) {
        (void)session;
        (void)conflicts;
        return OkStatus();
    }

    /// Notes a mark. May come again for the same day and partition.
    virtual Status ApplyMark(mysql::Session& session, const Mark& mark) = 0;

    /// Puts the entries into the service's outbox, in this transaction, after Apply:
    /// BatchWriter::Store with a fresh row id (and whatever else an outbox row needs there).
    virtual Status PublishDeadLetters(mysql::Session& session,
                                      std::span<const outbox::Entry> entries) = 0;

    /// The transaction committed (wake the relay, update caches).
    virtual void OnCommitted(const Batch& batch) { (void)batch; }
    /// The partition is somebody else's, or its stored offset moved under us: forget what is in
    /// memory for it.
    virtual void OnDropped(std::string_view topic, int partition) {
        (void)topic;
        (void)partition;
    }
};

}  // namespace kessai::inbox
