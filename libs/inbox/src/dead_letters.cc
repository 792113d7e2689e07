#include "kessai/inbox/dead_letters.h"

#include <charconv>
#include <limits>

#include "kessai/mysql/session.h"

namespace kessai::inbox {
namespace {

constexpr mysql::Query kList{"dead_letter.list", R"sql(
    SELECT d.partition_no, d.message_offset, d.state, d.object_id, d.event_type, d.version,
           d.event_id, d.business_date, d.code, d.reason, d.message, d.attempts, d.failed_at_us,
           d.traceparent, d.message_key, d.message_value, d.settled_by, d.note,
           IF(d.blocking = 1,
              (SELECT COUNT(*) FROM parked_event p
               WHERE p.consumer_group = d.consumer_group AND p.topic = d.topic
                 AND p.object_id = d.object_id AND p.partition_no = d.partition_no), 0)
    FROM dead_letter d
    WHERE d.consumer_group = ? AND d.topic = ?
      AND (? = 0 OR d.state = ?) AND (? = 0 OR d.object_id = ?)
      AND (d.partition_no > ? OR (d.partition_no = ? AND d.message_offset > ?))
    ORDER BY d.partition_no, d.message_offset LIMIT ?)sql"};

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
    KESSAI_ASSIGN_OR_RETURN(
        mysql::Rows rows, session.Select(kList, filter.group, filter.topic, state, state,
                                         filter.object_id.has_value(), object, partition, partition,
                                         offset, filter.limit));
    std::vector<DeadLetter> letters;
    while (rows.Next()) letters.push_back(ReadLetter(rows, filter.topic));
    return letters;
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
