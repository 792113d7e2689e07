#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>

#include "model/event_record.h"
#include "report.h"
#include "source/topic_contents.h"

namespace kessai::audit {

/// M6 of one topic, change by change in the order of their keys:
/// - the event of every row is there, unless it may have been in what retention removed;
/// - every time it is there, it stands in its object's partition, has the object as its key, and
///   says what the row says;
/// - the first occurrences of an object's events stand in the order of their versions;
/// and M9: an event does not first occur behind the mark of its day.
class EventFollower {
 public:
    /// Says in words how a message differs from the row that Follow was called with; for findings
    /// only.
    using Explain = std::function<std::string(const EventRecord& event)>;

    /// `name` is what the rows are called in findings ("change", "accrual"). `contents` must
    /// outlive it.
    EventFollower(std::string_view name, const TopicContents& contents, Explain explain,
                  Report& report)
        : name_(name), contents_(contents), explain_(std::move(explain)), report_(report) {}

    /// Keys rise from call to call. `events` are all with the row's key.
    void Follow(const PublishedRow& row, std::span<const EventRecord> events);

    /// Rows whose event may have been in what retention removed.
    std::uint64_t beyond_retention() const { return beyond_retention_; }

 private:
    Subject OfRow(const PublishedRow& row) const;
    Subject OfEvent(const EventRecord& event) const;
    void CheckMessage(const PublishedRow& row, int partition, const EventRecord& event);
    void CheckOrder(const PublishedRow& row, const EventRecord& first);

    const std::string_view name_;
    const TopicContents& contents_;
    const Explain explain_;
    Report& report_;
    std::uint64_t beyond_retention_ = 0;

    /// Of the object at hand: the last version that was there, and where it first was.
    std::int64_t object_ = 0;
    std::uint32_t last_version_ = 0;
    std::int64_t last_first_offset_ = -1;
};

/// M6: messages that are no events. Those that an operator has settled as dead letters are only
/// counted.
void CheckUnreadable(const TopicContents& contents, const std::set<MessageId>& settled,
                     Report& report);

}  // namespace kessai::audit
