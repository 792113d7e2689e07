#include "item.h"

#include <charconv>

#include "kessai/inbox/dead_letters.h"

namespace kessai::inbox {
namespace {

std::int64_t ObjectOf(std::string_view key) {
    std::int64_t object_id = 0;
    const char* const end = key.data() + key.size();
    const auto parsed = std::from_chars(key.data(), end, object_id);
    const bool whole = parsed.ec == std::errc() && parsed.ptr == end;
    return whole && object_id > 0 ? object_id : 0;
}

Status ReadMark(const event::Envelope& envelope, Item& item) {
    if (!event::IsMark(envelope)) {
        return Status(Code::kInvalidArgument, event::kEventFieldInvalid,
                      "neither an object nor a known mark: " + envelope.type);
    }
    KESSAI_ASSIGN_OR_RETURN(item.mark, event::OpenMark(envelope));
    return OkStatus();
}

Status Read(Item& item) {
    KESSAI_ASSIGN_OR_RETURN(event::Envelope envelope, event::Open(item.value));
    if (envelope.object_id == 0) return ReadMark(envelope, item);
    if (envelope.object_id != item.object_id) {
        return Status(Code::kInvalidArgument, reason::kKeyMismatch,
                      "the event is of object " + std::to_string(envelope.object_id));
    }
    item.event.emplace(Delivery{.event = std::move(envelope),
                                .traceparent = std::string(item.traceparent),
                                .offset = item.offset});
    return OkStatus();
}

}  // namespace

Item ReadItem(std::int64_t offset, std::string_view key, std::string_view value,
              std::string_view traceparent) {
    Item item{.offset = offset,
              .key = key,
              .value = value,
              .traceparent = traceparent,
              .object_id = ObjectOf(key),
              .event = std::nullopt,
              .mark = std::nullopt,
              .unreadable = OkStatus()};
    item.unreadable = Read(item);
    return item;
}

}  // namespace kessai::inbox
