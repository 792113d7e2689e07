#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "app/payout_books.h"
#include "domain/claim.h"
#include "domain/day_marks.h"
#include "domain/day_run.h"
#include "domain/discrepancy.h"
#include "domain/hold_notice.h"
#include "domain/match.h"
#include "domain/repair.h"
#include "kessai/digest/accumulator.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

/// The ports to what reconciliation keeps. An implementation is good for one transaction and one
/// thread. Common refusals: ABORTED and UNAVAILABLE (the whole transaction runs again), INTERNAL.
namespace kessai::reconciliation::app {

/// What the matches of one batch add to the day's sums, gathered before it reaches the database.
class MatchedSums {
 public:
    struct MerchantDay {
        BusinessDate business_date;
        domain::MerchantId merchant;
        Currency currency;
        domain::TaxClass tax_class = domain::TaxClass::kNotNoted;

        friend bool operator<(const MerchantDay& a, const MerchantDay& b) {
            return std::tuple(a.business_date, a.merchant, a.currency.code(), a.tax_class) <
                   std::tuple(b.business_date, b.merchant, b.currency.code(), b.tax_class);
        }
    };
    struct Total {
        std::int64_t gross = 0;
        /// As payout told it.
        std::int64_t fee = 0;
        std::int64_t item_count = 0;
    };

    explicit MatchedSums(const digest::RowHasher& hasher) : digest_(hasher) {}

    /// Precondition: matched. Claims are bounded (domain::kGrossMax), so no batch overflows.
    void Add(const domain::Match& match);

    bool empty() const { return totals_.empty(); }
    const std::map<MerchantDay, Total>& totals() const { return totals_; }
    const digest::Accumulator& digest() const { return digest_; }

 private:
    std::map<MerchantDay, Total> totals_;
    digest::Accumulator digest_;
};

class MatchBooks {
 public:
    virtual ~MatchBooks() = default;

    /// Those of the changes that are known, rising. `keys` rise.
    virtual Result<std::vector<domain::Match>> Find(std::span<const domain::ChangeKey> keys) = 0;
    /// The same, locked until the transaction ends. Keys that are not there are not locked.
    virtual Result<std::vector<domain::Match>> Lock(std::span<const domain::ChangeKey> keys) = 0;
    /// Rising. ALREADY_EXISTS when one of them is there.
    virtual Status Insert(std::span<const domain::Match> matches) = 0;
    /// Rising; they were locked.
    virtual Status Update(std::span<const domain::Match> matches) = 0;
    /// `slot` is one per writer, so that no two writers share a row.
    virtual Status AddSums(const MatchedSums& sums, int slot) = 0;

    /// The digest of what was matched of a day, as it is kept.
    virtual Result<digest::DayDigest> KeptDigest(BusinessDate business_date) = 0;
    /// At most `limit` matches of the day and bucket behind `after`, rising.
    virtual Result<std::vector<domain::Match>> ListDay(BusinessDate business_date, int bucket,
                                                       domain::ChangeKey after, int limit) = 0;
    /// What was matched of the day's merchants in these buckets, summed up from the rows; in no
    /// order. Reads all of them.
    virtual Result<std::vector<MatchedLine>> SumMatched(BusinessDate business_date,
                                                        digest::BucketRange buckets) = 0;
};

/// What to store of a discrepancy: itself as it is now and the step that led there.
struct DiscrepancyChange {
    /// The id of a new one is none: the store gives it.
    domain::Discrepancy discrepancy;
    /// None when only the run that found it is noted.
    std::optional<domain::Step> step;
    /// The repair as it is after the step, which tells of it.
    std::optional<domain::Repair> repair{};

    bool IsNew() const { return discrepancy.id.is_none(); }
};

/// Which discrepancies to list, newest first.
struct DiscrepancyFilter {
    std::optional<domain::DiscrepancyState> state{};
    std::optional<BusinessDate> business_date{};
    /// Only older ones than this; none: from the newest.
    domain::DiscrepancyId before{};
    int limit = 100;
};

/// The unsettled discrepancies of one kind.
struct UnsettledTotal {
    domain::DiscrepancyKind kind{};
    std::int64_t count = 0;
    /// By how much the sides differ, without sign, minor units.
    std::int64_t at_risk = 0;
    /// When the oldest of them was found, and the oldest day that they are of.
    Instant oldest_found{};
    BusinessDate oldest_day{};
};

class DiscrepancyBooks {
 public:
    virtual ~DiscrepancyBooks() = default;

    /// Those with these subjects, locked. `subjects` rise.
    virtual Result<std::vector<domain::Discrepancy>> Lock(
        std::span<const domain::Subject> subjects) = 0;
    /// The unsettled ones of these changes, whatever their kind, locked. `keys` rise.
    virtual Result<std::vector<domain::Discrepancy>> LockUnsettled(
        std::span<const domain::ChangeKey> keys) = 0;
    /// At most `limit` unsettled ones of the day that runs before `run` found and it did not,
    /// behind `after` by id, locked; rising by id.
    virtual Result<std::vector<domain::Discrepancy>> LockFoundBefore(BusinessDate business_date,
                                                                     std::uint32_t run,
                                                                     domain::DiscrepancyId after,
                                                                     int limit) = 0;
    /// NOT_FOUND DISCREPANCY_UNKNOWN.
    virtual Result<domain::Discrepancy> LockOne(domain::DiscrepancyId id) = 0;

    /// Stores the changes and publishes each step. What it stored before in the transaction has to
    /// be locked again first. ABORTED when somebody else stored the same subject since Lock did not
    /// find it.
    virtual Status Store(std::span<const DiscrepancyChange> changes) = 0;

    /// NOT_FOUND DISCREPANCY_UNKNOWN.
    virtual Result<domain::Discrepancy> Find(domain::DiscrepancyId id) = 0;
    virtual Result<std::vector<domain::Discrepancy>> List(const DiscrepancyFilter& filter) = 0;
    /// The steps of some discrepancies, rising by (id, number).
    virtual Result<std::map<domain::DiscrepancyId, std::vector<domain::Step>>> Steps(
        std::span<const domain::DiscrepancyId> ids) = 0;
    /// Kinds without any are left out.
    virtual Result<std::vector<UnsettledTotal>> Unsettled() = 0;
};

/// Names a repair: of a discrepancy, by number.
struct RepairName {
    domain::DiscrepancyId discrepancy{};
    std::uint32_t number = 0;

    auto operator<=>(const RepairName&) const = default;
};

/// Which repairs to list, newest first.
struct RepairFilter {
    std::optional<domain::RepairState> state{};
    /// None: of all.
    domain::DiscrepancyId discrepancy{};
    /// Only those before this one; none: from the newest.
    RepairName before{};
    int limit = 100;
};

/// Repairs of a kind that have not ended.
struct OpenRepairs {
    domain::RepairKind kind{};
    std::int64_t count = 0;
};

/// Totals of what was matched of a merchant's day, by tax class.
struct MatchedTotals {
    BusinessDate business_date{};
    domain::MerchantId merchant{};
    Currency currency{};
    std::map<domain::TaxClass, domain::LineSums> sums{};
};

/// A discrepancy, and its latest step: another one when it was found again, or told of otherwise.
struct OpenDiscrepancy {
    domain::DiscrepancyId id{};
    std::uint32_t step = 0;

    bool operator==(const OpenDiscrepancy&) const = default;
};

/// Repairs. They are stored by DiscrepancyBooks::Store with the step that tells of them, and
/// whoever has locked a discrepancy has its repairs.
class RepairBooks {
 public:
    virtual ~RepairBooks() = default;
    /// Of one discrepancy, rising.
    virtual Result<std::vector<domain::Repair>> Of(domain::DiscrepancyId id) = 0;
    /// Newest discrepancy first, and of each the latest repair first.
    virtual Result<std::vector<domain::Repair>> ListRepairs(const RepairFilter& filter) = 0;
    /// Those that are pending or to be verified, behind `after`, rising by name.
    virtual Result<std::vector<domain::Repair>> Unfinished(RepairName after, int limit) = 0;
    virtual Result<std::vector<OpenRepairs>> CountOpen() = 0;
    /// Discrepancies that are OPEN, of this kind, and are not being repaired, behind `after`,
    /// rising.
    virtual Result<std::vector<OpenDiscrepancy>> OpenOf(domain::DiscrepancyKind kind,
                                                        domain::DiscrepancyId after, int limit) = 0;
    /// Computes our own digest of a bucket again from what was matched, once by its key (as of
    /// digest::RecomputeBucket); empty: only says what it would be. Events that come meanwhile
    /// count once.
    virtual Result<digest::RecomputedBucket> RecomputeMatched(BusinessDate business_date,
                                                              int bucket, std::string_view key,
                                                              const digest::RowHasher& hasher) = 0;
    /// Makes a merchant's totals of what was matched from `kept` to what its matches sum up to, and
    /// keeps both under `key`; once by its key. Matches that come meanwhile count in both.
    /// Preconditions: the day is locked; `kept` are the totals now; `of_rows` was counted while
    /// they were that (CountMatches).
    virtual Status CorrectMatchedTotals(const MatchedTotals& kept, const MatchedTotals& of_rows,
                                        std::string_view key) = 0;
    /// Whether that was done under this key.
    virtual Result<bool> WereTotalsCorrected(std::string_view key) = 0;
    /// Takes one of the `max` repairs that the policy may order today; false: there is none left.
    virtual Result<bool> TakeAutomatic(BusinessDate today, int max) = 0;
};

/// What payout told of merchants that it holds back, as far as it was noted.
class HoldBooks {
 public:
    virtual ~HoldBooks() = default;
    /// Of these objects, rising by key. `objects` rise.
    virtual Result<std::vector<domain::NotedHold>> FindNoted(
        std::span<const std::int64_t> objects) = 0;
    /// ALREADY_EXISTS when one of them is there.
    virtual Status Insert(std::span<const domain::HoldNotice> notices) = 0;
};

/// The right to compare a day, held by one replica at a time.
struct RunGrant {
    std::string name{};
    std::string owner{};
    std::int64_t fence = 0;
};

class DayBooks {
 public:
    virtual ~DayBooks() = default;

    /// Locks the day, so that marks of several partitions are noted one after the other.
    virtual Status LockDay(BusinessDate business_date) = 0;
    virtual Status AddMark(BusinessDate business_date, domain::Source source,
                           std::uint32_t partition, std::uint32_t partition_count) = 0;
    virtual Result<domain::DayMarks> Marks(BusinessDate business_date, domain::Source source) = 0;
    /// From now on it is due until a run has compared it.
    virtual Status MarkDue(BusinessDate business_date) = 0;
    /// Days that are due, rising, at most `limit`.
    virtual Result<std::vector<BusinessDate>> ListDue(int limit) = 0;

    /// FAILED_PRECONDITION LEASE_LOST if the right was taken over; nobody can take it over until
    /// the transaction ends.
    virtual Status Confirm(const RunGrant& grant) = 0;
    /// The latest run of a day.
    virtual Result<std::optional<domain::DayRun>> LatestRun(BusinessDate business_date) = 0;
    virtual Status InsertRun(const domain::DayRun& run) = 0;
    /// Stores and publishes the end of a run; one that compared the day ends its being due.
    virtual Status FinishRun(const domain::DayRun& run) = 0;
};

/// All of it in one transaction.
struct Books {
    MatchBooks& matches;
    DiscrepancyBooks& discrepancies;
    DayBooks& days;
    HoldBooks& holds;
    RepairBooks& repairs;
    PayoutBooks& payout;
};

/// Opens transactions.
class Transactions {
 public:
    virtual ~Transactions() = default;
    /// Runs `work` in a transaction and commits if it gives ok. Runs it again, from a clean state,
    /// on ABORTED and UNAVAILABLE and when a commit's reply was lost: work must be idempotent.
    virtual Status Run(const std::function<Status(Books&)>& work) = 0;
};

/// A held right to compare a day; released when destroyed.
class RunLease {
 public:
    virtual ~RunLease() = default;
    virtual RunGrant grant() const = 0;
    /// Prolongs it. FAILED_PRECONDITION LEASE_LOST.
    virtual Status Renew() = 0;
};

class RunLeases {
 public:
    virtual ~RunLeases() = default;
    /// Null while another replica holds it.
    virtual Result<std::unique_ptr<RunLease>> TryAcquire(BusinessDate business_date) = 0;
};

}  // namespace kessai::reconciliation::app
