#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/inbox/handler.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai::mysql {
class Pool;
class Session;
}  // namespace kessai::mysql

namespace kessai::inbox {

namespace reason {
/// The same (object, version) was applied with other content.
inline constexpr std::string_view kEffectConflict = "EFFECT_CONFLICT";
/// The Kafka key is not the object's id in decimal.
inline constexpr std::string_view kKeyMismatch = "EVENT_KEY_MISMATCH";
/// NOT_FOUND: no such dead letter, or nothing of the object is blocked.
inline constexpr std::string_view kDeadLetterUnknown = "DEAD_LETTER_UNKNOWN";
/// FAILED_PRECONDITION: it was replayed or discarded already.
inline constexpr std::string_view kDeadLetterSettled = "DEAD_LETTER_SETTLED";
/// INVALID_ARGUMENT: not "<topic>/<partition>/<offset>".
inline constexpr std::string_view kDeadLetterIdMalformed = "DEAD_LETTER_ID_MALFORMED";
/// INVALID_ARGUMENT: to discard, somebody must be named, with a note.
inline constexpr std::string_view kDeadLetterNoteMissing = "DEAD_LETTER_NOTE_MISSING";
}  // namespace reason

/// Where the event stands: a dead letter's name, "payment.events.v1/7/1234".
struct DeadLetterId {
    std::string topic;
    int partition = 0;
    std::int64_t offset = 0;

    static Result<DeadLetterId> Parse(std::string_view text);
    std::string ToString() const;
    bool operator==(const DeadLetterId&) const = default;
};

/// Numbers are stored: they never change.
enum class DeadLetterState : std::uint8_t {
    /// Waits for an operator. Later events of its object are parked behind it.
    kOpen = 1,
    /// It was applied after all.
    kReplayed = 2,
    /// An operator settled it otherwise; it will not be applied.
    kDiscarded = 3,
};

struct DeadLetter {
    DeadLetterId id;
    DeadLetterState state = DeadLetterState::kOpen;
    /// 0 when the key names no object: then nothing is parked behind it.
    std::int64_t object_id = 0;
    /// Of the envelope; empty, 0 or none when it could not be read.
    std::string type;
    std::uint32_t version = 0;
    std::int64_t event_id = 0;
    std::optional<BusinessDate> business_date;
    /// Why: the refusal of the last attempt.
    Code code = Code::kUnknown;
    std::string reason;
    std::string message;
    int attempts = 0;
    Instant failed_at;
    std::string traceparent;
    /// The message as it was.
    std::string key;
    std::string value;
    /// Events of the object that wait behind it.
    std::int64_t parked = 0;
    /// Who settled it, and the note they left.
    std::string settled_by;
    std::string note;
};

struct DeadLetterFilter {
    std::string group;
    std::string topic;
    /// None: all states.
    std::optional<DeadLetterState> state = DeadLetterState::kOpen;
    std::optional<std::int64_t> object_id;
    int limit = 100;
    /// Goes on behind this one, for the next page.
    std::optional<DeadLetterId> after;
    /// With the messages' values, which may be large.
    bool values = true;
};

/// By partition and offset.
Result<std::vector<DeadLetter>> ListDeadLetters(mysql::Session& session,
                                                const DeadLetterFilter& filter);

/// Refuses with NOT_FOUND DEAD_LETTER_UNKNOWN.
Result<DeadLetter> FindDeadLetter(mysql::Session& session, std::string_view group,
                                  const DeadLetterId& id);

/// An event that waits behind a dead letter, as far as it can be read.
struct ParkedEvent {
    std::int64_t offset = 0;
    std::string type;
    std::uint32_t version = 0;
    std::optional<BusinessDate> business_date;
    Instant parked_at;
};
/// The first `limit` that wait behind it, in order.
Result<std::vector<ParkedEvent>> ListParked(mysql::Session& session, std::string_view group,
                                            const DeadLetter& letter, int limit);

/// One transaction of an operator's replay or discard.
struct DeadLetterAction {
    /// What the dead letter was to become: kReplayed or kDiscarded.
    DeadLetterState kind = DeadLetterState::kReplayed;
    std::string operator_name;
    std::string note;
    int applied = 0;
    int repeated = 0;
    std::int64_t parked = 0;
    /// The reason with which an event was refused again; empty if none was.
    std::string refusal;
    Instant at;
};
/// Oldest first, the last `limit`.
Result<std::vector<DeadLetterAction>> ListActions(mysql::Session& session, std::string_view group,
                                                  const DeadLetterId& id, int limit);

/// An event that is not applied yet: an open dead letter, or one parked behind it.
struct BlockedEvent {
    DeadLetterId id;
    std::int64_t object_id = 0;
    /// None when it could not be read: it may be of any day.
    std::optional<BusinessDate> business_date;
    bool parked = false;
    std::string value;
};

/// The blocked events of `business_date` or earlier days, and those whose day cannot be read; at
/// most `limit`. For whoever closes a day: what these belong to stays open.
Result<std::vector<BlockedEvent>> ListBlocked(mysql::Session& session, std::string_view group,
                                              std::string_view topic, BusinessDate business_date,
                                              int limit);

/// Whom and what to replay with. Group, topic and the dead letters' topic are those of the group's
/// consumer.
struct ReplayContext {
    std::string group;
    std::string topic;
    int dead_letter_topic = 1;
    int dead_letter_partitions = 3;
    /// Events applied in one transaction.
    int batch_events_max = 100;
    /// Who does it, and why: kept with the dead letter. Discard needs both.
    std::string operator_name;
    std::string note;
};

struct ReplayOutcome {
    /// Events applied: the dead letter and those parked behind it.
    int applied = 0;
    /// Events dropped because they were applied before.
    int repeated = 0;
    /// The dead letter that stopped it: the same one again, or a parked event that was refused.
    std::optional<DeadLetter> stopped_by;
    /// Events of the object that are still parked.
    std::int64_t parked = 0;
};

/// Applies an open dead letter and then the events parked behind it, in order, each once, in
/// transactions that exclude the consumer's of that partition (both lock its consumer_offset row).
/// It stops at an event that is refused again: what was before it stays applied, what is behind it
/// stays parked. Safe to call again after a crash, from anywhere, while the consumer runs.
/// NOT_FOUND DEAD_LETTER_UNKNOWN, FAILED_PRECONDITION DEAD_LETTER_SETTLED, and the handler's
/// UNAVAILABLE and the like after some attempts.
Result<ReplayOutcome> Replay(mysql::Pool& pool, Handler& handler, const ReplayContext& context,
                             const DeadLetterId& id, const Clock& clock = SystemClock());
/// The same for whatever blocks an object.
Result<ReplayOutcome> ReplayObject(mysql::Pool& pool, Handler& handler,
                                   const ReplayContext& context, std::int64_t object_id,
                                   const Clock& clock = SystemClock());

/// Settles an open dead letter without applying it, and applies what is parked behind it. Refuses
/// as Replay, and with INVALID_ARGUMENT DEAD_LETTER_NOTE_MISSING.
Result<ReplayOutcome> Discard(mysql::Pool& pool, Handler& handler, const ReplayContext& context,
                              const DeadLetterId& id, const Clock& clock = SystemClock());

}  // namespace kessai::inbox
