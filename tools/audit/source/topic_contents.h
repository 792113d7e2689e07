#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kessai/event/envelope.h"
#include "kessai/kafka/topic_reader.h"
#include "kessai/result/result.h"
#include "model/event_record.h"
#include "spill/sorter.h"

namespace kessai::audit {

/// What a topic of events holds between two offsets of each partition.
struct TopicContents {
    std::string topic;
    Sorted<EventRecord> events;
    /// Those of transfers (payout's topic), which are no changes' events.
    Sorted<EventRecord> transfer_events;
    Sorted<EventRecord> hold_events;
    std::uint64_t messages = 0;

    struct Partition {
        kafka::OffsetRange range;
        /// Of the first message that is still there; the end of time if there is none, although
        /// there was one.
        std::int64_t first_timestamp_us = 0;
        /// Messages were removed at its beginning.
        bool truncated() const { return range.first > 0; }
        /// Whatever was stored at or after this moment must be there still.
        std::int64_t complete_from_us() const { return truncated() ? first_timestamp_us : 0; }
    };
    std::vector<Partition> partitions;

    /// (day, partition) of each mark.
    std::set<std::pair<DayNumber, int>> marks;

    /// Messages that are no events, the first ones, and why.
    static constexpr std::size_t kUnreadableKept = 100'000;
    std::vector<std::pair<MessageId, std::string>> unreadable;
    std::uint64_t unreadable_count = 0;
};

/// Reads them. `see` is shown every event that could be opened (no marks), before it is reduced to
/// its record; it may be empty.
Result<TopicContents> ReadTopic(
    kafka::TopicReader& reader, const std::string& topic,
    const std::vector<kafka::OffsetRange>& ranges, const SpillSpace& space,
    const std::function<void(const event::Envelope&, const MessageId&)>& see = {});

/// One message, opened.
Result<event::Envelope> ReadMessage(kafka::TopicReader& reader, int partition, std::int64_t offset);

}  // namespace kessai::audit
