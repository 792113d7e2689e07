#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kessai/http/message.h"
#include "kessai/result/result.h"

namespace kessai::gateway::transport {

/// What a request wants of a list that comes in pages: `pageSize` and `pageToken` of its query.
struct PageQuery {
    /// 0: as many as the list gives by itself.
    std::uint32_t size = 0;
    /// As a page before gave it, not looked into; empty: the first page.
    std::string token;
};

/// Refuses with INVALID_ARGUMENT FIELD_MALFORMED (pageSize is not from 1 to `size_max`) and
/// PAGE_TOKEN_INVALID (longer than any of ours, or no text).
Result<PageQuery> ReadPage(const http::Request& from, std::uint32_t size_max);

/// Days that a request wants of a list: `from` and `to` of its query, both included, yyyymmdd; 0
/// where it names none.
struct DateRange {
    std::int32_t from = 0;
    std::int32_t to = 0;
};

/// One date of the query, or 0. Refuses with INVALID_ARGUMENT FIELD_MALFORMED.
Result<std::int32_t> ReadDate(const http::Request& from, std::string_view name);
/// Refuses as well where the last day is before the first.
Result<DateRange> ReadDates(const http::Request& from);

/// A page token that no page of this list gave.
Status PageTokenInvalid();

}  // namespace kessai::gateway::transport
