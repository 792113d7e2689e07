#pragma once

#include <cstdint>
#include <optional>

#include "kessai/mysql/query.h"
#include "kessai/mysql/rows.h"
#include "model/values.h"

// Columns as rows of the model hold them.
namespace kessai::audit {

inline mysql::Bytes BytesOf(const Hash16& hash) {
    return {{reinterpret_cast<const char*>(hash.data()), hash.size()}};
}
inline std::uint32_t Uint32(const mysql::Rows& from, int column) {
    return static_cast<std::uint32_t>(from.Uint(column));
}
inline int SmallInt(const mysql::Rows& from, int column) {
    return static_cast<int>(from.Int(column));
}
/// A DATE, selected as a number ("business_date + 0"): a damaged row may hold what is no date.
inline DayNumber Day(const mysql::Rows& from, int column) {
    return static_cast<DayNumber>(from.Int(column));
}
inline std::optional<Hash32> OptionalHash32(const mysql::Rows& from, int column) {
    if (from.IsNull(column)) return std::nullopt;
    return Hash32Of(from.Bytes(column));
}

}  // namespace kessai::audit
