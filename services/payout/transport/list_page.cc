#include "transport/list_page.h"

#include <algorithm>
#include <charconv>

#include "domain/reason.h"

namespace kessai::payout::transport {
namespace {

constexpr std::uint32_t kPageMax = 100;

}  // namespace

Result<ListPage> ListPageOf(std::uint32_t size, const std::string& token) {
    ListPage page;
    page.size = static_cast<int>(size == 0 ? kPageMax : std::min(size, kPageMax));
    if (token.empty()) return page;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), page.at);
    if (error != std::errc() || end != token.data() + token.size() || page.at <= 0) {
        return Status(Code::kInvalidArgument, domain::reason::kFieldInvalid,
                      "page_token is of no page");
    }
    return page;
}

}  // namespace kessai::payout::transport
