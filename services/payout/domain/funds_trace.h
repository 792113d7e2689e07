#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/ids.h"
#include "domain/merchant_journal.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::payout::domain {

/// What makes a merchant's available balance, up or down. The numbers are those of
/// `kessai.payout.v1.FundsPart.Kind`.
enum class FundsKind : std::uint8_t {
    /// A day that was released: what it brought, or took when returns were more than sales.
    kRelease = 1,
    /// What an operator gave or took.
    kAdjustment = 2,
    /// What a payout costs the merchant, tax included.
    kPrice = 3,
};

struct FundsSource {
    FundsKind kind = FundsKind::kRelease;
    /// Of a release.
    BusinessDate day = {};
    /// The adjustment, or the transfer whose price it is.
    std::int64_t object = 0;

    auto operator<=>(const FundsSource&) const = default;
};

/// So much of a source; below zero of what takes money.
struct FundsPart {
    FundsSource source;
    std::int64_t amount = 0;

    bool operator==(const FundsPart&) const = default;
};

/// A day as it was released to one merchant, all tax classes together.
struct ReleasedDay {
    BusinessDate day = {};
    int round = 0;
    std::int64_t gross = 0;
    std::int64_t fee = 0;
    std::int64_t tax = 0;
    std::int64_t net = 0;
    std::int64_t item_count = 0;

    bool operator==(const ReleasedDay&) const = default;
};

/// A journal of a merchant, and what was released to the merchant before it.
struct SeenJournal {
    MerchantJournal journal;
    /// Nothing: it is of a version that did not note it.
    std::optional<std::int64_t> released;
};

/// Of what a merchant's transfers are made, from the merchant's whole history in its order.
///
/// Available is a sum of sources. A transfer, which takes only from a positive balance, takes along
/// **all that takes money** (days below zero, adjustments that took, its own price and those left
/// of earlier ones) and days of zero, each whole, and of what gives money **the oldest first**, as
/// much as makes up its amount. So its parts sum to its amount, and what gives is in several
/// transfers at most because it was split. What failed or came back puts all its parts back where
/// they were: the next transfer takes them, by the same rule. So does what was cancelled, whose
/// price is gone then.
class FundsTrace {
 public:
    /// A day is released. Once a day.
    void Release(BusinessDate day, std::int64_t net);
    /// Refuses with DATA_LOSS TRACE_DIFFERS a transfer that there was no money for, and a result of
    /// an unknown one: no history brings that.
    Status Post(const MerchantJournal& journal);

    /// What a transfer was made of, in the order in which it became available, whatever became of
    /// it; empty for one that is unknown.
    std::vector<FundsPart> PartsOf(TransferId transfer) const;
    /// The transfers that have a part of the source, rising.
    std::vector<std::pair<TransferId, std::int64_t>> TransfersWith(const FundsSource& source) const;
    /// What is in no transfer, or came back: sums to the available balance.
    std::vector<FundsPart> Left() const;

 private:
    /// Sources by their order of arrival, and so much of each.
    using Amounts = std::map<std::size_t, std::int64_t>;

    void Add(const FundsSource& source, std::int64_t amount);
    Result<Amounts> Take(std::int64_t amount);
    std::vector<FundsPart> ToParts(const Amounts& amounts) const;

    std::vector<FundsSource> sources_;
    Amounts left_;
    std::map<TransferId, Amounts> transfers_;
};

/// The trace of a merchant's journals, in their order, and releases, in theirs. A journal that saw
/// so much released is behind the fewest releases that sum to it. Refuses with FAILED_PRECONDITION
/// TRACE_UNKNOWN when a journal did not note what it saw, with DATA_LOSS TRACE_DIFFERS when no
/// releases sum to it, and with OUT_OF_RANGE AMOUNT_OVERFLOW.
Result<FundsTrace> TraceFunds(std::span<const ReleasedDay> releases,
                              std::span<const SeenJournal> journals);

}  // namespace kessai::payout::domain
