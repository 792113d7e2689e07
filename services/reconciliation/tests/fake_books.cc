#include "tests/fake_books.h"

#include <algorithm>
#include <functional>
#include <iterator>

namespace kessai::reconciliation::testing {

using app::DiscrepancyChange;
using domain::ChangeKey;
using domain::Discrepancy;
using domain::DiscrepancyId;
using domain::Match;

void FakeBooks::CloseDay(BusinessDate date) {
    for (const auto source : {domain::Source::kPayment, domain::Source::kPayout}) {
        marks[{date, source}] = {.partition_count = 2, .partitions = {0, 1}};
    }
    due.insert(date);
}

Result<std::vector<Match>> FakeBooks::Find(std::span<const ChangeKey> keys) {
    std::vector<Match> found;
    for (const ChangeKey& key : keys) {
        if (const auto match = matches.find(key); match != matches.end()) {
            found.push_back(match->second);
        }
    }
    return found;
}

Status FakeBooks::Insert(std::span<const Match> inserted) {
    for (const Match& match : inserted) {
        if (!matches.emplace(match.key, match).second) {
            return Status(Code::kAlreadyExists, "DUPLICATE_KEY", "it is there");
        }
    }
    return OkStatus();
}

Status FakeBooks::Update(std::span<const Match> updated) {
    for (const Match& match : updated) matches.at(match.key) = match;
    return OkStatus();
}

Status FakeBooks::AddSums(const app::MatchedSums& sums, int) {
    for (const auto& [key, total] : sums.totals()) {
        merchant_totals[key] += total.gross;
        auto& lines = payout.matched[{key.business_date, key.merchant}];
        auto line = std::ranges::find(lines, key.tax_class, &app::MatchedLine::tax_class);
        if (line == lines.end()) {
            lines.push_back({key.merchant, key.tax_class, {}});
            line = std::prev(lines.end());
        }
        line->sums.gross += total.gross;
        line->sums.fee += total.fee;
        line->sums.item_count += total.item_count;
    }
    for (const auto& [cell, digest] : sums.digest().cells()) {
        auto& day = kept_digests[cell.first];
        day.resize(digest::kBuckets);
        day[static_cast<std::size_t>(cell.second)].Add(digest);
    }
    return OkStatus();
}

Result<digest::DayDigest> FakeBooks::KeptDigest(BusinessDate date) {
    digest::DayDigest& day = kept_digests[date];
    day.resize(digest::kBuckets);
    return day;
}

Result<std::vector<Match>> FakeBooks::ListDay(BusinessDate date, int bucket, ChangeKey after,
                                              int limit) {
    std::vector<Match> listed;
    for (auto match = matches.upper_bound(after);
         match != matches.end() && listed.size() < static_cast<std::size_t>(limit); ++match) {
        if (match->second.terms.business_date == date &&
            digest::BucketOf(match->first.payment.value()) == bucket) {
            listed.push_back(match->second);
        }
    }
    return listed;
}

Result<std::vector<Discrepancy>> FakeBooks::Lock(std::span<const domain::Subject> subjects) {
    std::vector<Discrepancy> found;
    for (const auto& subject : subjects) {
        if (const auto known = discrepancies.find(subject); known != discrepancies.end()) {
            found.push_back(known->second);
        }
    }
    return found;
}

Result<std::vector<Discrepancy>> FakeBooks::LockUnsettled(std::span<const ChangeKey> keys) {
    std::vector<Discrepancy> found;
    for (const auto& [subject, discrepancy] : discrepancies) {
        if (discrepancy.Unsettled() && std::ranges::count(keys, subject.change) > 0) {
            found.push_back(discrepancy);
        }
    }
    return found;
}

Result<std::vector<Discrepancy>> FakeBooks::LockFoundBefore(BusinessDate date, std::uint32_t run,
                                                            DiscrepancyId after, int limit) {
    std::map<DiscrepancyId, Discrepancy> by_id;
    for (const auto& [subject, discrepancy] : discrepancies) {
        if (subject.business_date == date &&
            (discrepancy.Unsettled() || discrepancy.corrected_by != 0) && discrepancy.id > after &&
            discrepancy.found_by_run > 0 && discrepancy.found_by_run < run) {
            by_id.emplace(discrepancy.id, discrepancy);
        }
    }
    std::vector<Discrepancy> found;
    for (const auto& [id, discrepancy] : by_id) {
        if (found.size() < static_cast<std::size_t>(limit)) found.push_back(discrepancy);
    }
    return found;
}

Status FakeBooks::Store(std::span<const DiscrepancyChange> changes) {
    for (const DiscrepancyChange& change : changes) {
        Discrepancy stored = change.discrepancy;
        if (change.IsNew()) stored.id = DiscrepancyId(next_id_++);
        discrepancies[stored.finding.subject] = stored;
        if (change.step) steps[stored.id].push_back(*change.step);
        if (change.repair) repairs[{stored.id, change.repair->number}] = *change.repair;
    }
    return OkStatus();
}

Result<Discrepancy> FakeBooks::Find(DiscrepancyId id) {
    for (const auto& [subject, discrepancy] : discrepancies) {
        if (discrepancy.id == id) return discrepancy;
    }
    return Status(Code::kNotFound, "DISCREPANCY_UNKNOWN", "");
}

Result<std::vector<Discrepancy>> FakeBooks::List(const app::DiscrepancyFilter& filter) {
    std::vector<Discrepancy> found;
    for (const auto& [subject, discrepancy] : discrepancies) {
        if (filter.state && discrepancy.state() != *filter.state) continue;
        if (filter.business_date && subject.business_date != *filter.business_date) continue;
        if (!filter.before.is_none() && discrepancy.id >= filter.before) continue;
        found.push_back(discrepancy);
    }
    std::ranges::sort(found, std::greater(), &Discrepancy::id);
    if (found.size() > static_cast<std::size_t>(filter.limit)) {
        found.resize(static_cast<std::size_t>(filter.limit));
    }
    return found;
}

Result<std::map<DiscrepancyId, std::vector<domain::Step>>> FakeBooks::Steps(
    std::span<const DiscrepancyId> ids) {
    std::map<DiscrepancyId, std::vector<domain::Step>> found;
    for (const auto id : ids) found[id] = steps[id];
    return found;
}

Status FakeBooks::AddMark(BusinessDate date, domain::Source source, std::uint32_t partition,
                          std::uint32_t partition_count) {
    domain::DayMarks& day = marks[{date, source}];
    day.partition_count = std::max(day.partition_count, partition_count);
    day.partitions.insert(partition);
    return OkStatus();
}

Result<domain::DayMarks> FakeBooks::Marks(BusinessDate date, domain::Source source) {
    return marks[{date, source}];
}

Status FakeBooks::MarkDue(BusinessDate date) {
    if (!runs.contains(date)) due.insert(date);
    return OkStatus();
}

Result<std::vector<BusinessDate>> FakeBooks::ListDue(int) {
    return std::vector<BusinessDate>(due.begin(), due.end());
}

Status FakeBooks::Confirm(const app::RunGrant&) {
    if (!lease_lost) return OkStatus();
    return Status(Code::kFailedPrecondition, "LEASE_LOST", "taken over");
}

Result<std::optional<domain::DayRun>> FakeBooks::LatestRun(BusinessDate date) {
    auto& of_day = runs[date];
    if (of_day.empty()) return std::optional<domain::DayRun>();
    return std::optional(of_day.back());
}

Status FakeBooks::InsertRun(const domain::DayRun& run) {
    runs[run.business_date].push_back(run);
    return OkStatus();
}

Status FakeBooks::FinishRun(const domain::DayRun& run) {
    for (auto& stored : runs[run.business_date]) {
        if (stored.number == run.number) stored = run;
    }
    if (run.state != domain::DayRunState::kFailed) due.erase(run.business_date);
    return OkStatus();
}

Result<std::vector<domain::NotedHold>> FakeBooks::FindNoted(std::span<const std::int64_t> objects) {
    std::vector<domain::NotedHold> found;
    for (const auto& [key, content] : noted_holds) {
        if (std::ranges::count(objects, key.object) > 0) found.push_back({key, content});
    }
    return found;
}

Status FakeBooks::Insert(std::span<const domain::HoldNotice> notices) {
    for (const domain::HoldNotice& notice : notices) {
        if (!noted_holds.emplace(notice.key, notice.content).second) {
            return Status(Code::kAlreadyExists, "DUPLICATE_KEY", "it is there");
        }
    }
    return OkStatus();
}

Result<std::vector<app::MatchedLine>> FakeBooks::SumMatched(BusinessDate date,
                                                            digest::BucketRange buckets) {
    std::vector<app::MatchedLine> lines;
    for (const auto& [key, match] : matches) {
        if (match.state == domain::MatchState::kMatched && match.terms.business_date == date &&
            buckets.Has(digest::BucketOf(key.payment.value()))) {
            lines.push_back({match.terms.merchant,
                             match.told_fee.tax_class,
                             {match.terms.gross.minor(), match.told_fee.fee, 1}});
        }
    }
    return lines;
}

Result<std::vector<domain::Repair>> FakeBooks::Of(DiscrepancyId id) {
    std::vector<domain::Repair> found;
    for (const auto& [name, repair] : repairs) {
        if (name.discrepancy == id) found.push_back(repair);
    }
    return found;
}

Result<std::vector<domain::Repair>> FakeBooks::ListRepairs(const app::RepairFilter&) {
    std::vector<domain::Repair> found;
    for (const auto& [name, repair] : repairs) found.insert(found.begin(), repair);
    return found;
}

Result<std::vector<domain::Repair>> FakeBooks::Unfinished(app::RepairName after, int limit) {
    std::vector<domain::Repair> found;
    for (auto at = repairs.upper_bound(after);
         at != repairs.end() && found.size() < static_cast<std::size_t>(limit); ++at) {
        const domain::RepairState state = at->second.state;
        if (state == domain::RepairState::kPending || state == domain::RepairState::kVerifying) {
            found.push_back(at->second);
        }
    }
    return found;
}

Result<std::vector<app::OpenRepairs>> FakeBooks::CountOpen() {
    std::map<domain::RepairKind, std::int64_t> counts;
    for (const auto& [name, repair] : repairs) {
        if (!domain::Ended(repair.state)) ++counts[repair.kind];
    }
    std::vector<app::OpenRepairs> open;
    for (const auto& [kind, count] : counts) open.push_back({kind, count});
    return open;
}

Result<std::vector<app::OpenDiscrepancy>> FakeBooks::OpenOf(domain::DiscrepancyKind kind,
                                                            DiscrepancyId after, int limit) {
    std::map<DiscrepancyId, std::uint32_t> by_id;
    for (const auto& [subject, discrepancy] : discrepancies) {
        if (subject.kind == kind && discrepancy.state() == domain::DiscrepancyState::kOpen &&
            discrepancy.id > after && discrepancy.open_repair == 0) {
            by_id.emplace(discrepancy.id, discrepancy.latest.number);
        }
    }
    std::vector<app::OpenDiscrepancy> found;
    for (const auto& [id, step] : by_id) found.push_back({id, step});
    if (found.size() > static_cast<std::size_t>(limit))
        found.resize(static_cast<std::size_t>(limit));
    return found;
}

Status FakeBooks::CorrectMatchedTotals(const app::MatchedTotals& kept,
                                       const app::MatchedTotals& of_rows, std::string_view key) {
    if (!corrected_totals.emplace(key).second) return OkStatus();
    auto& lines = payout.matched[{kept.business_date, kept.merchant}];
    for (const auto& [tax_class, sums] : of_rows.sums) {
        const auto was = kept.sums.find(tax_class);
        const domain::LineSums before = was == kept.sums.end() ? domain::LineSums{} : was->second;
        auto line = std::ranges::find(lines, tax_class, &app::MatchedLine::tax_class);
        if (line == lines.end()) {
            line = lines.insert(lines.end(), {kept.merchant, tax_class, {}});
        }
        line->sums.gross += sums.gross - before.gross;
        line->sums.fee += sums.fee - before.fee;
        line->sums.item_count += sums.item_count - before.item_count;
    }
    return OkStatus();
}

Result<digest::RecomputedBucket> FakeBooks::RecomputeMatched(BusinessDate date, int bucket,
                                                             std::string_view key,
                                                             const digest::RowHasher& hasher) {
    app::MatchedSums sums(hasher);
    for (const auto& [change, match] : matches) {
        if (match.state == domain::MatchState::kMatched && match.terms.business_date == date) {
            sums.Add(match);
        }
    }
    const auto at = static_cast<std::size_t>(bucket);
    digest::DayDigest& kept = kept_digests[date];
    kept.resize(digest::kBuckets);
    const digest::RecomputedBucket digests{kept[at], sums.digest().Day(date)[at]};
    if (!key.empty()) kept[at] = digests.after;
    return digests;
}

Result<bool> FakeBooks::TakeAutomatic(BusinessDate today, int max) {
    if (automatic[today] >= max) return false;
    ++automatic[today];
    return true;
}

Status FakeBooks::Run(const std::function<Status(app::Books&)>& work) {
    const std::lock_guard lock(mutex_);
    before_transaction();
    if (replies_are_lost) KESSAI_RETURN_IF_ERROR(work(books));
    return work(books);
}

Result<std::unique_ptr<app::RunLease>> FakeBooks::TryAcquire(BusinessDate) {
    struct FakeLease final : app::RunLease {
        app::RunGrant grant() const override { return {.name = "day", .owner = "me", .fence = 1}; }
        Status Renew() override { return OkStatus(); }
    };
    if (lease_taken) return std::unique_ptr<app::RunLease>();
    return std::unique_ptr<app::RunLease>(std::make_unique<FakeLease>());
}

digest::DayDigest FakePeerBook::DigestOfRows(BusinessDate date) const {
    digest::Accumulator sums(hasher_);
    if (const auto day = rows.find(date); day != rows.end()) {
        for (const auto& [key, row] : day->second) {
            sums.Add({.object_id = key.payment.value(),
                      .version = key.version,
                      .business_date = date,
                      .merchant_id = row.merchant.value(),
                      .signed_gross = row.gross});
        }
    }
    for (const auto& [bucket, row] : strays) {
        sums.Add({.object_id = row.key.payment.value(),
                  .version = row.key.version,
                  .business_date = date,
                  .merchant_id = row.merchant.value(),
                  .signed_gross = row.gross},
                 bucket);
    }
    return sums.Day(date);
}

void FakePeerBook::KeepDigests() {
    for (const auto& [date, day] : rows) kept[date] = DigestOfRows(date);
}

Result<digest::DayDigest> FakePeerBook::DayDigest(BusinessDate date, bool deep,
                                                  digest::BucketRange range) {
    const std::lock_guard lock(mutex_);
    if (!refuses_digests.ok()) return refuses_digests;
    if (deep) return digest::OnlyOf(range, DigestOfRows(date));
    digest::DayDigest& day = kept[date];
    day.resize(digest::kBuckets);
    return digest::OnlyOf(range, day);
}

Result<std::unique_ptr<app::BookRows>> FakePeerBook::ListDay(BusinessDate date, int bucket) {
    struct Rows final : app::BookRows {
        std::vector<domain::BookRow> rows;
        std::size_t position = 0;
        Result<std::optional<domain::BookRow>> Next() override {
            if (position == rows.size()) return std::optional<domain::BookRow>();
            return std::optional(rows[position++]);
        }
    };
    const std::lock_guard lock(mutex_);
    ++listed_buckets;
    KESSAI_RETURN_IF_ERROR(before_list(bucket));
    auto listed = std::make_unique<Rows>();
    for (const auto& [key, row] : rows[date]) {
        if (digest::BucketOf(key.payment.value()) == bucket) listed->rows.push_back(row);
    }
    if (const auto stray = strays.find(bucket); stray != strays.end()) {
        listed->rows.push_back(stray->second);
        std::ranges::sort(listed->rows, {}, &domain::BookRow::key);
    }
    return std::unique_ptr<app::BookRows>(std::move(listed));
}

Result<std::vector<domain::DatedRow>> FakePeerBook::FindRows(
    std::span<const domain::ChangeKey> keys) {
    const std::lock_guard lock(mutex_);
    ++searches;
    std::vector<domain::DatedRow> found;
    for (const auto& [date, day] : rows) {
        for (const domain::ChangeKey& key : keys) {
            if (const auto row = day.find(key); row != day.end()) {
                found.push_back({date, row->second});
            }
        }
    }
    return found;
}

}  // namespace kessai::reconciliation::testing
