#include "model/values.h"

#include <algorithm>

#include "kessai/time/business_date.h"
#include "report.h"

namespace kessai::audit {
namespace {

template <class Hash>
Hash HashFrom(std::string_view bytes) {
    Hash hash{};
    std::copy_n(bytes.begin(), std::min(bytes.size(), hash.size()), hash.begin());
    return hash;
}

template <class Hash>
std::string HexOf(const Hash& hash) {
    return ToHex({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

}  // namespace

std::uint64_t HashOfText(std::string_view text) {
    if (text.empty()) return 0;
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3;
    }
    return hash == 0 ? 1 : hash;
}

std::string DayText(DayNumber day) {
    const auto date = BusinessDate::FromNumber(day);
    return date.ok() ? date->ToString() : std::to_string(day);
}

Hash16 Hash16Of(std::string_view bytes) {
    return HashFrom<Hash16>(bytes);
}
Hash32 Hash32Of(std::string_view bytes) {
    return HashFrom<Hash32>(bytes);
}
std::string ToText(const Hash16& hash) {
    return HexOf(hash);
}
std::string ToText(const Hash32& hash) {
    return HexOf(hash);
}

}  // namespace kessai::audit
