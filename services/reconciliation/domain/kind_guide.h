#pragma once

#include <string_view>

#include "domain/discrepancy.h"

namespace kessai::reconciliation::domain {

/// What a person is told of a discrepancy beside its evidence.
struct KindGuide {
    std::string_view meaning;
    std::string_view what_to_do;
};

/// Of every kind. The one place for such words: tools and interfaces show them as they are.
KindGuide GuideOf(DiscrepancyKind kind);

}  // namespace kessai::reconciliation::domain
