#pragma once

#include <cstdint>
#include <string>

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

/// A page token that no page of this list gave.
Status PageTokenInvalid();

}  // namespace kessai::gateway::transport
