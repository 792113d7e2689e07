#pragma once

#include <string>
#include <vector>

#include "report.h"

namespace kessai::audit::testing {

/// Every finding as "M2 stored balance: account user_money owner 7: expected 900, found 905".
inline std::vector<std::string> Lines(const Report& report) {
    std::vector<std::string> lines;
    for (int i = 0; i < kInvariants; ++i) {
        const auto invariant = static_cast<Invariant>(i);
        for (const Report::Kind& kind : report.part(invariant).kinds) {
            for (const Finding& finding : kind.examples) {
                lines.push_back(std::string(NameOf(invariant)) + " " + std::string(kind.what) +
                                ": " + ToText(finding.subject) + ": expected " + finding.expected +
                                ", found " + finding.found);
            }
        }
        for (const std::string& why : report.part(invariant).not_checked) {
            lines.push_back(std::string(NameOf(invariant)) + " not checked: " + why);
        }
    }
    return lines;
}

}  // namespace kessai::audit::testing
