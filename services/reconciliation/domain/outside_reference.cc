#include <algorithm>

#include "domain/outside_item.h"
#include "kessai/zengin/kana_text.h"

namespace kessai::reconciliation::domain {
namespace {

constexpr std::string_view kNone = "NOTPROVIDED";

bool IsMark(char c) {
    constexpr std::string_view kMarks = " -/.,:_()\\";
    return kMarks.find(c) != std::string_view::npos;
}

char Capital(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

}  // namespace

std::string NormalReference(std::string_view written) {
    // Kanji have no half-width form: such a reference is compared as it is written.
    const auto kana = zengin::KanaText::FromText(written, zengin::CharacterSet::kEdi);
    const std::string text = kana.ok() ? kana->ToUtf8() : std::string(written);
    std::string normal;
    for (const char c : text) {
        if (!IsMark(c)) normal += Capital(c);
    }
    if (normal == kNone) return {};
    const bool number = std::ranges::all_of(normal, [](char c) { return c >= '0' && c <= '9'; });
    if (number) normal.erase(0, normal.find_first_not_of('0'));
    return normal;
}

}  // namespace kessai::reconciliation::domain
