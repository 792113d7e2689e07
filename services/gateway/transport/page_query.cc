#include "transport/page_query.h"

#include <charconv>
#include <system_error>
#include <utility>

#include "domain/partner_contract.h"
#include "domain/text_rules.h"
#include "kessai/time/business_date.h"

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

Result<std::int32_t> ReadDate(const http::Request& from, std::string_view name) {
    const std::string text = from.QueryValue(name);
    if (text.empty()) return 0;
    const auto date = BusinessDate::Parse(text);
    if (date.ok()) return date->ToNumber();
    return Status(Code::kInvalidArgument, domain::reason::kFieldMalformed,
                  std::string(name) + " is no date like 2026-11-30");
}

Result<DateRange> ReadDates(const http::Request& from) {
    DateRange dates;
    KESSAI_ASSIGN_OR_RETURN(dates.from, ReadDate(from, "from"));
    KESSAI_ASSIGN_OR_RETURN(dates.to, ReadDate(from, "to"));
    if (dates.to != 0 && dates.to < dates.from) {
        return Status(Code::kInvalidArgument, domain::reason::kFieldMalformed,
                      "to is before from: no day is between them");
    }
    return dates;
}

Status PageTokenInvalid() {
    return {Code::kInvalidArgument, "PAGE_TOKEN_INVALID", "no page token of ours"};
}

}  // namespace kessai::gateway::transport
