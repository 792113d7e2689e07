#include "source/topic_contents.h"

#include <algorithm>
#include <limits>

#include "kessai/event/mark.h"

namespace kessai::audit {
namespace {

constexpr Duration kStallTimeout = std::chrono::seconds(30);
constexpr std::string_view kDayReleased = "kessai.payout.v1.DayReleased";
// TransferCreated and so on.
constexpr std::string_view kOfTransfers = "kessai.payout.v1.Transfer";
// MerchantHeldBack, MerchantReleased.
constexpr std::string_view kOfHolds = "kessai.payout.v1.Merchant";

class TopicScan {
 public:
    TopicScan(const std::string& topic, const std::vector<kafka::OffsetRange>& ranges,
              const SpillSpace& space,
              const std::function<void(const event::Envelope&, const MessageId&)>& see)
        : see_(see),
          events_(space),
          transfer_events_(space),
          hold_events_(space),
          marked_through_(ranges.size(), 0) {
        contents_.topic = topic;
        for (const kafka::OffsetRange& range : ranges) {
            contents_.partitions.push_back({range, std::numeric_limits<std::int64_t>::max()});
        }
    }

    void Take(const kafka::TopicRecord& record) {
        ++contents_.messages;
        auto& partition = contents_.partitions[static_cast<std::size_t>(record.partition)];
        if (record.offset == partition.range.first) {
            partition.first_timestamp_us = ToMicros(record.timestamp);
        }
        const auto event = event::Open(record.value);
        if (!event.ok()) {
            return Unreadable(record, std::string(event.status().reason()));
        }
        if (event::IsMark(*event)) return TakeMark(record, *event);
        TakeEvent(record, *event);
    }

    Result<TopicContents> Finish() {
        KESSAI_ASSIGN_OR_RETURN(contents_.events, events_.Finish());
        KESSAI_ASSIGN_OR_RETURN(contents_.transfer_events, transfer_events_.Finish());
        KESSAI_ASSIGN_OR_RETURN(contents_.hold_events, hold_events_.Finish());
        return std::move(contents_);
    }

 private:
    MessageId IdOf(const kafka::TopicRecord& record) const {
        return {contents_.topic, record.partition, record.offset};
    }
    void Unreadable(const kafka::TopicRecord& record, std::string why) {
        ++contents_.unreadable_count;
        if (contents_.unreadable.size() < TopicContents::kUnreadableKept) {
            contents_.unreadable.emplace_back(IdOf(record), std::move(why));
        }
    }
    void TakeMark(const kafka::TopicRecord& record, const event::Envelope& event) {
        const auto mark = event::OpenMark(event);
        if (!mark.ok()) return Unreadable(record, std::string(mark.status().reason()));
        const DayNumber day = mark->business_date.ToNumber();
        contents_.marks.emplace(day, record.partition);
        DayNumber& through = marked_through_[static_cast<std::size_t>(record.partition)];
        through = std::max(through, day);
    }
    void TakeEvent(const kafka::TopicRecord& record, const event::Envelope& event) {
        EventRecord kept;
        kept.key = {event.object_id, event.version};
        kept.event_id = event.event_id;
        kept.offset = record.offset;
        kept.content_hash = event.content_hash;
        kept.business_date = event.business_date.ToNumber();
        kept.partition = static_cast<std::int16_t>(record.partition);
        kept.of_release = event.type == kDayReleased;
        kept.key_fits = record.key == std::to_string(event.object_id);
        kept.after_mark =
            kept.business_date <= marked_through_[static_cast<std::size_t>(record.partition)];
        if (see_) see_(event, IdOf(record));
        if (event.type.starts_with(kOfTransfers)) {
            kept.after_mark = false;  // A mark is of changes of payments.
            return transfer_events_.Add(kept);
        }
        if (event.type.starts_with(kOfHolds)) {
            kept.after_mark = false;
            return hold_events_.Add(kept);
        }
        events_.Add(kept);
    }

    const std::function<void(const event::Envelope&, const MessageId&)>& see_;
    TopicContents contents_;
    Sorter<EventRecord> events_;
    Sorter<EventRecord> transfer_events_;
    Sorter<EventRecord> hold_events_;
    /// By partition: the latest day that was marked so far.
    std::vector<DayNumber> marked_through_;
};

}  // namespace

Result<TopicContents> ReadTopic(
    kafka::TopicReader& reader, const std::string& topic,
    const std::vector<kafka::OffsetRange>& ranges, const SpillSpace& space,
    const std::function<void(const event::Envelope&, const MessageId&)>& see) {
    TopicScan scan(topic, ranges, space, see);
    KESSAI_RETURN_IF_ERROR(reader.Read(
        ranges, kStallTimeout, [&](const kafka::TopicRecord& record) { scan.Take(record); }));
    return scan.Finish();
}

Result<event::Envelope> ReadMessage(kafka::TopicReader& reader, int partition,
                                    std::int64_t offset) {
    std::vector<kafka::OffsetRange> ranges(static_cast<std::size_t>(reader.partitions()));
    ranges[static_cast<std::size_t>(partition)] = {offset, offset + 1};
    Result<event::Envelope> event(
        Status(Code::kNotFound, "MESSAGE_GONE", "the message is not there any more"));
    KESSAI_RETURN_IF_ERROR(
        reader.Read(ranges, kStallTimeout,
                    [&](const kafka::TopicRecord& record) { event = event::Open(record.value); }));
    return event;
}

}  // namespace kessai::audit
