#include "inbox_tables.h"

#include "kessai/event/v1/dead_letter.pb.h"
#include "kessai/inbox/consumer.h"
#include "kessai/outbox/batch_writer.h"

namespace kessai::inbox {
namespace {

constexpr mysql::Query kReadOffset{"consumer_offset.read", R"sql(
    SELECT next_offset FROM consumer_offset
    WHERE consumer_group = ? AND topic = ? AND partition_no = ?)sql"};

constexpr mysql::Query kReadOffsets{"consumer_offset.read_all", R"sql(
    SELECT partition_no, next_offset FROM consumer_offset
    WHERE consumer_group = ? AND topic = ? ORDER BY partition_no)sql"};

constexpr mysql::Query kBeginOffset{"consumer_offset.begin", R"sql(
    INSERT INTO consumer_offset (consumer_group, topic, partition_no, next_offset)
    VALUES (?, ?, ?, ?)
    ON DUPLICATE KEY UPDATE next_offset = next_offset)sql"};

constexpr mysql::Query kAdvanceOffset{"consumer_offset.advance", R"sql(
    UPDATE consumer_offset SET next_offset = ?
    WHERE consumer_group = ? AND topic = ? AND partition_no = ? AND next_offset = ?)sql"};

constexpr mysql::Query kLockOffset{"consumer_offset.lock", R"sql(
    SELECT next_offset FROM consumer_offset
    WHERE consumer_group = ? AND topic = ? AND partition_no = ? FOR UPDATE)sql"};

constexpr mysql::Query kSomeBlocked{"dead_letter.some_blocked", R"sql(
    SELECT object_id FROM dead_letter FORCE INDEX (dead_letter_blocking)
    WHERE consumer_group = ? AND topic = ? AND partition_no = ? AND blocking = 1 LIMIT ?)sql"};

constexpr mysql::Query kBlockedOf{"dead_letter.blocked_of", R"sql(
    SELECT object_id FROM dead_letter FORCE INDEX (dead_letter_blocking)
    WHERE consumer_group = ? AND topic = ? AND partition_no = ? AND blocking = 1
      AND object_id IN ({keys}))sql"};

// A message is met again when somebody has put the stored offset back.
constexpr mysql::Query kInsertDeadLetters{"dead_letter.insert", R"sql(
    INSERT INTO dead_letter
        (consumer_group, topic, partition_no, message_offset, state, blocking, object_id,
         event_type, event_id, version, business_date, code, reason, message, attempts,
         failed_at_us, traceparent, message_key, message_value)
    VALUES {rows}
    ON DUPLICATE KEY UPDATE state = VALUES(state), blocking = VALUES(blocking),
                            code = VALUES(code), reason = VALUES(reason),
                            message = VALUES(message), attempts = attempts + 1,
                            failed_at_us = VALUES(failed_at_us))sql"};

constexpr mysql::Query kInsertParked{"parked_event.insert", R"sql(
    INSERT INTO parked_event
        (consumer_group, topic, partition_no, message_offset, object_id, business_date,
         traceparent, message_key, message_value, parked_at_us)
    VALUES {rows}
    ON DUPLICATE KEY UPDATE parked_at_us = VALUES(parked_at_us))sql"};

constexpr mysql::Query kReadHead{"dead_letter.read_head", R"sql(
    SELECT message_key, message_value, traceparent, object_id, state, blocking, attempts
    FROM dead_letter
    WHERE consumer_group = ? AND topic = ? AND partition_no = ? AND message_offset = ?
    FOR UPDATE)sql"};

constexpr mysql::Query kReadParked{"parked_event.read", R"sql(
    SELECT message_offset, message_key, message_value, traceparent
    FROM parked_event FORCE INDEX (parked_event_object)
    WHERE consumer_group = ? AND topic = ? AND object_id = ? AND partition_no = ?
    ORDER BY message_offset LIMIT ?)sql"};

constexpr mysql::Query kCountParked{"parked_event.count", R"sql(
    SELECT COUNT(*) FROM parked_event
    WHERE consumer_group = ? AND topic = ? AND object_id = ? AND partition_no = ?)sql"};

constexpr mysql::Query kDeleteParked{"parked_event.delete", R"sql(
    DELETE FROM parked_event
    WHERE consumer_group = ? AND topic = ? AND partition_no = ? AND message_offset IN ({keys}))sql"};

constexpr mysql::Query kCountFailure{"dead_letter.count_failure", R"sql(
    UPDATE dead_letter SET code = ?, reason = ?, message = ?, attempts = ?, failed_at_us = ?
    WHERE consumer_group = ? AND topic = ? AND partition_no = ? AND message_offset = ?)sql"};

constexpr mysql::Query kSettle{"dead_letter.settle", R"sql(
    UPDATE dead_letter SET state = ?, settled_by = ?, note = ?
    WHERE consumer_group = ? AND topic = ? AND partition_no = ? AND message_offset = ?)sql"};

constexpr mysql::Query kUnblock{"dead_letter.unblock", R"sql(
    UPDATE dead_letter SET blocking = 0
    WHERE consumer_group = ? AND topic = ? AND partition_no = ? AND message_offset = ?)sql"};

constexpr mysql::Query kLastAction{"dead_letter_action.last", R"sql(
    SELECT COALESCE(MAX(action_no), 0) FROM dead_letter_action
    WHERE consumer_group = ? AND topic = ? AND partition_no = ? AND message_offset = ?)sql"};

constexpr mysql::Query kRecordAction{"dead_letter_action.record", R"sql(
    INSERT INTO dead_letter_action (consumer_group, topic, partition_no, message_offset, action_no,
                                    kind, operator_name, note, applied, repeated, parked, refusal,
                                    at_us)
    VALUES {rows})sql"};

constexpr mysql::Query kFindBlocking{"dead_letter.find_blocking", R"sql(
    SELECT partition_no, message_offset FROM dead_letter
    WHERE consumer_group = ? AND topic = ? AND blocking = 1 AND object_id = ?)sql"};

// Up to so many blocked objects of a partition are read whole; it is none nearly always.
constexpr int kFewBlocked = 64;
constexpr std::size_t kStatementBytes = std::size_t{2} << 20;
constexpr std::size_t kKeyBytesMax = 1024;
constexpr std::size_t kTraceparentMax = 64;
constexpr std::size_t kNameMax = 100;
constexpr std::size_t kTypeMax = 190;
constexpr std::size_t kMessageMax = 1000;

std::optional<BusinessDate> DateOf(const Item& item) {
    if (item.event) return item.event->event.business_date;
    if (item.mark) return item.mark->business_date;
    return std::nullopt;
}

std::string TraceparentOf(const Item& item) {
    return CleanText(item.traceparent, kTraceparentMax);
}

}  // namespace

Result<std::optional<std::int64_t>> ReadOffset(mysql::Session& session, const PartitionKey& key) {
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows,
                            session.Select(kReadOffset, key.group, key.topic, key.partition));
    if (!rows.Next()) return std::optional<std::int64_t>();
    return std::optional<std::int64_t>(rows.Int(0));
}

Result<std::vector<PartitionOffset>> LoadOffsets(mysql::Session& session, std::string_view group,
                                                 std::string_view topic) {
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session.Select(kReadOffsets, group, topic));
    std::vector<PartitionOffset> offsets;
    while (rows.Next()) {
        offsets.push_back({.partition = static_cast<int>(rows.Int(0)), .next_offset = rows.Int(1)});
    }
    return offsets;
}

Status BeginOffset(mysql::Session& session, const PartitionKey& key, std::int64_t next_offset) {
    return session.Execute(kBeginOffset, key.group, key.topic, key.partition, next_offset).status();
}

Result<bool> AdvanceOffset(mysql::Session& session, const PartitionKey& key, std::int64_t from,
                           std::int64_t to) {
    KESSAI_ASSIGN_OR_RETURN(
        const std::uint64_t changed,
        session.Execute(kAdvanceOffset, to, key.group, key.topic, key.partition, from));
    return changed == 1;
}

Result<bool> LockOffset(mysql::Session& session, const PartitionKey& key) {
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows,
                            session.Select(kLockOffset, key.group, key.topic, key.partition));
    return rows.Next();
}

Result<std::set<std::int64_t>> FindBlocked(mysql::Session& session, const PartitionKey& key,
                                           std::span<const Item* const> items) {
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows some, session.Select(kSomeBlocked, key.group, key.topic,
                                                             key.partition, kFewBlocked));
    std::set<std::int64_t> blocked;
    if (some.size() < static_cast<std::size_t>(kFewBlocked)) {
        while (some.Next()) blocked.insert(some.Int(0));
        return blocked;
    }
    std::set<std::int64_t> objects;
    for (const Item* item : items) {
        if (item->object_id != 0) objects.insert(item->object_id);
    }
    if (objects.empty()) return blocked;
    const mysql::KeyList keys(objects);
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows,
                            session.Select(kBlockedOf, key.group, key.topic, key.partition, keys));
    while (rows.Next()) blocked.insert(rows.Int(0));
    return blocked;
}

Status StoreDeadLetters(mysql::Session& session, const PartitionKey& key,
                        std::span<const Failed> failed, Instant now) {
    mysql::RowList rows;
    const auto flush = [&]() -> Status {
        if (rows.empty()) return OkStatus();
        KESSAI_RETURN_IF_ERROR(session.Execute(kInsertDeadLetters, rows));
        rows.Clear();
        return OkStatus();
    };
    for (const Failed& one : failed) {
        const Item& item = *one.item;
        const event::Envelope* envelope = item.event ? &item.event->event : nullptr;
        rows.Add(key.group, key.topic, key.partition, item.offset,
                 static_cast<int>(DeadLetterState::kOpen), item.object_id != 0, item.object_id,
                 CleanText(envelope ? envelope->type : "", kTypeMax),
                 envelope ? envelope->event_id : 0, envelope ? envelope->version : 0, DateOf(item),
                 static_cast<int>(one.why.code()), CleanText(one.why.reason(), kNameMax),
                 CleanText(one.why.message(), kMessageMax), one.attempt, now, TraceparentOf(item),
                 mysql::Bytes{item.key.substr(0, kKeyBytesMax)}, mysql::Bytes{item.value});
        if (rows.bytes() > kStatementBytes) KESSAI_RETURN_IF_ERROR(flush());
    }
    return flush();
}

Status StoreParked(mysql::Session& session, const PartitionKey& key,
                   std::span<const Item* const> items, Instant now) {
    mysql::RowList rows;
    const auto flush = [&]() -> Status {
        if (rows.empty()) return OkStatus();
        KESSAI_RETURN_IF_ERROR(session.Execute(kInsertParked, rows));
        rows.Clear();
        return OkStatus();
    };
    for (const Item* item : items) {
        rows.Add(key.group, key.topic, key.partition, item->offset, item->object_id, DateOf(*item),
                 TraceparentOf(*item), mysql::Bytes{item->key.substr(0, kKeyBytesMax)},
                 mysql::Bytes{item->value}, now);
        if (rows.bytes() > kStatementBytes) KESSAI_RETURN_IF_ERROR(flush());
    }
    return flush();
}

Result<std::optional<Head>> ReadHead(mysql::Session& session, const PartitionKey& key,
                                     std::int64_t offset) {
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows,
                            session.Select(kReadHead, key.group, key.topic, key.partition, offset));
    if (!rows.Next()) return std::optional<Head>();
    return std::optional<Head>(Head{.message = {.offset = offset,
                                                .key = rows.Bytes(0),
                                                .value = rows.Bytes(1),
                                                .traceparent = rows.Text(2)},
                                    .object_id = rows.Int(3),
                                    .state = static_cast<DeadLetterState>(rows.Int(4)),
                                    .blocking = rows.Bool(5),
                                    .attempts = static_cast<int>(rows.Int(6))});
}

Result<std::vector<Kept>> ReadParked(mysql::Session& session, const PartitionKey& key,
                                     std::int64_t object_id, int limit) {
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session.Select(kReadParked, key.group, key.topic,
                                                             object_id, key.partition, limit));
    std::vector<Kept> parked;
    while (rows.Next()) {
        parked.push_back({.offset = rows.Int(0),
                          .key = rows.Bytes(1),
                          .value = rows.Bytes(2),
                          .traceparent = rows.Text(3)});
    }
    return parked;
}

Result<std::int64_t> CountParked(mysql::Session& session, const PartitionKey& key,
                                 std::int64_t object_id) {
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session.Select(kCountParked, key.group, key.topic,
                                                             object_id, key.partition));
    rows.Next();
    return rows.Int(0);
}

Status DeleteParked(mysql::Session& session, const PartitionKey& key,
                    std::span<const std::int64_t> offsets) {
    if (offsets.empty()) return OkStatus();
    const mysql::KeyList keys(offsets);
    return session.Execute(kDeleteParked, key.group, key.topic, key.partition, keys).status();
}

Status CountFailure(mysql::Session& session, const PartitionKey& key, const Failed& failed,
                    Instant now) {
    return session
        .Execute(kCountFailure, static_cast<int>(failed.why.code()),
                 CleanText(failed.why.reason(), kNameMax),
                 CleanText(failed.why.message(), kMessageMax), failed.attempt, now, key.group,
                 key.topic, key.partition, failed.item->offset)
        .status();
}

Status Settle(mysql::Session& session, const PartitionKey& key, std::int64_t offset,
              DeadLetterState state, std::string_view by, std::string_view note) {
    return session
        .Execute(kSettle, static_cast<int>(state), CleanText(by, kNameMax),
                 CleanText(note, kMessageMax), key.group, key.topic, key.partition, offset)
        .status();
}

Status Unblock(mysql::Session& session, const PartitionKey& key, std::int64_t offset) {
    return session.Execute(kUnblock, key.group, key.topic, key.partition, offset).status();
}

Status RecordAction(mysql::Session& session, const PartitionKey& key, std::int64_t offset,
                    const DeadLetterAction& action) {
    KESSAI_ASSIGN_OR_RETURN(
        mysql::Rows last, session.Select(kLastAction, key.group, key.topic, key.partition, offset));
    last.Next();
    mysql::RowList rows;
    rows.Add(key.group, key.topic, key.partition, offset, last.Int(0) + 1,
             static_cast<int>(action.kind), CleanText(action.operator_name, kNameMax),
             CleanText(action.note, kMessageMax), action.applied, action.repeated, action.parked,
             CleanText(action.refusal, kNameMax), action.at);
    return session.Execute(kRecordAction, rows).status();
}

Result<std::optional<DeadLetterId>> FindBlocking(mysql::Session& session, std::string_view group,
                                                 std::string_view topic, std::int64_t object_id) {
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows,
                            session.Select(kFindBlocking, group, topic, object_id));
    if (!rows.Next()) return std::optional<DeadLetterId>();
    return std::optional<DeadLetterId>(DeadLetterId{.topic = std::string(topic),
                                                    .partition = static_cast<int>(rows.Int(0)),
                                                    .offset = rows.Int(1)});
}

std::string SealDeadLetter(const PartitionKey& key, const Failed& failed, Instant now) {
    const Item& item = *failed.item;
    event::v1::DeadLetter letter;
    letter.set_consumer_group(std::string(key.group));
    letter.set_topic(std::string(key.topic));
    letter.set_partition(key.partition);
    letter.set_offset(item.offset);
    letter.set_key(item.key.data(), item.key.size());
    letter.set_value(item.value.data(), item.value.size());
    letter.set_object_id(item.object_id);
    if (item.event) {
        letter.set_type(item.event->event.type);
        letter.set_event_id(item.event->event.event_id);
        letter.set_version(item.event->event.version);
    }
    letter.set_code(static_cast<int>(failed.why.code()));
    letter.set_reason(CleanText(failed.why.reason(), kNameMax));
    letter.set_message(CleanText(failed.why.message(), kMessageMax));
    letter.set_failed_at_us(ToMicros(now));
    letter.set_attempt(failed.attempt);
    std::string sealed = letter.SerializeAsString();
    if (sealed.size() > outbox::kEntryBytesMax) {
        // Larger than our topics take; the row in the table has it whole.
        letter.clear_value();
        letter.set_key(std::string(item.key.substr(0, kKeyBytesMax)));
        sealed = letter.SerializeAsString();
    }
    return sealed;
}

std::string CleanText(std::string_view text, std::size_t size) {
    std::string clean;
    std::size_t at = 0;
    while (at < text.size() && clean.size() < size) {
        const auto lead = static_cast<unsigned char>(text[at]);
        const std::size_t length = lead < 0x80   ? 1
                                   : lead < 0xc2 ? 0
                                   : lead < 0xe0 ? 2
                                   : lead < 0xf0 ? 3
                                   : lead < 0xf5 ? 4
                                                 : 0;
        bool good = length > 0 && at + length <= text.size();
        for (std::size_t i = 1; good && i < length; ++i) {
            good = (static_cast<unsigned char>(text[at + i]) & 0xc0) == 0x80;
        }
        // Overlong forms and surrogates.
        if (good && length >= 3) {
            const auto second = static_cast<unsigned char>(text[at + 1]);
            good = !(lead == 0xe0 && second < 0xa0) && !(lead == 0xed && second >= 0xa0) &&
                   !(lead == 0xf0 && second < 0x90) && !(lead == 0xf4 && second >= 0x90);
        }
        if (!good) {
            clean.push_back('?');
            ++at;
            continue;
        }
        if (clean.size() + length > size) break;
        clean.append(text.substr(at, length));
        at += length;
    }
    return clean;
}

}  // namespace kessai::inbox
