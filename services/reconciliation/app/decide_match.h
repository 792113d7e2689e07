#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "app/outside_books.h"
#include "domain/outside_record.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::app {

/// What a person decides about a set of items.
enum class MatchDecision : std::uint8_t {
    /// They belong together: of a suggestion, or of what was rejected, withdrawn or taken apart
    /// before. Their other suggestions are withdrawn.
    kConfirm,
    /// They don't: of a suggestion.
    kReject,
    /// They don't, although they were matched: they are unmatched again.
    kTakeApart,
};

/// Use case: a person decides about a suggestion or a match. Each decision is a step of its
/// history, with a name and a reason. Deciding the same again changes nothing. Thread safe.
class DecideMatch {
 public:
    /// Both must outlive it.
    DecideMatch(OutsideTransactions& transactions, const Clock& clock)
        : transactions_(transactions), clock_(clock) {}

    /// Refuses with OUTSIDE_MATCH_UNKNOWN, OUTSIDE_STATE_NOT_ALLOWED, OUTSIDE_ITEM_MATCHED.
    /// `note`: why; may only be empty of kConfirm.
    Result<domain::OutsideMatchRecord> Run(domain::OutsideMatchId id, MatchDecision decision,
                                           std::string_view actor, std::string_view note);

    static constexpr std::size_t kItemsMax = 10'000;
    /// These items, of one account, belong together: of both sides, or of one, which is then
    /// explained by itself (a bank's fee, which nobody expected). The same items again change
    /// nothing. Refuses with OUTSIDE_ITEM_UNKNOWN, OUTSIDE_ITEMS_MIXED, OUTSIDE_ITEM_MATCHED,
    /// AMOUNT_OVERFLOW. Precondition: one item or more, at most kItemsMax.
    Result<domain::OutsideMatchRecord> MatchItems(std::span<const domain::OutsideItemId> items,
                                                  std::string_view actor, std::string_view note);

 private:
    OutsideTransactions& transactions_;
    const Clock& clock_;
};

}  // namespace kessai::reconciliation::app
