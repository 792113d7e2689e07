#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "kessai/result/result.h"
#include "model/history_rows.h"

namespace kessai::audit {

/// The hashes of the audit trail of discrepancies, written down a second time from their documented
/// definition (docs/decisions/2026-11-30-the-history-of-discrepancies-is-chained.md).
class HistoryChain {
 public:
    using Key = std::array<std::uint8_t, 32>;

    explicit HistoryChain(const Key& key) : key_(key) {}
    /// 64 hexadecimal digits. INVALID_ARGUMENT AUDIT_KEY_INVALID.
    static Result<HistoryChain> FromHex(std::string_view text);

    Hash32 OfRepair(const RepairRow& row) const;
    /// Of a step of the discrepancy, behind the one whose hash is `before` (zeros: the first one).
    Hash32 OfStep(const Hash32& before, const DiscrepancyRow& discrepancy,
                  const HistoryStepRow& step) const;
    Hash32 OfAnchor(const Hash32& before, const AnchorRow& anchor) const;

 private:
    Hash32 Sign(std::string_view bytes) const;
    Key key_;
};

/// The steps that an anchor names; nothing when its bytes are no list of steps.
std::optional<std::vector<AnchoredStep>> StepsOf(const AnchorRow& anchor);

}  // namespace kessai::audit
