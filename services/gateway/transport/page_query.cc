#include "transport/page_query.h"

#include <charconv>
#include <system_error>
#include <utility>

#include "domain/partner_contract.h"
#include "domain/text_rules.h"

namespace kessai::gateway::transport {
namespace {

constexpr std::size_t kTokenBytesMax = 256;

}  // namespace

Result<PageQuery> ReadPage(const http::Request& from, std::uint32_t size_max) {
    PageQuery page;
    if (const std::string text = from.QueryValue("pageSize"); !text.empty()) {
        const char* const text_end = text.data() + text.size();
        const auto [end, error] = std::from_chars(text.data(), text_end, page.size);
        if (error != std::errc{} || end != text_end || page.size < 1 || page.size > size_max) {
            return Status(Code::kInvalidArgument, domain::reason::kFieldMalformed,
                          "pageSize is not from 1 to " + std::to_string(size_max));
        }
    }
    page.token = from.QueryValue("pageToken");
    if (!domain::IsText(page.token, kTokenBytesMax)) return PageTokenInvalid();
    return page;
}

Status PageTokenInvalid() {
    return {Code::kInvalidArgument, "PAGE_TOKEN_INVALID", "no page token of ours"};
}

}  // namespace kessai::gateway::transport
