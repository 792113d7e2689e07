#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/outside_record.h"
#include "domain/outside_rule.h"
#include "kessai/result/result.h"
#include "kessai/statementfile/statement_item.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

/// The ports to what is kept of accounts outside. An implementation is good for one transaction and
/// one thread. Common refusals: ABORTED and UNAVAILABLE (the whole transaction runs again),
/// INTERNAL.
namespace kessai::reconciliation::app {

namespace reason {
/// NOT_FOUND: a template of that name was never put.
inline constexpr std::string_view kTemplateUnknown = "STATEMENT_TEMPLATE_UNKNOWN";
/// NOT_FOUND: no account of that name is configured.
inline constexpr std::string_view kAccountUnknown = "OUTSIDE_ACCOUNT_UNKNOWN";
/// FAILED_PRECONDITION: the account has no rules to match by.
inline constexpr std::string_view kRulesMissing = "OUTSIDE_RULES_MISSING";
inline constexpr std::string_view kImportUnknown = "STATEMENT_IMPORT_UNKNOWN";
inline constexpr std::string_view kMatchUnknown = "OUTSIDE_MATCH_UNKNOWN";
inline constexpr std::string_view kItemUnknown = "OUTSIDE_ITEM_UNKNOWN";
/// INVALID_ARGUMENT: items of more than one account.
inline constexpr std::string_view kItemsMixed = "OUTSIDE_ITEMS_MIXED";
/// FAILED_PRECONDITION: one of the items was matched otherwise.
inline constexpr std::string_view kItemMatched = "OUTSIDE_ITEM_MATCHED";
/// FAILED_PRECONDITION: from where it stands it can't be taken there.
inline constexpr std::string_view kStateNotAllowed = "OUTSIDE_STATE_NOT_ALLOWED";
/// RESOURCE_EXHAUSTED: more unmatched items than are matched at once.
inline constexpr std::string_view kRunTooLarge = "OUTSIDE_RUN_TOO_LARGE";
/// INVALID_ARGUMENT: a file larger than is taken in.
inline constexpr std::string_view kFileTooLarge = "STATEMENT_FILE_TOO_LARGE";
/// FAILED_PRECONDITION: the file is of an account that is not configured, or not of the one that
/// the caller said.
inline constexpr std::string_view kFileAccountWrong = "STATEMENT_ACCOUNT_WRONG";
/// ABORTED: others went on changing the account; the same again may do.
inline constexpr std::string_view kAccountMoved = "OUTSIDE_ACCOUNT_MOVED";
}  // namespace reason

/// YAML that operators put, version by version: nothing is overwritten.
enum class TextKind : std::uint8_t { kTemplate = 1, kRules = 2 };

struct StoredText {
    TextKind kind = TextKind::kTemplate;
    /// Of the template, or of the account.
    std::string name = {};
    std::uint32_t version = 0;
    std::string yaml = {};
    std::string put_by = {};
    Instant put_at = {};

    bool operator==(const StoredText&) const = default;
};

enum class StatementFormat : std::uint8_t { kCsv = 1, kZengin = 2, kCamt053 = 3 };

/// A line of a file about which there is something to say.
struct ImportNote {
    enum class Kind : std::uint8_t {
        /// It could not be read: `reason` and `message` say why.
        kBroken = 1,
        /// It says again what an earlier file said.
        kKnown = 2,
    };
    Kind kind = Kind::kBroken;
    std::int64_t line = 0;
    std::string reason = {};
    std::string message = {};

    bool operator==(const ImportNote&) const = default;
};

/// A file that was taken in.
struct StatementImport {
    domain::StatementImportId id{};
    StatementFormat format = StatementFormat::kCsv;
    /// Of CSV: the template, and the version of it that was in force.
    std::string template_name = {};
    std::uint32_t template_version = 0;
    /// 64 hexadecimal digits.
    std::string sha256 = {};
    std::int64_t bytes = 0;
    /// New items; those that an earlier file had; lines that could not be read; entries that the
    /// bank has not booked.
    std::int64_t added = 0;
    std::int64_t known = 0;
    std::int64_t broken = 0;
    std::int64_t not_booked = 0;
    /// Our names of the accounts that it speaks of, rising.
    std::vector<std::string> accounts = {};
    std::string imported_by = {};
    Instant imported_at = {};
    /// At most kNotesMax of each kind, in the order of the file.
    std::vector<ImportNote> notes = {};
    /// At most kStatementsMax, with the file's own balances and what of it was checked.
    std::vector<statementfile::StatementSummary> statements = {};

    static constexpr std::size_t kNotesMax = 1'000;
    static constexpr std::size_t kStatementsMax = 1'000;
};

/// An item to store, and what it is known by among those of its side.
struct NewOutsideItem {
    domain::OutsideRecord record = {};
    std::string identity = {};
};

struct KnownExpected {
    domain::ExpectedKey key = {};
    domain::ContentHash content = {};
};

/// Days, both included.
struct DayRange {
    BusinessDate first = {};
    BusinessDate last = {};

    /// Every day that a statement may have.
    static DayRange All() {
        using std::chrono::sys_days;
        using std::chrono::year;
        return {BusinessDate(sys_days(year(1900) / 1 / 1)),
                BusinessDate(sys_days(year(9999) / 12 / 31))};
    }
    bool operator==(const DayRange&) const = default;
};

/// Where an account stands; all zero of one that nothing was done to yet.
struct AccountState {
    /// How often its matches were changed.
    std::int64_t revision = 0;
    /// How many imports brought items, and how many of them a run has seen; it is due while they
    /// differ.
    std::int64_t added = 0;
    std::int64_t seen = 0;

    bool operator==(const AccountState&) const = default;
};

struct UnmatchedCounts {
    std::int64_t expected = 0;
    std::int64_t booked = 0;
};

/// Where a record goes, and the entry of its history.
struct MatchChange {
    /// As it is to be stored. A new one has no id: the store gives it.
    domain::OutsideMatchRecord record = {};
    domain::OutsideStep step = {};
};

struct MatchFilter {
    /// Empty: of all accounts.
    std::string account = {};
    std::optional<domain::OutsideMatchState> state = {};
    /// Only older ones than this; none: from the newest.
    domain::OutsideMatchId before{};
    int limit = 100;
};

struct UnmatchedFilter {
    std::string account = {};
    domain::OutsideSide side = domain::OutsideSide::kExpected;
    /// Only behind this one by (date, id).
    BusinessDate after_date = {};
    domain::OutsideItemId after{};
    int limit = 100;
};

/// Unmatched items of one account, side and day.
struct UnmatchedDay {
    std::string account = {};
    domain::OutsideSide side = domain::OutsideSide::kExpected;
    BusinessDate date = {};
    std::int64_t count = 0;
    std::int64_t value = 0;
};

class OutsideBooks {
 public:
    virtual ~OutsideBooks() = default;

    /// Stores it as the next version; the same text as the latest gives that one.
    virtual Result<StoredText> PutText(TextKind kind, std::string_view name, std::string_view yaml,
                                       std::string_view actor, Instant now) = 0;
    virtual Result<std::optional<StoredText>> LatestText(TextKind kind, std::string_view name) = 0;

    /// One import at a time, until the transaction ends.
    virtual Status LockImports() = 0;
    /// With notes and statements, as FindImport.
    virtual Result<std::optional<StatementImport>> FindImportOf(std::string_view sha256) = 0;
    /// NOT_FOUND STATEMENT_IMPORT_UNKNOWN.
    virtual Result<StatementImport> FindImport(domain::StatementImportId id) = 0;
    /// Newest first, without notes and statements; `before` none: from the newest.
    virtual Result<std::vector<StatementImport>> ListImports(domain::StatementImportId before,
                                                             int limit) = 0;
    virtual Result<domain::StatementImportId> NextImportId() = 0;
    virtual Status InsertImport(const StatementImport& import) = 0;
    /// Those of the booked side that are there.
    virtual Result<std::set<std::string>> KnownEntries(std::span<const std::string> identities) = 0;
    /// Gives each an id, in their order. ALREADY_EXISTS when one of them is there.
    virtual Status InsertItems(std::span<const NewOutsideItem> items) = 0;
    /// `keys` rise.
    virtual Result<std::vector<KnownExpected>> FindExpected(
        std::span<const domain::ExpectedKey> keys) = 0;

    /// The account has items that no run has seen.
    virtual Status MarkDue(std::string_view account) = 0;
    virtual Result<std::vector<std::string>> ListDue() = 0;
    virtual Result<AccountState> FindAccount(std::string_view account) = 0;
    /// The same, locked until the transaction ends.
    virtual Result<AccountState> LockAccount(std::string_view account) = 0;
    /// It was locked.
    virtual Status UpdateAccount(std::string_view account, const AccountState& state) = 0;

    virtual Result<UnmatchedCounts> CountUnmatched(std::string_view account,
                                                   const DayRange& days) = 0;
    virtual Result<std::vector<domain::OutsideItem>> LoadUnmatched(std::string_view account,
                                                                   domain::OutsideSide side,
                                                                   const DayRange& days) = 0;
    /// Sets of unmatched items that a person rejected or took apart.
    virtual Result<std::vector<domain::OutsideApart>> ListApart(std::string_view account) = 0;
    /// The records of the account in that state, by id.
    virtual Result<std::vector<domain::OutsideMatchRecord>> ListOf(
        std::string_view account, domain::OutsideMatchState state) = 0;
    /// Those of the records' sets that have a record, whatever its state.
    virtual Result<std::vector<domain::OutsideMatchRecord>> FindSets(
        std::string_view account, std::span<const domain::OutsideMatchRecord> sets) = 0;
    /// Stores records and steps. What becomes kMatched takes its items: FAILED_PRECONDITION
    /// OUTSIDE_ITEM_MATCHED when one is taken. What was kMatched and is not gives them back.
    virtual Status Store(std::span<const MatchChange> changes) = 0;

    /// NOT_FOUND OUTSIDE_MATCH_UNKNOWN.
    virtual Result<domain::OutsideMatchRecord> FindMatch(domain::OutsideMatchId id) = 0;
    virtual Result<std::vector<domain::OutsideStep>> Steps(domain::OutsideMatchId id) = 0;
    /// Newest first.
    virtual Result<std::vector<domain::OutsideMatchRecord>> ListMatches(
        const MatchFilter& filter) = 0;
    /// Open suggestions that have one of the items.
    virtual Result<std::vector<domain::OutsideMatchRecord>> SuggestionsOf(
        std::span<const domain::OutsideItemId> items) = 0;
    /// By id; those that are not there are left out.
    virtual Result<std::vector<domain::OutsideRecord>> FindItems(
        std::span<const domain::OutsideItemId> ids) = 0;
    /// Oldest first.
    virtual Result<std::vector<domain::OutsideRecord>> ListUnmatched(
        const UnmatchedFilter& filter) = 0;
    virtual Result<std::vector<UnmatchedDay>> UnmatchedDays() = 0;
};

/// Opens transactions.
class OutsideTransactions {
 public:
    virtual ~OutsideTransactions() = default;
    /// As Transactions::Run (books.h).
    virtual Status Run(const std::function<Status(OutsideBooks&)>& work) = 0;
};

}  // namespace kessai::reconciliation::app
