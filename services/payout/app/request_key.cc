#include "app/request_key.h"

#include <algorithm>

#include "domain/reason.h"

namespace kessai::payout::app {
namespace {

constexpr std::size_t kRequestKeyMax = 48;

bool IsKeyCharacter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == ':' || c == '-';
}

}  // namespace

Status CheckRequestKey(std::string_view key) {
    if (!key.empty() && key.size() <= kRequestKeyMax && std::ranges::all_of(key, IsKeyCharacter)) {
        return OkStatus();
    }
    return Status(Code::kInvalidArgument, domain::reason::kFieldInvalid,
                  "a request key is 1 to 48 letters, digits and . _ : -");
}

}  // namespace kessai::payout::app
