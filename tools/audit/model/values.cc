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
