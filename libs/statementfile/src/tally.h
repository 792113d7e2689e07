#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kessai/money/money.h"
#include "kessai/result/result.h"
#include "kessai/statementfile/statement_item.h"

/// What lines sum to, against what their file says they do.
namespace kessai::statementfile::internal {

inline Status TotalsWrong(std::string message) {
    return Status(Code::kInvalidArgument, reason::kTotalsWrong, std::move(message));
}

struct Tally {
    Movements movements = {};
    /// Broken lines whose amounts are not known: of either side, of any size.
    std::int64_t unread = 0;

    std::int64_t lines() const { return movements.credit_count + movements.debit_count + unread; }
    Status Add(Money amount) {
        const bool credit = !amount.is_negative();
        ++(credit ? movements.credit_count : movements.debit_count);
        Money& sum = credit ? movements.credits : movements.debits;
        if (sum.is_zero()) sum = Money(0, amount.currency());
        KESSAI_ASSIGN_OR_RETURN(sum, credit ? sum.Add(amount) : sum.Subtract(amount));
        return OkStatus();
    }
    Result<std::int64_t> Net() const {
        return CheckedSubtract(movements.credits.minor(), movements.debits.minor());
    }
};

/// What a file says; `what` is how messages call it.
struct Stated {
    std::string what;
    std::optional<std::int64_t> count = {};
    /// Minor units.
    std::optional<std::int64_t> sum = {};
};

/// Refuses with STATEMENT_TOTALS_WRONG what the file says of lines of which `count` with `sum` are
/// known and up to `unread` more may be.
inline Status CheckStated(const Stated& stated, std::int64_t count, std::int64_t sum,
                          std::int64_t unread) {
    const std::string but_for =
        unread == 0 ? "" : " but for " + std::to_string(unread) + " that can't be read";
    if (stated.count && (*stated.count < count || *stated.count - count > unread)) {
        return TotalsWrong(stated.what + ": the count is " + std::to_string(*stated.count) +
                           ", the lines are " + std::to_string(count) + but_for);
    }
    const bool open = stated.count ? *stated.count > count : unread > 0;
    if (stated.sum && (*stated.sum < sum || (*stated.sum != sum && !open))) {
        return TotalsWrong(stated.what + ": the sum is " + std::to_string(*stated.sum) +
                           ", the lines sum to " + std::to_string(sum) + but_for);
    }
    return OkStatus();
}

inline Status CheckCredits(const Stated& stated, const Tally& tally) {
    return CheckStated(stated, tally.movements.credit_count, tally.movements.credits.minor(),
                       tally.unread);
}
inline Status CheckDebits(const Stated& stated, const Tally& tally) {
    return CheckStated(stated, tally.movements.debit_count, tally.movements.debits.minor(),
                       tally.unread);
}

}  // namespace kessai::statementfile::internal
