#include "rules/event_rules.h"

#include "kessai/event/bucket.h"

namespace kessai::audit {
namespace {

using enum Invariant;

/// Clocks of a publisher and its brokers may be so far apart.
constexpr Wide kClocksApartUs = 60'000'000;

}  // namespace

Subject EventFollower::OfRow(const PublishedRow& row) const {
    return {{name_, row.key.object}, {"version", std::int64_t{row.key.version}}};
}

Subject EventFollower::OfEvent(const EventRecord& event) const {
    const MessageId id{contents_.topic, event.partition, event.offset};
    return {{name_, event.key.object},
            {"version", std::int64_t{event.key.version}},
            {"message", id.ToString()}};
}

void EventFollower::Follow(const PublishedRow& row, std::span<const EventRecord> events) {
    if (row.key.object != object_) {
        object_ = row.key.object;
        last_version_ = 0;
        last_first_offset_ = -1;
    }
    const int partition =
        event::PartitionOf(row.key.object, static_cast<int>(contents_.partitions.size()));
    const auto& state = contents_.partitions[static_cast<std::size_t>(partition)];
    const bool retained =
        !state.truncated() || row.stored_at_us >= state.complete_from_us() + kClocksApartUs;
    if (events.empty()) {
        if (!row.must_be_there) return;
        if (!retained) {
            ++beyond_retention_;
            return;
        }
        report_.Found(kM6, "event is missing", [&] {
            return Finding{OfRow(row), "in " + contents_.topic + "/" + std::to_string(partition),
                           "none"};
        });
        return;
    }
    for (const EventRecord& event : events) CheckMessage(row, partition, event);
    if (retained) CheckOrder(row, events.front());
}

void EventFollower::CheckMessage(const PublishedRow& row, int partition, const EventRecord& event) {
    const auto subject = [&] { return OfEvent(event); };
    report_.Expect(kM6, "partition", subject, partition, int{event.partition});
    if (!event.key_fits) {
        report_.Found(kM6, "message's key", [&] {
            return Finding{subject(), std::to_string(event.key.object), "another"};
        });
    }
    if (event.content_hash != row.content_hash) {
        report_.Found(kM6, "content of event", [&] {
            return Finding{subject(), "what the row says (" + ToText(row.content_hash) + ")",
                           ToText(event.content_hash) + ": " + explain_(event)};
        });
    }
}

void EventFollower::CheckOrder(const PublishedRow& row, const EventRecord& first) {
    if (first.offset < last_first_offset_) {
        report_.Found(kM6, "order of events", [&] {
            return Finding{OfEvent(first),
                           "behind version " + std::to_string(last_version_) + " at " +
                               std::to_string(last_first_offset_),
                           "at " + std::to_string(first.offset)};
        });
    }
    if (first.after_mark) {
        report_.Found(kM9, "event behind the mark of its day", [&] {
            return Finding{OfEvent(first), "before the mark of " + DayText(first.business_date),
                           "behind it"};
        });
    }
    last_version_ = row.key.version;
    last_first_offset_ = first.offset;
}

void CheckUnreadable(const TopicContents& contents, const std::set<MessageId>& settled,
                     Report& report) {
    std::uint64_t accounted_for = 0;
    for (const auto& [id, why] : contents.unreadable) {
        if (settled.contains(id)) {
            ++accounted_for;
            continue;
        }
        report.Found(kM6, "message that is no event", [&] {
            return Finding{{{"message", id.ToString()}}, "an event of a row", why};
        });
    }
    if (accounted_for > 0) {
        report.Note(kM6, std::to_string(accounted_for) + " messages of " + contents.topic +
                             " are no events, and were settled as dead letters");
    }
    if (contents.unreadable_count > contents.unreadable.size()) {
        report.CouldNotCheck(kM6, contents.topic + " has " +
                                      std::to_string(contents.unreadable_count) +
                                      " messages that are no events, too many to look at each");
    }
}

}  // namespace kessai::audit
