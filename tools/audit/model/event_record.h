#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "model/values.h"

namespace kessai::audit {

/// One message of an event topic. Ordered by key, then by where it stands.
struct EventRecord {
    ChangeKey key;
    std::int64_t event_id = 0;
    std::int64_t offset = 0;
    Hash16 content_hash{};
    DayNumber business_date = 0;
    std::int16_t partition = 0;
    /// The message's key is the object's id in decimal.
    bool key_fits = true;
    /// It tells of a release, which is no row's event (payout.events.v1).
    bool of_release = false;
    /// It stands behind the mark of its day (or of a later one) in its partition.
    bool after_mark = false;

    auto place() const { return std::tuple(key, partition, offset); }
    bool operator<(const EventRecord& other) const { return place() < other.place(); }
};

/// Where a message stands: "payment.events.v1/7/1234", as dead letters are named.
struct MessageId {
    std::string topic;
    int partition = 0;
    std::int64_t offset = 0;

    std::string ToString() const {
        return topic + "/" + std::to_string(partition) + "/" + std::to_string(offset);
    }
    auto operator<=>(const MessageId&) const = default;
};

/// A row that was to be published: a change, an accrual.
struct PublishedRow {
    ChangeKey key;
    /// When it was stored, by the publisher's clock.
    std::int64_t stored_at_us = 0;
    Hash16 content_hash{};
    /// It was committed before the audit began, so its event must have arrived.
    bool must_be_there = true;
};

}  // namespace kessai::audit
