#include "kessai/inbox/dead_letters.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "item.h"
#include "kessai/mysql/session.h"

namespace kessai::inbox {
namespace {

constexpr mysql::Query kList{"dead_letter.list", R"sql(
    SELECT d.partition_no, d.message_offset, d.state, d.object_id, d.event_type, d.version,
           d.event_id, d.business_date, d.code, d.reason, d.message, d.attempts, d.failed_at_us,
           d.traceparent, d.message_key, IF(?, d.message_value, ''), d.settled_by, d.note,
           IF(d.blocking = 1,
              (SELECT COUNT(*) FROM parked_event p
               WHERE p.consumer_group = d.consumer_group AND p.topic = d.topic
                 AND p.object_id = d.object_id AND p.partition_no = d.partition_no), 0)
    FROM dead_letter d
    WHERE d.consumer_group = ? AND d.topic = ?
      AND (? = 0 OR d.state = ?) AND (? = 0 OR d.object_id = ?)
      AND (d.partition_no > ? OR (d.partition_no = ? AND d.message_offset > ?))
    ORDER BY d.partition_no, d.message_offset LIMIT ?)sql"};

constexpr mysql::Query kListParked{"parked_event.list", R"sql(
    SELECT message_offset, message_key, message_value, business_date, parked_at_us
    FROM parked_event FORCE INDEX (parked_event_object)
    WHERE consumer_group = ? AND topic = ? AND object_id = ? AND partition_no = ?
    ORDER BY message_offset LIMIT ?)sql"};

constexpr mysql::Query kListActions{"dead_letter_action.list", R"sql(
    SELECT kind, operator_name, note, applied, repeated, parked, refusal, at_us
    FROM dead_letter_action
    WHERE consumer_group = ? AND topic = ? AND partition_no = ? AND message_offset = ?
    ORDER BY action_no DESC LIMIT ?)sql"};

constexpr mysql::Query kListBlocked{"dead_letter.list_blocked", R"sql(
    (SELECT partition_no, message_offset, object_id, business_date, 0, message_value
     FROM dead_letter
     WHERE consumer_group = ? AND topic = ? AND state = 1
       AND (business_date <= ? OR business_date IS NULL) LIMIT ?)
    UNION ALL
    (SELECT partition_no, message_offset, object_id, business_date, 1, message_value
     FROM parked_event
     WHERE consumer_group = ? AND topic = ?
       AND (business_date <= ? OR business_date IS NULL) LIMIT ?)
    LIMIT ?)sql"};

Result<std::int64_t> ParseNumber(std::string_view text, std::int64_t max) {
    std::int64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end || number < 0 || number > max) {
        return Status(Code::kInvalidArgument, reason::kDeadLetterIdMalformed,
                      "not a number: " + std::string(text));
    }
    return number;
}

DeadLetter ReadLetter(mysql::Rows& row, const std::string& topic) {
    DeadLetter letter;
    letter.id = {.topic = topic, .partition = static_cast<int>(row.Int(0)), .offset = row.Int(1)};
    letter.state = static_cast<DeadLetterState>(row.Int(2));
    letter.object_id = row.Int(3);
    letter.type = row.Text(4);
    letter.version = static_cast<std::uint32_t>(row.Uint(5));
    letter.event_id = row.Int(6);
    if (!row.IsNull(7)) letter.business_date = row.Date(7);
    letter.code = static_cast<Code>(row.Int(8));
    letter.reason = row.Text(9);
    letter.message = row.Text(10);
    letter.attempts = static_cast<int>(row.Int(11));
    letter.failed_at = row.At(12);
    letter.traceparent = row.Text(13);
    letter.key = row.Bytes(14);
    letter.value = row.Bytes(15);
    letter.settled_by = row.Text(16);
    letter.note = row.Text(17);
    letter.parked = row.Int(18);
    return letter;
}

}  // namespace

Result<DeadLetterId> DeadLetterId::Parse(std::string_view text) {
    const auto second = text.rfind('/');
    const auto first = second == std::string_view::npos || second == 0
                           ? std::string_view::npos
                           : text.rfind('/', second - 1);
    if (first == std::string_view::npos || first == 0) {
        return Status(Code::kInvalidArgument, reason::kDeadLetterIdMalformed,
                      "not <topic>/<partition>/<offset>: " + std::string(text));
    }
    KESSAI_ASSIGN_OR_RETURN(
        const std::int64_t partition,
        ParseNumber(text.substr(first + 1, second - first - 1), std::numeric_limits<int>::max()));
    KESSAI_ASSIGN_OR_RETURN(
        const std::int64_t offset,
        ParseNumber(text.substr(second + 1), std::numeric_limits<std::int64_t>::max()));
    return DeadLetterId{.topic = std::string(text.substr(0, first)),
                        .partition = static_cast<int>(partition),
                        .offset = offset};
}

std::string DeadLetterId::ToString() const {
    return topic + "/" + std::to_string(partition) + "/" + std::to_string(offset);
}

Result<std::vector<DeadLetter>> ListDeadLetters(mysql::Session& session,
                                                const DeadLetterFilter& filter) {
    const int state = filter.state ? static_cast<int>(*filter.state) : 0;
    const std::int64_t object = filter.object_id.value_or(0);
    const int partition = filter.after ? filter.after->partition : -1;
    const std::int64_t offset = filter.after ? filter.after->offset : -1;
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows,
                            session.Select(kList, filter.values, filter.group, filter.topic, state,
                                           state, filter.object_id.has_value(), object, partition,
                                           partition, offset, filter.limit));
    std::vector<DeadLetter> letters;
    while (rows.Next()) letters.push_back(ReadLetter(rows, filter.topic));
    return letters;
}

Result<DeadLetter> FindDeadLetter(mysql::Session& session, std::string_view group,
                                  const DeadLetterId& id) {
    DeadLetterFilter filter;
    filter.group = group;
    filter.topic = id.topic;
    filter.state.reset();
    filter.limit = 1;
    filter.after =
        DeadLetterId{.topic = id.topic, .partition = id.partition, .offset = id.offset - 1};
    KESSAI_ASSIGN_OR_RETURN(auto letters, ListDeadLetters(session, filter));
    if (letters.empty() || letters.front().id != id) {
        return Status(Code::kNotFound, reason::kDeadLetterUnknown, id.ToString());
    }
    return std::move(letters.front());
}

Result<std::vector<ParkedEvent>> ListParked(mysql::Session& session, std::string_view group,
                                            const DeadLetter& letter, int limit) {
    std::vector<ParkedEvent> parked;
    // One that is settled and past blocks nothing; another of the object may.
    if (letter.object_id == 0 || letter.parked == 0) return parked;
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows,
                            session.Select(kListParked, group, letter.id.topic, letter.object_id,
                                           letter.id.partition, limit));
    while (rows.Next()) {
        const std::string key = rows.Bytes(1);
        const std::string value = rows.Bytes(2);
        const Item item = ReadItem(rows.Int(0), key, value, {});
        ParkedEvent event{.offset = rows.Int(0),
                          .type = item.event ? item.event->event.type : std::string(),
                          .version = item.event ? item.event->event.version : 0,
                          .business_date = std::nullopt,
                          .parked_at = rows.At(4)};
        if (!rows.IsNull(3)) event.business_date = rows.Date(3);
        parked.push_back(std::move(event));
    }
    return parked;
}

Result<std::vector<DeadLetterAction>> ListActions(mysql::Session& session, std::string_view group,
                                                  const DeadLetterId& id, int limit) {
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session.Select(kListActions, group, id.topic,
                                                             id.partition, id.offset, limit));
    std::vector<DeadLetterAction> actions;
    while (rows.Next()) {
        actions.push_back({.kind = static_cast<DeadLetterState>(rows.Int(0)),
                           .operator_name = rows.Text(1),
                           .note = rows.Text(2),
                           .applied = static_cast<int>(rows.Int(3)),
                           .repeated = static_cast<int>(rows.Int(4)),
                           .parked = rows.Int(5),
                           .refusal = rows.Text(6),
                           .at = rows.At(7)});
    }
    std::ranges::reverse(actions);
    return actions;
}

Result<std::vector<BlockedEvent>> ListBlocked(mysql::Session& session, std::string_view group,
                                              std::string_view topic, BusinessDate business_date,
                                              int limit) {
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows,
                            session.Select(kListBlocked, group, topic, business_date, limit, group,
                                           topic, business_date, limit, limit));
    std::vector<BlockedEvent> blocked;
    while (rows.Next()) {
        BlockedEvent event{.id = {.topic = std::string(topic),
                                  .partition = static_cast<int>(rows.Int(0)),
                                  .offset = rows.Int(1)},
                           .object_id = rows.Int(2),
                           .business_date = std::nullopt,
                           .parked = rows.Bool(4),
                           .value = rows.Bytes(5)};
        if (!rows.IsNull(3)) event.business_date = rows.Date(3);
        blocked.push_back(std::move(event));
    }
    return blocked;
}

}  // namespace kessai::inbox
