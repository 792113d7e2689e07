#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/outbox/batch_writer.h"
#include "kessai/result/result.h"

namespace kessai::outbox {

/// The entries of one row, as column `entries` holds them: one byte 1 (the format), then for each
/// entry, numbers little endian:
///
///     u8 topic | u8 flags | i64 object id | [i32 partition] | u8 size, traceparent | u32 size,
///     value
///
/// flags: 1 the partition is given, 2 republished.

/// Appends an entry that was checked before; begins the row when `packed` is empty.
void AppendEntry(std::string& packed, const Entry& entry);

/// Views into `packed`. DATA_LOSS OUTBOX_ROW_MALFORMED.
Result<std::vector<Entry>> ReadEntries(std::string_view packed);

}  // namespace kessai::outbox
