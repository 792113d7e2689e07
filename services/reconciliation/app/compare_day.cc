#include "app/compare_day.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "app/discrepancy_changes.h"
#include "app/match_pages.h"
#include "app/parallel.h"
#include "app/record_day_mark.h"
#include "domain/bucket_join.h"
#include "domain/history_check.h"
#include "kessai/digest/lines.h"
#include "kessai/faults/fault_point.h"
#include "kessai/result/check.h"

namespace kessai::reconciliation::app {

namespace {

using domain::Book;
using domain::BookRow;
using domain::Case;
using domain::ChangeKey;
using domain::DayRunState;
using domain::DiscrepancyKind;
using domain::Finding;
using domain::Match;

/// Cases that are classified and recorded in one transaction.
constexpr std::size_t kCasesPerTransaction = 200;
/// Discrepancies looked through in one transaction.
constexpr int kGonePerTransaction = 200;
/// How often a bucket is listed again because late events changed it in between.
constexpr int kAttemptsPerBucket = 5;

/// Whether the finding says that an event or an answer has not come.
bool SaysItIsMissing(DiscrepancyKind kind) {
    using enum DiscrepancyKind;
    return kind == kMissingInPayout || kind == kMissingInPayment || kind == kPaymentEventMissing ||
           kind == kPayoutEventMissing;
}

digest::Row RowOf(BusinessDate day, const BookRow& row) {
    return {.object_id = row.key.payment.value(),
            .version = row.key.version,
            .business_date = day,
            .merchant_id = row.merchant.value(),
            .signed_gross = row.gross};
}

digest::BucketDigest DigestOfBucket(const digest::Accumulator& rows, BusinessDate day, int bucket) {
    const auto cell = rows.cells().find({day, bucket});
    return cell == rows.cells().end() ? digest::BucketDigest{} : cell->second;
}

/// Of the rows that were listed of one bucket, also of those that belong into another.
digest::BucketDigest DigestOfAll(const digest::Accumulator& rows, BusinessDate day) {
    digest::BucketDigest sum;
    for (const auto& [cell, digest] : rows.cells()) {
        if (cell.first == day) sum.Add(digest);
    }
    return sum;
}

/// Deep digests are asked for so many buckets at a time: a question's time is bounded whatever the
/// day's size, and several are answered side by side.
constexpr int kBucketsPerQuestion = 64;
constexpr int kQuestionsPerBook = digest::kBuckets / kBucketsPerQuestion;
static_assert(digest::kBuckets % kBucketsPerQuestion == 0);
/// A lease is renewed at most so often.
constexpr Duration kRenewEvery = std::chrono::seconds(1);

constexpr std::array kBooks{Book::kPayment, Book::kPayout, Book::kMatched};

/// A bucket's digests, in the order of kBooks.
using BookDigests = std::array<digest::BucketDigest, kBooks.size()>;

BookDigests OfBucket(const domain::DayDigests& day, int bucket) {
    const auto at = static_cast<std::size_t>(bucket);
    return {day.payment[at], day.payout[at], day.matched[at]};
}

constexpr digest::BucketRange kAllBuckets;

/// What payment and payout keep of the day.
Result<domain::DayDigests> LoadPeers(const CompareDayPorts& ports, BusinessDate day,
                                     digest::BucketRange range) {
    domain::DayDigests kept;
    KESSAI_ASSIGN_OR_RETURN(kept.payment, ports.payment.DayDigest(day, false, range));
    KESSAI_ASSIGN_OR_RETURN(kept.payout, ports.payout.DayDigest(day, false, range));
    return kept;
}

void CopyRange(const digest::DayDigest& from, digest::BucketRange range, digest::DayDigest& to) {
    std::copy_n(from.begin() + range.first, range.count, to.begin() + range.first);
}

/// Sums up what passes through to the join.
class TalliedRows {
 public:
    TalliedRows(std::unique_ptr<BookRows> rows, BusinessDate day, int bucket,
                const digest::RowHasher& hasher)
        : rows_(std::move(rows)), day_(day), bucket_(bucket), tally_(hasher) {}

    Result<std::optional<BookRow>> Next() {
        KESSAI_ASSIGN_OR_RETURN(auto row, rows_->Next());
        if (row) {
            tally_.Add(RowOf(day_, *row), bucket_);
            ++count_;
        }
        return row;
    }
    std::uint64_t count() const { return count_; }
    /// What was listed sums up to. Rows that belong into another bucket count: it does not fit
    /// then.
    digest::BucketDigest sum() const { return DigestOfBucket(tally_, day_, bucket_); }

 private:
    std::unique_ptr<BookRows> rows_;
    BusinessDate day_;
    int bucket_;
    digest::Accumulator tally_;
    std::uint64_t count_ = 0;
};

class TalliedMatches {
 public:
    TalliedMatches(Transactions& transactions, BusinessDate day, int bucket,
                   const digest::RowHasher& hasher)
        : pages_(transactions, day, bucket), sums_(hasher), fees_(hasher) {}

    Result<std::optional<Match>> Next() {
        KESSAI_ASSIGN_OR_RETURN(auto match, pages_.Next());
        if (match && match->state == domain::MatchState::kMatched) sums_.Add(*match);
        if (match && match->told_fee.noted()) {
            fees_.Add(digest::FeeRow(
                match->key.payment.value(), match->key.version, match->terms.business_date,
                static_cast<std::uint8_t>(match->told_fee.tax_class), match->told_fee.fee));
        }
        return match;
    }
    const digest::Accumulator& digest() const { return sums_.digest(); }
    /// Of the fees that payout told.
    const digest::Accumulator& fees() const { return fees_; }

 private:
    MatchPages pages_;
    MatchedSums sums_;
    digest::Accumulator fees_;
};

}  // namespace

/// One run's work, between its beginning and its end. Its threads share what is guarded here; what
/// is of one bucket is in BucketComparison.
class CompareDay::Pass {
 public:
    /// `peers` has payment's and payout's kept digests.
    Pass(const CompareDayPorts& ports, int threads, RunLease& lease, domain::DayRun& run,
         domain::DayDigests peers, std::stop_token stop)
        : ports_(ports),
          threads_(threads),
          lease_(lease),
          grant_(lease.grant()),
          run_(run),
          stop_(std::move(stop)),
          kept_(std::move(peers)) {}

    Status Compare() {
        KESSAI_ASSIGN_OR_RETURN(const std::vector<int> buckets, LoadDigests());
        run_.buckets_compared = digest::kBuckets;
        run_.buckets_different = static_cast<std::uint32_t>(buckets.size());
        KESSAI_RETURN_IF_ERROR(CompareBuckets(buckets));
        run_.rows_listed = rows_listed_;
        KESSAI_RETURN_IF_ERROR(SettleGone());
        KESSAI_RETURN_IF_ERROR(SettleOutOfOrder());
        run_.discrepancies_found = static_cast<std::uint32_t>(found_.size());
        run_.state = found_.empty() ? DayRunState::kEqual : DayRunState::kDifferent;
        return OkStatus();
    }

 private:
    class BucketComparison;

    /// A bucket whose rows do not sum up to what the books keep of it, and both.
    struct Suspect {
        int bucket = 0;
        BookDigests kept;
        BookDigests of_rows;
    };

    Status CompareBucket(int bucket);

    /// Lists each bucket until nothing in it moves while it is looked at: late events may still
    /// match.
    Status CompareBuckets(std::vector<int> buckets) {
        for (int attempt = 0; attempt < kAttemptsPerBucket && !buckets.empty(); ++attempt) {
            last_attempt_ = attempt + 1 == kAttemptsPerBucket;
            KESSAI_RETURN_IF_ERROR(RunInParallel(
                static_cast<int>(buckets.size()), threads_,
                [&](int i) { return CompareBucket(buckets[static_cast<std::size_t>(i)]); }));
            KESSAI_RETURN_IF_ERROR(RecordDigests());
            buckets = std::exchange(moved_, {});
        }
        if (buckets.empty()) return OkStatus();
        return Status(Code::kAborted, "BOOKS_MOVED",
                      "bucket " + std::to_string(buckets.front()) + " kept changing");
    }

    /// Compares what the books keep with what they listed. A late event changes rows and digest
    /// together, but we read them one after the other: so what is kept is read once more.
    Status RecordDigests() {
        if (suspects_.empty()) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(kept_, LoadPeers(ports_, day(), kAllBuckets));
        KESSAI_ASSIGN_OR_RETURN(kept_.matched, KeptOfMatched());
        std::vector<Finding> findings;
        for (const Suspect& suspect : std::exchange(suspects_, {})) {
            if (OfBucket(kept_, suspect.bucket) != suspect.kept) {
                moved_.push_back(suspect.bucket);
                continue;
            }
            for (std::size_t i = 0; i < kBooks.size(); ++i) {
                if (suspect.kept[i] == suspect.of_rows[i]) continue;
                findings.push_back(domain::DigestFinding(day(), kBooks[i], suspect.bucket,
                                                         suspect.kept[i], suspect.of_rows[i]));
            }
        }
        for (std::size_t at = 0; at < findings.size(); at += kCasesPerTransaction) {
            const auto some = std::span(findings).subspan(
                at, std::min(kCasesPerTransaction, findings.size() - at));
            KESSAI_RETURN_IF_ERROR(GoOn());
            KESSAI_RETURN_IF_ERROR(
                InTransaction([&](Books& books) -> Status { return RecordFindings(books, some); }));
            Remember(some);
        }
        return OkStatus();
    }

    /// The digests that the books keep, and in a deep run those of their rows; gives the buckets to
    /// list.
    Result<std::vector<int>> LoadDigests() {
        KESSAI_ASSIGN_OR_RETURN(kept_.matched, KeptOfMatched());
        std::vector<int> buckets = domain::BucketsToList(kept_);
        if (!run_.deep) return buckets;

        digest::DayDigest told_fees(digest::kBuckets);
        KESSAI_ASSIGN_OR_RETURN(const domain::DayDigests of_rows, DigestsOfRows(told_fees));
        std::set<int> either(buckets.begin(), buckets.end());
        const auto add = [&either](const std::vector<int>& more) {
            either.insert(more.begin(), more.end());
        };
        add(domain::BucketsToList(of_rows));
        add(digest::UnequalBuckets(kept_.payment, of_rows.payment));
        add(digest::UnequalBuckets(kept_.payout, of_rows.payout));
        add(digest::UnequalBuckets(kept_.matched, of_rows.matched));
        if (ports_.payout_day != nullptr) {
            KESSAI_RETURN_IF_ERROR(RecordWrongFees());
            KESSAI_ASSIGN_OR_RETURN(const auto fees, ports_.payout_day->FeeDigests(day()));
            add(digest::UnequalBuckets(told_fees, fees));
        }
        return std::vector<int>(either.begin(), either.end());
    }

    /// What payout itself finds wrong with its fees, by the plans. It comes before what is found by
    /// comparing, of which a change has one finding of a kind.
    Status RecordWrongFees() {
        KESSAI_RETURN_IF_ERROR(GoOn());
        KESSAI_ASSIGN_OR_RETURN(const auto wrong_fees, ports_.payout_day->WrongFees(day()));
        std::vector<Finding> findings;
        for (const WrongFee& wrong : wrong_fees) {
            const std::string evidence =
                "payout's row says a fee of " + std::to_string(wrong.row.fee) + " under " +
                std::string(TaxClassName(wrong.row.tax_class)) + "; computed again: " + wrong.note;
            const bool other_class = wrong.row.tax_class != wrong.expected.tax_class;
            if (wrong.row.fee != wrong.expected.fee || !other_class) {
                findings.push_back(domain::FeeFinding(wrong.key, wrong.terms, wrong.expected.fee,
                                                      wrong.row.fee, evidence));
            }
            if (other_class) {
                findings.push_back(domain::TaxFinding(
                    wrong.key, wrong.terms, wrong.expected.tax_class, wrong.row, evidence));
            }
        }
        for (std::size_t at = 0; at < findings.size(); at += kCasesPerTransaction) {
            const auto end = std::min(findings.size(), at + kCasesPerTransaction);
            const std::vector<Finding> part(findings.begin() + static_cast<long>(at),
                                            findings.begin() + static_cast<long>(end));
            KESSAI_RETURN_IF_ERROR(
                InTransaction([&](Books& books) -> Status { return RecordFindings(books, part); }));
            Remember(part);
            for (const Finding& finding : part) wrong_fees_.insert(finding.subject);
        }
        return OkStatus();
    }

    /// Of all books, range by range side by side; and of the fees that payout told.
    Result<domain::DayDigests> DigestsOfRows(digest::DayDigest& told_fees) {
        domain::DayDigests of_rows{digest::DayDigest(digest::kBuckets),
                                   digest::DayDigest(digest::kBuckets),
                                   digest::DayDigest(digest::kBuckets)};
        constexpr int kQuestions = kQuestionsPerBook * static_cast<int>(kBooks.size());
        KESSAI_RETURN_IF_ERROR(RunInParallel(kQuestions, threads_, [&](int question) -> Status {
            KESSAI_RETURN_IF_ERROR(GoOn());
            // Neighbours are of different books, so that no service has all of them at once.
            const Book book = kBooks[static_cast<std::size_t>(question) % kBooks.size()];
            const digest::BucketRange range{
                .first = question / static_cast<int>(kBooks.size()) * kBucketsPerQuestion,
                .count = kBucketsPerQuestion};
            return DigestOfRows(book, range, of_rows, told_fees);
        }));
        return of_rows;
    }

    Status DigestOfRows(Book book, digest::BucketRange range, domain::DayDigests& of_rows,
                        digest::DayDigest& told_fees) {
        switch (book) {
            case Book::kPayment: {
                KESSAI_ASSIGN_OR_RETURN(const auto some,
                                        ports_.payment.DayDigest(day(), true, range));
                CopyRange(some, range, of_rows.payment);
                return OkStatus();
            }
            case Book::kPayout: {
                KESSAI_ASSIGN_OR_RETURN(const auto some,
                                        ports_.payout.DayDigest(day(), true, range));
                CopyRange(some, range, of_rows.payout);
                return OkStatus();
            }
            case Book::kMatched:
                break;
        }
        for (int bucket = range.first; bucket < range.end(); ++bucket) {
            const auto at = static_cast<std::size_t>(bucket);
            KESSAI_RETURN_IF_ERROR(DigestOfMatches(bucket, of_rows.matched[at], told_fees[at]));
        }
        return OkStatus();
    }

    Result<digest::DayDigest> KeptOfMatched() {
        digest::DayDigest kept;
        KESSAI_RETURN_IF_ERROR(InTransaction([&](Books& books) -> Status {
            KESSAI_ASSIGN_OR_RETURN(kept, books.matches.KeptDigest(day()));
            return OkStatus();
        }));
        return kept;
    }

    Status DigestOfMatches(int bucket, digest::BucketDigest& matched,
                           digest::BucketDigest& told_fees) {
        TalliedMatches matches(ports_.transactions, day(), bucket, ports_.hasher);
        while (true) {
            KESSAI_ASSIGN_OR_RETURN(const auto match, matches.Next());
            if (!match) break;
        }
        matched = DigestOfAll(matches.digest(), day());
        told_fees = DigestOfAll(matches.fees(), day());
        return OkStatus();
    }

    /// To be asked now and then by all threads: refuses when the run must not go on.
    Status GoOn() {
        if (stop_.stop_requested()) {
            return Status(Code::kCancelled, "RUN_STOPPED", "this replica is being stopped");
        }
        std::lock_guard lock(mutex_);
        const SteadyInstant now = ports_.clock.SteadyNow();
        if (renewed_at_ && now < *renewed_at_ + kRenewEvery) return OkStatus();
        KESSAI_RETURN_IF_ERROR(lease_.Renew());
        renewed_at_ = now;
        return OkStatus();
    }

    Status RecordFindings(Books& books, std::span<const Finding> findings) {
        DiscrepancyChanges changes(ports_.clock.Now());
        KESSAI_RETURN_IF_ERROR(changes.AddFindings(books, findings, &run_));
        return changes.Store(books);
    }

    /// What earlier runs found and this one did not.
    Status SettleGone() {
        const std::string why = "run " + std::to_string(run_.number) + " did not find it any more";
        domain::DiscrepancyId after;
        bool more = true;
        while (more) {
            domain::DiscrepancyId last = after;
            KESSAI_RETURN_IF_ERROR(InTransaction([&](Books& books) -> Status {
                KESSAI_ASSIGN_OR_RETURN(const auto candidates,
                                        books.discrepancies.LockFoundBefore(
                                            day(), run_.number, after, kGonePerTransaction));
                DiscrepancyChanges changes(ports_.clock.Now());
                for (const auto& discrepancy : candidates) {
                    last = discrepancy.id;
                    if (domain::GoneAfterRun(discrepancy, run_.number, run_.deep)) {
                        changes.AddGone(discrepancy, why);
                    }
                }
                more = candidates.size() == static_cast<std::size_t>(kGonePerTransaction);
                return changes.Store(books);
            }));
            after = last;
        }
        return OkStatus();
    }

    /// Changes whose predecessor came after all.
    Status SettleOutOfOrder() {
        const std::array kinds{DiscrepancyKind::kOutOfOrder};
        domain::DiscrepancyId after;
        bool more = true;
        while (more) {
            domain::DiscrepancyId last = after;
            KESSAI_RETURN_IF_ERROR(InTransaction([&](Books& books) -> Status {
                KESSAI_ASSIGN_OR_RETURN(
                    const auto open,
                    books.payout.LockUnsettledOfDay(day(), kinds, after, kGonePerTransaction));
                std::set<ChangeKey> predecessors;
                for (const auto& discrepancy : open) {
                    const ChangeKey& key = discrepancy.finding.subject.change;
                    predecessors.insert({key.payment, key.version - 1});
                }
                const std::vector<ChangeKey> keys(predecessors.begin(), predecessors.end());
                KESSAI_ASSIGN_OR_RETURN(const auto known, books.matches.Find(keys));
                std::set<ChangeKey> came;
                for (const Match& match : known) {
                    if (match.PaymentEffect()) came.insert(match.key);
                }
                DiscrepancyChanges changes(ports_.clock.Now());
                for (const auto& discrepancy : open) {
                    last = discrepancy.id;
                    const ChangeKey& key = discrepancy.finding.subject.change;
                    if (came.contains({key.payment, key.version - 1})) {
                        changes.AddGone(discrepancy, "the change before it came after all");
                    }
                }
                more = open.size() == static_cast<std::size_t>(kGonePerTransaction);
                return changes.Store(books);
            }));
            after = last;
        }
        return OkStatus();
    }

    /// Only whoever holds the right to compare the day writes.
    Status InTransaction(const std::function<Status(Books&)>& work) {
        return ports_.transactions.Run([&](Books& books) -> Status {
            KESSAI_RETURN_IF_ERROR(books.days.Confirm(grant_));
            return work(books);
        });
    }

    void Remember(std::span<const Finding> findings) {
        std::lock_guard lock(mutex_);
        for (const Finding& finding : findings) found_.insert(finding.subject);
    }
    BusinessDate day() const { return run_.business_date; }

    const CompareDayPorts& ports_;
    const int threads_;
    RunLease& lease_;
    const RunGrant grant_;
    /// Its number, day and depth are read by all threads; the rest is written when they have ended.
    domain::DayRun& run_;
    std::stop_token stop_;
    /// As they were before the buckets were listed; never changed while threads work.
    domain::DayDigests kept_;
    /// What payout found wrong itself; never changed while buckets are compared.
    std::set<domain::Subject> wrong_fees_;
    std::atomic<std::uint64_t> rows_listed_ = 0;

    std::mutex mutex_;
    std::optional<SteadyInstant> renewed_at_;
    std::set<domain::Subject> found_;
    /// Of the buckets that are being listed.
    std::vector<Suspect> suspects_;
    std::vector<int> moved_;
    /// Written between the attempts.
    bool last_attempt_ = false;
};

/// One bucket, on one thread.
class CompareDay::Pass::BucketComparison {
 public:
    BucketComparison(Pass& pass, int bucket) : pass_(pass), ports_(pass.ports_), bucket_(bucket) {}

    /// Joins the books' rows and records what does not agree.
    Status Join() {
        KESSAI_ASSIGN_OR_RETURN(auto payment_rows, ports_.payment.ListDay(day(), bucket_));
        KESSAI_ASSIGN_OR_RETURN(auto payout_rows, ports_.payout.ListDay(day(), bucket_));
        TalliedRows payment(std::move(payment_rows), day(), bucket_, ports_.hasher);
        TalliedRows payout(std::move(payout_rows), day(), bucket_, ports_.hasher);
        TalliedMatches matches(ports_.transactions, day(), bucket_, ports_.hasher);

        std::vector<Case> open;
        KESSAI_RETURN_IF_ERROR(
            domain::JoinBucket(payment, payout, matches, [&](Case&& change) -> Status {
                if (!domain::Agrees(day(), change)) open.push_back(std::move(change));
                return OkStatus();
            }));
        // No more than there are rows of the bucket, which are held anyway.
        KESSAI_RETURN_IF_ERROR(FindElsewhere(ports_.payment, ports_.payout, day(), open));
        for (std::size_t at = 0; at < open.size(); at += kCasesPerTransaction) {
            KESSAI_RETURN_IF_ERROR(pass_.GoOn());
            KESSAI_RETURN_IF_ERROR(RecordCases(
                std::span(open).subspan(at, std::min(kCasesPerTransaction, open.size() - at))));
        }
        pass_.rows_listed_ += payment.count() + payout.count();
        of_rows_ = {payment.sum(), payout.sum(), DigestOfAll(matches.digest(), day())};
        return OkStatus();
    }

    /// Afterwards: whether something in it moved meanwhile, and what its rows summed up to.
    bool moved() const { return moved_; }
    const BookDigests& of_rows() const { return of_rows_; }

 private:
    /// Classifies what does not agree and records it, if the matches are still as they were read.
    Status RecordCases(std::span<const Case> cases) {
        std::vector<ChangeKey> keys;
        for (const Case& change : cases) keys.push_back(change.key);
        std::vector<Finding> findings;
        bool moved = false;
        KESSAI_RETURN_IF_ERROR(pass_.InTransaction([&](Books& books) -> Status {
            findings.clear();
            moved = false;
            KESSAI_ASSIGN_OR_RETURN(const auto locked, books.matches.Lock(keys));
            std::map<ChangeKey, const Match*> by_key;
            for (const Match& match : locked) by_key.emplace(match.key, &match);
            std::vector<Match> overdue;
            for (Case change : cases) {
                const auto found = by_key.find(change.key);
                const Match* match = found == by_key.end() ? nullptr : found->second;
                // A known change that stands in this bucket too, or instead of its own: its own
                // bucket tells of it, and this one's digest does not fit.
                if (match != nullptr && IsStray(change)) continue;
                // Not listed again and again, but there: it stands in another bucket than its own.
                if (match != nullptr && !change.match && pass_.last_attempt_) {
                    change.match = *match;
                    if (domain::Agrees(day(), change)) continue;
                }
                if (!SameAsRead(change, match)) {
                    moved = true;
                    continue;
                }
                if (match != nullptr) change.match = *match;
                auto found_here = domain::Classify(day(), change);
                std::erase_if(found_here, [this](const Finding& finding) {
                    return domain::NeedsDeepRun(finding.subject.kind) &&
                           pass_.wrong_fees_.contains(finding.subject);
                });
                if (match != nullptr && match->Waiting() && !match->overdue &&
                    std::ranges::any_of(found_here, [](const Finding& finding) {
                        return SaysItIsMissing(finding.subject.kind);
                    })) {
                    overdue.push_back(*match);
                    overdue.back().overdue = true;
                }
                std::ranges::copy(found_here, std::back_inserter(findings));
            }
            if (!overdue.empty()) KESSAI_RETURN_IF_ERROR(books.matches.Update(overdue));
            return pass_.RecordFindings(books, findings);
        }));
        pass_.Remember(findings);
        moved_ = moved_ || moved;
        return OkStatus();
    }

    /// A match that the bucket's list had may have been joined since; one of another day's list is
    /// read here for the first time.
    bool SameAsRead(const Case& change, const Match* now) const {
        if (change.match) {
            if (now == nullptr) return false;
            Match read = *change.match;
            read.overdue = now->overdue;
            return read == *now;
        }
        return now == nullptr || now->terms.business_date != day();
    }

    bool IsStray(const Case& change) const {
        return digest::BucketOf(change.key.payment.value()) != bucket_;
    }

    BusinessDate day() const { return pass_.day(); }

    Pass& pass_;
    const CompareDayPorts& ports_;
    const int bucket_;
    BookDigests of_rows_;
    bool moved_ = false;
};

Status CompareDay::Pass::CompareBucket(int bucket) {
    KESSAI_RETURN_IF_ERROR(GoOn());
    BucketComparison comparison(*this, bucket);
    KESSAI_RETURN_IF_ERROR(comparison.Join());
    {
        const BookDigests kept = OfBucket(kept_, bucket);
        std::lock_guard lock(mutex_);
        if (comparison.moved()) {
            moved_.push_back(bucket);
        } else if (comparison.of_rows() != kept) {
            suspects_.push_back({bucket, kept, comparison.of_rows()});
        }
    }
    KESSAI_FAULT_POINT("reconciliation.after_bucket");
    return OkStatus();
}

Result<domain::DayRun> CompareDay::Run(BusinessDate business_date, bool deep,
                                       std::stop_token stop) {
    KESSAI_ASSIGN_OR_RETURN(const auto lease, ports_.leases.TryAcquire(business_date));
    if (lease == nullptr) {
        return Status(Code::kAborted, "RUN_RUNNING",
                      business_date.ToString() + " is being compared");
    }
    KESSAI_RETURN_IF_ERROR(CheckClosed(business_date));
    // Before the run begins: a book that is not there, or has yet to note that it closed the day,
    // is no failed run.
    KESSAI_ASSIGN_OR_RETURN(domain::DayDigests peers,
                            LoadPeers(ports_, business_date, kAllBuckets));
    KESSAI_ASSIGN_OR_RETURN(domain::DayRun run, Begin(business_date, deep, *lease));
    const Status outcome =
        Pass(ports_, threads_, *lease, run, std::move(peers), std::move(stop)).Compare();
    KESSAI_FAULT_POINT("reconciliation.before_run_finished");
    if (!outcome.ok()) {
        run.state = DayRunState::kFailed;
        run.failure = domain::CutNote(outcome.ToString());
    }
    run.finished_at = std::max(ports_.clock.Now(), run.started_at);
    // If this fails too, the next run of the day finds the row and marks it as failed.
    const Status finished = Finish(run, *lease);
    KESSAI_FAULT_POINT("reconciliation.after_run_finished");
    KESSAI_RETURN_IF_ERROR(outcome);
    KESSAI_RETURN_IF_ERROR(finished);
    return run;
}

Status CompareDay::CheckClosed(BusinessDate business_date) {
    return ports_.transactions.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(const bool closed, IsDayClosed(books, business_date));
        if (closed) return OkStatus();
        return Status(Code::kFailedPrecondition, "DAY_OPEN",
                      "not all marks of " + business_date.ToString() + " have come");
    });
}

Result<domain::DayRun> CompareDay::Begin(BusinessDate business_date, bool deep,
                                         const RunLease& lease) {
    domain::DayRun run;
    KESSAI_RETURN_IF_ERROR(ports_.transactions.Run([&](Books& books) -> Status {
        KESSAI_RETURN_IF_ERROR(books.days.Confirm(lease.grant()));
        KESSAI_ASSIGN_OR_RETURN(auto latest, books.days.LatestRun(business_date));
        if (latest && latest->state == DayRunState::kRunning) {
            // Whoever ran it is gone: it would hold the lease.
            latest->state = DayRunState::kFailed;
            latest->failure = "its replica died";
            latest->finished_at = std::max(ports_.clock.Now(), latest->started_at);
            KESSAI_RETURN_IF_ERROR(books.days.FinishRun(*latest));
        }
        run = {.business_date = business_date,
               .number = latest ? latest->number + 1 : 1,
               .deep = deep,
               .started_at = ports_.clock.Now()};
        return books.days.InsertRun(run);
    }));
    return run;
}

Status CompareDay::Finish(const domain::DayRun& run, const RunLease& lease) {
    return ports_.transactions.Run([&](Books& books) -> Status {
        KESSAI_RETURN_IF_ERROR(books.days.Confirm(lease.grant()));
        KESSAI_RETURN_IF_ERROR(books.days.FinishRun(run));
        if (run.state == DayRunState::kFailed) return OkStatus();
        return books.payout.AskForCheck(run.business_date);
    });
}

}  // namespace kessai::reconciliation::app
