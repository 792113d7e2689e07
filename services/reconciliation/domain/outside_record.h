#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/claim.h"
#include "domain/ids.h"
#include "domain/outside_item.h"
#include "domain/outside_match.h"
#include "kessai/money/money.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

/// What is kept of accounts outside: items of both sides, what was matched and by whom.
namespace kessai::reconciliation::domain {

/// What an expected item expects.
enum class ExpectedKind : std::uint8_t {
    /// A transfer is in a file for the bank: money leaves.
    kTransferSent = 1,
    /// The bank did not pay it, or it came back: money returns.
    kTransferReturned = 2,
    /// A customer's wallet was topped up: the source pays.
    kTopUp = 3,
};

/// The event that an expected item was made of; with it, an item is made once.
struct ExpectedKey {
    std::int64_t object = 0;
    std::uint32_t version = 0;

    constexpr auto operator<=>(const ExpectedKey&) const = default;
};

/// What an event says must move outside.
struct ExpectedItem {
    ExpectedKey key = {};
    ContentHash content = {};
    ExpectedKind kind = ExpectedKind::kTransferSent;
    /// By our name of it.
    std::string account = {};
    Money amount = {};
    BusinessDate date = {};
    std::vector<std::string> references = {};
    /// For people: which merchant, payout and attempt, or which customer.
    std::string text = {};

    bool operator==(const ExpectedItem&) const = default;
};

/// A movement as one side has it, and as it is kept.
struct OutsideRecord {
    OutsideItemId id{};
    OutsideSide side = OutsideSide::kExpected;
    std::string account = {};
    Money amount = {};
    /// When it is expected, or was booked.
    BusinessDate date = {};
    /// Kind and value.
    std::vector<std::pair<std::string, std::string>> references = {};
    std::string counterparty = {};
    std::string text = {};
    /// The match that took it; none while it is unmatched.
    OutsideMatchId match{};

    // Of the expected side.
    ExpectedKind kind = ExpectedKind::kTransferSent;
    ExpectedKey key = {};
    ContentHash content = {};

    // Of the booked side.
    StatementImportId import{};
    std::uint32_t line = 0;
    BusinessDate value_date = {};
    bool is_reversal = false;

    bool operator==(const OutsideRecord&) const = default;
};

/// Whether a reference of that kind may name what our books know: what a bank numbers its own
/// entries by does not, and its short numbers would be taken for ours.
bool MayBeOurs(std::string_view reference_kind);

/// Numbers are stored.
enum class OutsideMatchState : std::uint8_t {
    /// For a person to confirm or reject.
    kSuggested = 1,
    kMatched = 2,
    /// A person said that the items do not belong together; not suggested again.
    kRejected = 3,
    /// It was matched, and a person took it apart; not matched again but by a person.
    kTakenApart = 4,
    /// Suggested once, and no longer: its items were matched otherwise, or the rules changed.
    kWithdrawn = 5,
};
/// "SUGGESTED" and so on.
std::string_view NameOf(OutsideMatchState state);

/// A set of items and where it stands. A set has one such record, whatever becomes of it.
struct OutsideMatchRecord {
    OutsideMatchId id{};
    std::string account = {};
    OutsideMatchState state = OutsideMatchState::kSuggested;
    /// What found it first, as of the latest run that did.
    std::uint32_t rules_version = 0;
    std::string rule = {};
    int score = 0;
    std::string why = {};
    /// What was booked above what was expected.
    Money difference = {};
    std::vector<OutsideItemId> expected = {};
    std::vector<OutsideItemId> booked = {};
    std::uint32_t step_count = 0;
    Instant changed_at = {};

    bool operator==(const OutsideMatchRecord&) const = default;
};

/// One entry of a record's history; never changed.
struct OutsideStep {
    std::uint32_t number = 0;
    OutsideMatchState state = OutsideMatchState::kSuggested;
    std::string actor = {};
    std::string note = {};
    Instant at = {};

    bool operator==(const OutsideStep&) const = default;
};

/// An account outside, as it is configured.
struct OutsideAccount {
    /// Ours, in commands, rules and metrics; never changed.
    std::string name = {};
    /// As statements name it.
    std::string number = {};
    /// Payout's transfers leave from it and come back to it.
    bool transfers = false;
    /// Funding sources of wallets that pay into it.
    std::vector<std::string> top_up_sources = {};
    /// An item that has been unmatched for more days is overdue.
    int overdue_days = 5;

    bool operator==(const OutsideAccount&) const = default;
};

/// All accounts that are configured. Value type.
class OutsideAccounts {
 public:
    static constexpr std::size_t kAccountsMax = 64;
    static constexpr std::size_t kNameMax = 32;

    OutsideAccounts() = default;
    /// Refuses with INVALID_ARGUMENT OUTSIDE_ACCOUNTS_INVALID: more than kAccountsMax, a name that
    /// is not of [a-z0-9-] or there twice, a number that is there twice or empty, two accounts for
    /// transfers or for one source.
    static Result<OutsideAccounts> Make(std::vector<OutsideAccount> accounts);

    bool empty() const { return accounts_.empty(); }
    const std::vector<OutsideAccount>& all() const { return accounts_; }
    /// Null if there is none.
    const OutsideAccount* Find(std::string_view name) const;
    const OutsideAccount* FindNumber(std::string_view number) const;
    const OutsideAccount* OfTransfers() const;
    const OutsideAccount* OfTopUps(std::string_view source) const;

 private:
    std::vector<OutsideAccount> accounts_;
};

/// How old an item is, in classes for people.
inline constexpr int kAgeBuckets = 5;
/// "0-1" days, "2-3", "4-7", "8-30", "31+"; what is expected later is of the first.
std::string_view AgeBucketName(int bucket);
int AgeBucketOf(int age_days);

/// The unmatched items of an account's side.
struct UnmatchedTotal {
    std::int64_t count = 0;
    /// Summed without sign, minor units.
    std::int64_t value = 0;
    std::int64_t overdue_count = 0;
    std::int64_t overdue_value = 0;
    /// Days of the oldest; 0 if there is none.
    int oldest_days = 0;
    std::int64_t bucket_count[kAgeBuckets] = {};
    std::int64_t bucket_value[kAgeBuckets] = {};

    /// OUT_OF_RANGE AMOUNT_OVERFLOW.
    Status Add(int age_days, std::int64_t count_of, std::int64_t value_of, int overdue_days);
};

}  // namespace kessai::reconciliation::domain
