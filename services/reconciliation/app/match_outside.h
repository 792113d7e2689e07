#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "app/outside_books.h"
#include "domain/outside_record.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::app {

/// What a run did.
struct MatchingRun {
    std::string account = {};
    std::uint32_t rules_version = 0;
    /// Unmatched items that it looked at.
    UnmatchedCounts looked_at = {};
    std::int64_t matches_made = 0;
    std::int64_t suggestions_made = 0;
    /// Suggestions that it no longer found.
    std::int64_t suggestions_withdrawn = 0;
    /// Suggestions that were found and not made, because better ones are as many as a run may make.
    std::int64_t suggestions_left_out = 0;
    /// How often bounds kept an item from being looked at to the end.
    std::int64_t bounds_reached = 0;
};

/// Use case: the unmatched items of an account are matched by the rules in force. Thread safe.
///
/// The items are read, matched in memory without a transaction, and what came of it is stored if
/// nobody changed the account's matches meanwhile; otherwise it begins again. A second run over the
/// same items changes nothing. Sets that a person rejected or took apart are left apart.
class MatchOutside {
 public:
    struct Options {
        /// Of both sides together; some 400 bytes each while a run lasts.
        std::int64_t items_max = 200'000;
        /// That are open behind a run: more than persons look at, and of what a transaction can
        /// store soon.
        std::int64_t suggestions_max = 10'000;
    };

    /// All must outlive it.
    MatchOutside(Options options, OutsideTransactions& transactions,
                 const domain::OutsideAccounts& accounts, const Clock& clock)
        : options_(options), transactions_(transactions), accounts_(accounts), clock_(clock) {}

    /// Over the items of `days`, in the name of `actor`. Items of the days around them that the
    /// rules may take are looked at too, so that nothing is beyond doubt that would not be in a run
    /// over all days. Refuses with OUTSIDE_ACCOUNT_UNKNOWN,
    /// OUTSIDE_RULES_MISSING, OUTSIDE_RUN_TOO_LARGE (fewer days may do), OUTSIDE_ACCOUNT_MOVED.
    Result<MatchingRun> Run(std::string_view account, const DayRange& days, std::string_view actor);

 private:
    const Options options_;
    OutsideTransactions& transactions_;
    const domain::OutsideAccounts& accounts_;
    const Clock& clock_;
};

}  // namespace kessai::reconciliation::app
