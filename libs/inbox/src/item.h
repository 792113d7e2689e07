#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "kessai/inbox/handler.h"
#include "kessai/result/result.h"

namespace kessai::inbox {

/// A message of a partition, and what could be read of it. Views into whatever holds the message.
struct Item {
    std::int64_t offset = 0;
    std::string_view key;
    std::string_view value;
    std::string_view traceparent;

    /// What the key names; 0 for none. Blocking is by this, because the value may be unreadable.
    std::int64_t object_id = 0;
    /// What it is, exactly one of: an event, a mark, unreadable (and why).
    std::optional<Delivery> event;
    std::optional<event::BusinessDayClosed> mark;
    Status unreadable;
};

/// Reads a message. Never fails: what cannot be read says so.
Item ReadItem(std::int64_t offset, std::string_view key, std::string_view value,
              std::string_view traceparent);

}  // namespace kessai::inbox
