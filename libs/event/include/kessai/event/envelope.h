#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai::event {

/// The largest sealed event. A real one has some hundred bytes; the bound keeps one event from
/// filling a broker request (1 MiB by default) or an outbox row.
inline constexpr std::size_t kEventBytesMax = 256 * 1024;

/// The first 16 bytes of SHA-256 over every field of the event (see HashOf).
using ContentHash = std::array<std::uint8_t, 16>;

/// What an event says, without copying it.
struct Fields {
    /// Full name of the payload's message, "kessai.payment.v1.PaymentChanged".
    std::string_view type;
    /// The object that changed; 0 for marks.
    std::int64_t object_id = 0;
    /// 1, 2, 3, … per object.
    std::uint32_t version = 0;
    /// Rises per object.
    std::int64_t event_id = 0;
    BusinessDate business_date;
    Instant occurred_at;
    /// The serialized message named by `type`.
    std::string_view payload;
};

/// An event as it was read, owning its bytes.
struct Envelope {
    std::string type;
    std::int64_t object_id = 0;
    std::uint32_t version = 0;
    std::int64_t event_id = 0;
    BusinessDate business_date;
    Instant occurred_at;
    ContentHash content_hash{};
    std::string payload;

    Fields fields() const {
        return {type, object_id, version, event_id, business_date, occurred_at, payload};
    }
};

/// The content hash: SHA-256 over a fixed prefix, then every field in the order of `Fields`, whole
/// numbers as 8 bytes little endian (the date as yyyymmdd), texts and bytes behind their length in
/// 8 bytes. No two different events have one encoding, so equal hashes mean equal events.
ContentHash HashOf(const Fields& fields);

/// The event as kessai.event.v1.Envelope: the same fields always give the same bytes.
/// Refuses with INVALID_ARGUMENT EVENT_FIELD_INVALID (no type; an id below 0; an object without a
/// version) and EVENT_TOO_LARGE (beyond kEventBytesMax): call it before the change is committed.
Result<std::string> Seal(const Fields& fields);

/// Reads and verifies a sealed event. Fields that a newer publisher added are ignored.
/// Refuses with INVALID_ARGUMENT: EVENT_TOO_LARGE, EVENT_MALFORMED (no envelope, or no real date),
/// EVENT_FIELD_INVALID (as Seal), EVENT_HASH_MISMATCH (content and hash differ).
Result<Envelope> Open(std::string_view bytes);

inline constexpr std::string_view kEventTooLarge = "EVENT_TOO_LARGE";
inline constexpr std::string_view kEventMalformed = "EVENT_MALFORMED";
inline constexpr std::string_view kEventFieldInvalid = "EVENT_FIELD_INVALID";
inline constexpr std::string_view kEventHashMismatch = "EVENT_HASH_MISMATCH";

}  // namespace kessai::event
