#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "app/books.h"
#include "app/peer_book.h"
#include "kessai/digest/accumulator.h"
#include "tests/fake_payout_books.h"

/// Reconciliation's books in memory, and the others' books as a test says they are.
namespace kessai::reconciliation::testing {

/// All ports to our own books, without a database. Transactions of several threads run one after
/// the other; all else is one thread's.
class FakeBooks final : public app::MatchBooks,
                        public app::DiscrepancyBooks,
                        public app::DayBooks,
                        public app::HoldBooks,
                        public app::RepairBooks,
                        public app::Transactions,
                        public app::RunLeases {
 public:
    // What tests look at and damage.
    std::map<domain::ChangeKey, domain::Match> matches;
    std::map<domain::Subject, domain::Discrepancy> discrepancies;
    std::map<domain::DiscrepancyId, std::vector<domain::Step>> steps;
    std::map<BusinessDate, digest::DayDigest> kept_digests;
    std::map<app::MatchedSums::MerchantDay, std::int64_t> merchant_totals;
    std::map<std::pair<BusinessDate, domain::Source>, domain::DayMarks> marks;
    std::set<BusinessDate> due;
    std::map<BusinessDate, std::vector<domain::DayRun>> runs;
    std::map<domain::HoldKey, domain::ContentHash> noted_holds;
    std::map<app::RepairName, domain::Repair> repairs;
    std::map<BusinessDate, int> automatic;
    std::set<std::string> corrected_totals;
    /// Another replica holds the right to compare.
    bool lease_taken = false;
    /// The right was taken over.
    bool lease_lost = false;
    /// Every commit's reply is lost once, so all work runs twice.
    bool replies_are_lost = false;
    /// Called before each transaction.
    std::function<void()> before_transaction = [] {};

    /// Both sides have closed it.
    void CloseDay(BusinessDate date);

    // MatchBooks
    Result<std::vector<domain::Match>> Find(std::span<const domain::ChangeKey> keys) override;
    Result<std::vector<domain::Match>> Lock(std::span<const domain::ChangeKey> keys) override {
        return Find(keys);
    }
    Status Insert(std::span<const domain::Match> inserted) override;
    Status Update(std::span<const domain::Match> updated) override;
    Status AddSums(const app::MatchedSums& sums, int slot) override;
    Result<digest::DayDigest> KeptDigest(BusinessDate date) override;
    Result<std::vector<domain::Match>> ListDay(BusinessDate date, int bucket,
                                               domain::ChangeKey after, int limit) override;

    Result<std::vector<app::MatchedLine>> SumMatched(BusinessDate date,
                                                     digest::BucketRange buckets) override;

    // DiscrepancyBooks
    Result<std::vector<domain::Discrepancy>> Lock(
        std::span<const domain::Subject> subjects) override;
    Result<std::vector<domain::Discrepancy>> LockUnsettled(
        std::span<const domain::ChangeKey> keys) override;
    Result<std::vector<domain::Discrepancy>> LockFoundBefore(BusinessDate date, std::uint32_t run,
                                                             domain::DiscrepancyId after,
                                                             int limit) override;
    Result<domain::Discrepancy> LockOne(domain::DiscrepancyId id) override { return Find(id); }
    Status Store(std::span<const app::DiscrepancyChange> changes) override;
    Result<domain::Discrepancy> Find(domain::DiscrepancyId id) override;
    Result<std::vector<domain::Discrepancy>> List(const app::DiscrepancyFilter& filter) override;
    Result<std::map<domain::DiscrepancyId, std::vector<domain::Step>>> Steps(
        std::span<const domain::DiscrepancyId> ids) override;
    Result<std::vector<app::UnsettledTotal>> Unsettled() override { return {{}}; }

    // DayBooks
    Status LockDay(BusinessDate) override { return OkStatus(); }
    Status AddMark(BusinessDate date, domain::Source source, std::uint32_t partition,
                   std::uint32_t partition_count) override;
    Result<domain::DayMarks> Marks(BusinessDate date, domain::Source source) override;
    Status MarkDue(BusinessDate date) override;
    Result<std::vector<BusinessDate>> ListDue(int limit) override;
    Status Confirm(const app::RunGrant& grant) override;
    Result<std::optional<domain::DayRun>> LatestRun(BusinessDate date) override;
    Status InsertRun(const domain::DayRun& run) override;
    Status FinishRun(const domain::DayRun& run) override;

    // HoldBooks
    Result<std::vector<domain::NotedHold>> FindNoted(
        std::span<const std::int64_t> objects) override;
    Status Insert(std::span<const domain::HoldNotice> notices) override;

    // RepairBooks
    Result<std::vector<domain::Repair>> Of(domain::DiscrepancyId id) override;
    Result<std::vector<domain::Repair>> ListRepairs(const app::RepairFilter& filter) override;
    Result<std::vector<domain::Repair>> Unfinished(app::RepairName after, int limit) override;
    Result<std::vector<app::OpenRepairs>> CountOpen() override;
    Result<std::vector<app::OpenDiscrepancy>> OpenOf(domain::DiscrepancyKind kind,
                                                     domain::DiscrepancyId after,
                                                     int limit) override;
    Status CorrectMatchedTotals(const app::MatchedTotals& kept, const app::MatchedTotals& of_rows,
                                std::string_view key) override;
    Result<bool> WereTotalsCorrected(std::string_view key) override {
        return corrected_totals.contains(std::string(key));
    }
    Result<digest::RecomputedBucket> RecomputeMatched(BusinessDate date, int bucket,
                                                      std::string_view key,
                                                      const digest::RowHasher& hasher) override;
    Result<bool> TakeAutomatic(BusinessDate today, int max) override;

    // Transactions, RunLeases
    Status Run(const std::function<Status(app::Books&)>& work) override;
    Result<std::unique_ptr<app::RunLease>> TryAcquire(BusinessDate date) override;

    FakePayoutBooks payout{matches, discrepancies};
    app::Books books{*this, *this, *this, *this, *this, payout};

 private:
    std::mutex mutex_;
    std::int64_t next_id_ = 1;
};

/// Payment's or payout's book of a day. Questions may come from several threads.
class FakePeerBook final : public app::PeerBook {
 public:
    explicit FakePeerBook(const digest::RowHasher& hasher) : hasher_(hasher) {}

    /// The rows as they are in the database, by day.
    std::map<BusinessDate, std::map<domain::ChangeKey, domain::BookRow>> rows;
    /// Rows of any day that stand in a bucket that is not theirs, by that bucket.
    std::map<int, domain::BookRow> strays;
    /// The digests as they are kept; KeepDigests() makes them fit the rows.
    std::map<BusinessDate, digest::DayDigest> kept;
    int listed_buckets = 0;
    /// Unless ok, the answer to every question for digests.
    Status refuses_digests;
    /// Called before a bucket is listed; a refusal is the list's.
    std::function<Status(int bucket)> before_list = [](int) { return OkStatus(); };

    void Put(BusinessDate date, const domain::BookRow& row) { rows[date][row.key] = row; }
    void KeepDigests();

    Result<digest::DayDigest> DayDigest(BusinessDate date, bool deep,
                                        digest::BucketRange range) override;
    Result<std::unique_ptr<app::BookRows>> ListDay(BusinessDate date, int bucket) override;
    Result<std::vector<domain::DatedRow>> FindRows(
        std::span<const domain::ChangeKey> keys) override;
    /// How often FindRows was asked.
    int searches = 0;

 private:
    digest::DayDigest DigestOfRows(BusinessDate date) const;
    std::mutex mutex_;
    const digest::RowHasher& hasher_;
};

}  // namespace kessai::reconciliation::testing
