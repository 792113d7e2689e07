#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <system_error>

#include "domain/text_rules.h"
#include "kessai/http/message.h"
#include "kessai/result/result.h"
#include "transport/request_scope.h"

namespace kessai::gateway::transport {

/// A refusal as problem details, in the name of the operator who asked.
http::Response RefuseOperator(const RequestScope& scope, const Status& why);

/// A field, of the path, query or body, that is not as its description says.
Status FieldMalformed(std::string why);

/// Reads `pageSize` and `pageToken` of the query into `page`, a request for a page of a list.
template <class Request>
Status ReadPage(const http::Request& from, Request& page) {
    if (const std::string text = from.QueryValue("pageSize"); !text.empty()) {
        std::uint32_t size = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
        if (error != std::errc{} || end != text.data() + text.size()) {
            return FieldMalformed("pageSize is no number");
        }
        page.set_page_size(size);
    }
    const std::string token = from.QueryValue("pageToken");
    if (!domain::IsText(token, 256)) return FieldMalformed("pageToken is none of ours");
    page.set_page_token(token);
    return OkStatus();
}

}  // namespace kessai::gateway::transport
