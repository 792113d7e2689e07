#include "storage/mysql_books.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "app/change_discrepancy.h"
#include "app/discrepancy_changes.h"
#include "app/enquiries.h"
#include "app/record_day_mark.h"
#include "kessai/mysql/error.h"
#include "tests/reconciliation_fixture.h"

namespace kessai::reconciliation::storage {
namespace {

using domain::ChangeKey;
using domain::DiscrepancyKind;
using domain::DiscrepancyState;
using domain::Finding;
using domain::Match;
using domain::MatchState;
using domain::PaymentClaim;
using domain::PayoutClaim;
using domain::Source;
using domain::testing::Day;
using domain::testing::PaymentSays;
using domain::testing::PayoutSays;
using kessai::testing::IsOk;
using kessai::testing::Refuses;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class MysqlBooksTest : public ::testing::Test {
 protected:
    Status InTransaction(const std::function<Status(app::Books&)>& work) {
        return schema_.transactions().Run(work);
    }
    template <class Claim>
    Status Hear(std::vector<Claim> claims, int partition = 0) {
        return InTransaction([&](app::Books& books) {
            return match_.Apply(books, std::span<const Claim>(claims), partition).status();
        });
    }
    Status Record(const std::vector<Finding>& findings, const domain::DayRun* run = nullptr) {
        return InTransaction([&](app::Books& books) -> Status {
            app::DiscrepancyChanges changes(SystemClock().Now());
            KESSAI_RETURN_IF_ERROR(changes.AddFindings(books, findings, run));
            return changes.Store(books);
        });
    }
    std::vector<Match> FindMatches(const std::vector<ChangeKey>& keys) {
        std::vector<Match> found;
        const Status status = InTransaction([&](app::Books& books) -> Status {
            KESSAI_ASSIGN_OR_RETURN(found, books.matches.Find(keys));
            return OkStatus();
        });
        EXPECT_THAT(status, IsOk());
        return found;
    }
    static Finding FindingOf(std::int64_t payment, DiscrepancyKind kind) {
        return {.subject = {.business_date = Day(),
                            .kind = kind,
                            .change = {domain::PaymentId(payment), 1}},
                .merchant = domain::MerchantId(7),
                .payment_gross = 1'000,
                .evidence = "証拠"};
    }

    const digest::RowHasher hasher_{digest::RowHasher::Key{1, 2, 3}};
    testing::ReconciliationSchema schema_;
    app::MatchChanges match_{hasher_, SystemClock()};
    app::Enquiries enquiries_{schema_.transactions()};
};

// Goal: what is stored is what was decided, for every state and column.
TEST_F(MysqlBooksTest, MatchesComeBackAsTheyWere) {
    const auto waiting = PaymentSays(1, 1, -5);
    const auto first = PaymentSays(2, 3, 9'999'999'999);
    const auto differing = PaymentSays(2, 4);
    auto other = PayoutSays(differing);
    other.terms.business_date = Day(1);
    ASSERT_THAT(Hear<PaymentClaim>({waiting, first, differing}), IsOk());
    ASSERT_THAT(Hear<PayoutClaim>({PayoutSays(first), other, PayoutSays(PaymentSays(3))}), IsOk());

    const auto found = FindMatches(
        {waiting.key, first.key, differing.key, PaymentSays(3).key, {domain::PaymentId(4), 1}});
    ASSERT_THAT(found, SizeIs(4));
    EXPECT_EQ(found[0], Begin(waiting));
    const auto joined = Join(Begin(first), PayoutSays(first), found[1].matched_at).match;
    EXPECT_EQ(found[1], joined);
    EXPECT_EQ(found[2], Join(Begin(differing), other, found[2].matched_at).match);
    EXPECT_TRUE(found[2].differences.Has(domain::Difference::kDate));
    EXPECT_EQ(found[3], Begin(PayoutSays(PaymentSays(3))));
    EXPECT_THAT(FindMatches({{domain::PaymentId(2), 1}}), IsEmpty());
}

// Goal: changes that are taken for new are stored if they are, and refused if one is not, whoever
// told of it; nothing of the batch is kept then.
TEST_F(MysqlBooksTest, WhatIsTakenForNewIsRefusedIfOneIsStored) {
    const auto take_for_new = [&](const std::vector<PaymentClaim>& claims) {
        return InTransaction([&](app::Books& books) {
            return match_.Apply(books, claims, 0, {.assumed_new = true}).status();
        });
    };
    ASSERT_THAT(take_for_new({PaymentSays(3), PaymentSays(1)}), IsOk());
    ASSERT_THAT(Hear<PayoutClaim>({PayoutSays(PaymentSays(5))}), IsOk());
    for (const std::int64_t stored : {1, 5}) {
        EXPECT_THAT(take_for_new({PaymentSays(2), PaymentSays(stored), PaymentSays(9)}),
                    Refuses(Code::kAlreadyExists, mysql::reason::kDuplicateKey));
    }
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM change_match"), 3);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM change_match WHERE state = 1"), 2);
}

// Goal: amounts that somebody damaged, whatever they are, hide no other discrepancy from the
// totals.
TEST_F(MysqlBooksTest, TotalsOfAnyAmounts) {
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
    constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
    const auto record = [&](std::int64_t payment, std::int64_t payment_gross,
                            std::int64_t payout_gross) {
        Finding finding = FindingOf(payment, DiscrepancyKind::kAmountDiffers);
        finding.payment_gross = payment_gross;
        finding.payout_gross = payout_gross;
        return InTransaction([&](app::Books& books) -> Status {
            app::DiscrepancyChanges changes(SystemClock().Now());
            KESSAI_RETURN_IF_ERROR(changes.AddFindings(books, {&finding, 1}, nullptr));
            return changes.Store(books);
        });
    };
    ASSERT_THAT(record(1, 1'000, 400), IsOk());
    const auto at_risk = [&] { return enquiries_.Unsettled()->front().at_risk; };
    EXPECT_EQ(at_risk(), 600);
    ASSERT_THAT(record(2, kMost, kLeast), IsOk());
    ASSERT_THAT(record(3, kLeast, kMost), IsOk());
    const auto totals = enquiries_.Unsettled();
    ASSERT_THAT(totals, IsOk());
    ASSERT_THAT(*totals, SizeIs(1));
    EXPECT_EQ(totals->front().count, 3);
    EXPECT_EQ(totals->front().at_risk, kMost);
}

// Goal: batches larger than a statement's lists, and payments of many versions, are handled whole.
TEST_F(MysqlBooksTest, LargeBatches) {
    std::vector<PaymentClaim> payments;
    std::vector<PayoutClaim> payouts;
    for (int i = 1; i <= 1'500; ++i) {
        for (std::uint32_t version = 1; version <= 2; ++version) {
            payments.push_back(PaymentSays(i, version, 100, 1 + i % 30));
            payouts.push_back(PayoutSays(payments.back()));
        }
    }
    ASSERT_THAT(Hear(payments), IsOk());
    ASSERT_THAT(Hear(payouts), IsOk());
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM change_match WHERE state = 3"), 3'000);
    EXPECT_EQ(schema_.Count("SELECT SUM(gross) FROM matched_day_total"), 300'000);
    EXPECT_EQ(schema_.Count("SELECT SUM(item_count) FROM matched_day_total"), 3'000);
}

// Goal: our own digest is the one that payment and payout would compute of the same rows, and the
// pages of the list are the rows, bucket by bucket, in order.
TEST_F(MysqlBooksTest, DigestAndListHoldTheMatches) {
    digest::Accumulator expected(hasher_);
    std::vector<PaymentClaim> payments;
    std::vector<PayoutClaim> payouts;
    for (int i = 1; i <= 400; ++i) {
        payments.push_back(PaymentSays(i, 1, i, 5));
        payouts.push_back(PayoutSays(payments.back()));
        expected.Add({i, 1, Day(), 5, i});
    }
    ASSERT_THAT(Hear(payments, 3), IsOk());
    payouts.pop_back();
    const std::vector<PayoutClaim> early(payouts.begin(), payouts.begin() + 100);
    ASSERT_THAT(Hear(early, 3), IsOk());
    ASSERT_THAT(Hear(std::vector<PayoutClaim>(payouts.begin() + 100, payouts.end()), 3), IsOk());
    auto want = expected.Day(Day());
    want[static_cast<std::size_t>(digest::BucketOf(400))] = {};  // it may share its bucket
    for (int i = 1; i < 400; ++i) {
        if (digest::BucketOf(i) != digest::BucketOf(400)) continue;
        digest::Accumulator one(hasher_);
        one.Add({i, 1, Day(), 5, i});
        want[static_cast<std::size_t>(digest::BucketOf(400))].Add(one.cells().begin()->second);
    }

    int listed = 0;
    ASSERT_THAT(InTransaction([&](app::Books& books) -> Status {
                    listed = 0;
                    KESSAI_ASSIGN_OR_RETURN(const auto kept, books.matches.KeptDigest(Day()));
                    EXPECT_EQ(kept, want);
                    KESSAI_ASSIGN_OR_RETURN(const auto other, books.matches.KeptDigest(Day(1)));
                    EXPECT_EQ(other, digest::DayDigest(digest::kBuckets));
                    for (int bucket = 0; bucket < digest::kBuckets; ++bucket) {
                        ChangeKey after;
                        while (true) {
                            KESSAI_ASSIGN_OR_RETURN(const auto page,
                                                    books.matches.ListDay(Day(), bucket, after, 2));
                            for (const Match& match : page) {
                                EXPECT_GT(match.key, after);
                                EXPECT_EQ(digest::BucketOf(match.key.payment.value()), bucket);
                                after = match.key;
                                ++listed;
                            }
                            if (page.size() < 2) break;
                        }
                    }
                    return OkStatus();
                }),
                IsOk());
    EXPECT_EQ(listed, 400);
}

// Goal: two consumers that hear of the same changes at the same time never lose a match.
// Method: both sides' events of the same changes, in batches, from two threads; the insert that
// comes second is refused and runs again.
TEST_F(MysqlBooksTest, BothSidesAtTheSameTime) {
    std::vector<PaymentClaim> payments;
    std::vector<PayoutClaim> payouts;
    for (int i = 1; i <= 2'000; ++i) {
        payments.push_back(PaymentSays(i, 1, 1, 1 + i % 3));
        payouts.push_back(PayoutSays(payments.back()));
    }
    const auto hear_all = [&](const auto& claims) {
        using Claim = typename std::remove_cvref_t<decltype(claims)>::value_type;
        for (std::size_t at = 0; at < claims.size(); at += 50) {
            const auto from = claims.begin() + static_cast<std::ptrdiff_t>(at);
            ASSERT_THAT(Hear(std::vector<Claim>(from, from + 50)), IsOk());
        }
    };
    std::thread payment([&] { hear_all(payments); });
    std::thread payout([&] { hear_all(payouts); });
    payment.join();
    payout.join();
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM change_match WHERE state = 3"), 2'000);
    EXPECT_EQ(schema_.Count("SELECT SUM(item_count) FROM matched_day_total"), 2'000);
    EXPECT_EQ(schema_.Count("SELECT SUM(row_count) FROM day_digest"), 2'000);
}

// Goal: a discrepancy comes back whole, with its history, and each step left one event.
TEST_F(MysqlBooksTest, DiscrepanciesAndTheirHistory) {
    const Finding missing = FindingOf(1, DiscrepancyKind::kMissingInPayout);
    Finding digest_differs{.subject = {.business_date = Day(),
                                       .kind = DiscrepancyKind::kDigestDiffers,
                                       .book = domain::Book::kPayout,
                                       .bucket = 1'023}};
    ASSERT_THAT(Record({missing, digest_differs}), IsOk());
    ASSERT_THAT(Record({missing, digest_differs}), IsOk());
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy"), 2);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy_step"), 2);

    const auto listed = enquiries_.ListDiscrepancies({});
    ASSERT_THAT(listed, IsOk());
    ASSERT_THAT(*listed, SizeIs(2));
    EXPECT_GT((*listed)[0].discrepancy.id, (*listed)[1].discrepancy.id) << "newest first";
    const auto& stored = std::ranges::find_if(*listed, [&](const auto& record) {
                             return record.discrepancy.finding.subject == missing.subject;
                         })->discrepancy;
    EXPECT_TRUE(stored.finding.SaysTheSame(missing));
    EXPECT_EQ(stored.finding.evidence, missing.evidence);
    EXPECT_EQ(stored.finding.payout_gross, std::nullopt);

    app::ChangeDiscrepancy change(schema_.transactions(), SystemClock());
    const domain::Order order{DiscrepancyState::kExplained, "田中", "届いていない"};
    ASSERT_THAT(change.Run(stored.id, order), IsOk());
    ASSERT_THAT(change.Run(stored.id, order), IsOk()) << "a retry after a lost reply";
    EXPECT_THAT(change.Run(stored.id, {DiscrepancyState::kRepaired, "田中", "x"}),
                Refuses(Code::kFailedPrecondition, "STATE_NOT_ALLOWED"));
    EXPECT_THAT(change.Run(domain::DiscrepancyId(1), order),
                Refuses(Code::kNotFound, "DISCREPANCY_UNKNOWN"));

    const auto found = enquiries_.FindDiscrepancy(stored.id);
    ASSERT_THAT(found, IsOk());
    ASSERT_THAT(found->history, SizeIs(2));
    EXPECT_EQ(found->history[0].state, DiscrepancyState::kOpen);
    EXPECT_EQ(found->history[1].actor, "田中");
    EXPECT_EQ(found->history[1].note, "届いていない");
    EXPECT_EQ(found->discrepancy.latest, found->history[1]);
    EXPECT_GT(found->discrepancy.last_event, stored.last_event);
    EXPECT_EQ(schema_.Count("SELECT COUNT(DISTINCT event_id) FROM discrepancy_step"), 3);
    EXPECT_GT(schema_.Count("SELECT COUNT(*) FROM outbox"), 0);
}

TEST_F(MysqlBooksTest, ListsByStateAndDay) {
    Finding other_day = FindingOf(2, DiscrepancyKind::kMissingInPayout);
    other_day.subject.business_date = Day(1);
    ASSERT_THAT(Record({FindingOf(1, DiscrepancyKind::kMissingInPayout), other_day,
                        FindingOf(3, DiscrepancyKind::kAmountDiffers)}),
                IsOk());
    const auto all = enquiries_.ListDiscrepancies({}).value();
    ASSERT_THAT(all, SizeIs(3));
    app::ChangeDiscrepancy change(schema_.transactions(), SystemClock());
    ASSERT_THAT(change.Run(all[0].discrepancy.id, {DiscrepancyState::kAccepted, "a", "b"}), IsOk());

    const auto count = [&](app::DiscrepancyFilter filter) {
        return enquiries_.ListDiscrepancies(filter).value().size();
    };
    EXPECT_EQ(count({.state = DiscrepancyState::kAccepted}), 1u);
    EXPECT_EQ(count({.state = DiscrepancyState::kOpen}), 2u);
    EXPECT_EQ(count({.business_date = Day(1)}), 1u);
    EXPECT_EQ(count({.state = DiscrepancyState::kRepaired, .business_date = Day(1)}), 0u);
    EXPECT_EQ(count({.limit = 2}), 2u);
    EXPECT_EQ(count({.before = all[1].discrepancy.id}), 1u);
}

// Goal: the same found by two replicas at once is recorded once.
TEST_F(MysqlBooksTest, SameFindingAtTheSameTimeIsOneDiscrepancy) {
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([this] {
            for (int payment = 1; payment <= 20; ++payment) {
                EXPECT_THAT(Record({FindingOf(payment, DiscrepancyKind::kMissingInPayout)}),
                            IsOk());
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy"), 20);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy_step"), 20);
}

// Goal: a day becomes due with the last mark of both sides, whatever order and however often they
// come, and stays compared.
TEST_F(MysqlBooksTest, DayIsDueWithTheLastMark) {
    const auto due = [this] {
        std::vector<BusinessDate> days;
        EXPECT_THAT(InTransaction([&](app::Books& books) -> Status {
                        KESSAI_ASSIGN_OR_RETURN(days, books.days.ListDue(10));
                        return OkStatus();
                    }),
                    IsOk());
        return days;
    };
    const auto mark = [this](Source source, std::uint32_t partition) {
        EXPECT_THAT(InTransaction([&](app::Books& books) {
                        return app::RecordDayMark(books, {Day(), source, partition, 12});
                    }),
                    IsOk());
    };
    // All at once, as the consumers of the partitions do.
    std::vector<std::thread> threads;
    for (std::uint32_t partition = 0; partition < 12; ++partition) {
        threads.emplace_back([&, partition] {
            mark(Source::kPayment, partition);
            if (partition != 7) mark(Source::kPayout, partition);
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_THAT(due(), IsEmpty());
    mark(Source::kPayout, 7);
    EXPECT_THAT(due(), ElementsAre(Day()));

    domain::DayRun run{.business_date = Day(), .number = 1};
    ASSERT_THAT(
        InTransaction([&](app::Books& books) -> Status { return books.days.InsertRun(run); }),
        IsOk());
    run.state = domain::DayRunState::kEqual;
    run.finished_at = SystemClock().Now();
    ASSERT_THAT(InTransaction([&](app::Books& books) { return books.days.FinishRun(run); }),
                IsOk());
    EXPECT_THAT(due(), IsEmpty());
    mark(Source::kPayout, 7);
    EXPECT_THAT(due(), IsEmpty()) << "a mark that is repeated opens nothing";
}

// Goal: runs come back as they were, and a run ends once.
TEST_F(MysqlBooksTest, Runs) {
    EXPECT_THAT(enquiries_.LatestRun(Day()), Refuses(Code::kNotFound, "RUN_UNKNOWN"));
    domain::DayRun run{.business_date = Day(),
                       .number = 1,
                       .deep = true,
                       .started_at = FromMicros(1'800'000'000'000'000)};
    const auto finish = [&] {
        return InTransaction([&](app::Books& books) { return books.days.FinishRun(run); });
    };
    ASSERT_THAT(InTransaction([&](app::Books& books) { return books.days.InsertRun(run); }),
                IsOk());
    EXPECT_EQ(enquiries_.LatestRun(Day()).value(), run);
    run.state = domain::DayRunState::kFailed;
    run.buckets_compared = 1'024;
    run.buckets_different = 3;
    run.rows_listed = 99;
    run.discrepancies_found = 2;
    run.finished_at = run.started_at + std::chrono::seconds(1);
    run.failure = "UNAVAILABLE TRANSPORT: 切れた";
    ASSERT_THAT(finish(), IsOk());
    EXPECT_EQ(enquiries_.LatestRun(Day()).value(), run);
    const auto failed = run;
    run.state = domain::DayRunState::kEqual;
    ASSERT_THAT(finish(), IsOk());
    EXPECT_EQ(enquiries_.LatestRun(Day()).value(), failed);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM outbox"), 1);
}

// Goal: one replica at a time compares a day, and one that lost the right cannot write.
TEST_F(MysqlBooksTest, RunLease) {
    auto held = schema_.leases().TryAcquire(Day());
    ASSERT_THAT(held, IsOk());
    ASSERT_NE(*held, nullptr);
    EXPECT_EQ(schema_.leases().TryAcquire(Day()).value(), nullptr);
    EXPECT_NE(schema_.leases().TryAcquire(Day(1)).value(), nullptr);
    const auto confirm = [&](const app::RunGrant& grant) {
        return InTransaction([&](app::Books& books) { return books.days.Confirm(grant); });
    };
    const auto old = (*held)->grant();
    EXPECT_THAT(confirm(old), IsOk());
    EXPECT_THAT((*held)->Renew(), IsOk());
    held->reset();
    const auto next = schema_.leases().TryAcquire(Day()).value();
    ASSERT_NE(next, nullptr);
    EXPECT_THAT(confirm(old), Refuses(Code::kFailedPrecondition, "LEASE_LOST"));
    EXPECT_THAT(confirm(next->grant()), IsOk());
}

// Goal: every statement on the way of the events reads by its index, however many rows there are.
// Method: the plans of the look-ups with full key lists over a table of some thousand rows.
TEST_F(MysqlBooksTest, PlansUseTheirIndexes) {
    std::vector<PaymentClaim> payments;
    for (int i = 1; i <= 5'000; ++i) payments.push_back(PaymentSays(i));
    ASSERT_THAT(Hear(payments), IsOk());
    schema_.Execute("ANALYZE TABLE change_match");
    std::string keys;
    for (int i = 1; i <= 500; ++i) keys += (i > 1 ? "," : "") + std::to_string(i * 7);

    auto session = schema_.pool().Acquire(std::chrono::seconds(5));
    ASSERT_THAT(session, IsOk());
    const auto plan = [&](const std::string& sql) {
        const std::string explain = "EXPLAIN " + sql;
        auto rows = (*session)->Select(mysql::Query{"test.explain", explain});
        EXPECT_THAT(rows, IsOk());
        std::string text;
        while (rows->Next()) {
            text += rows->Text(3) + " by " + rows->OptionalText(5).value_or("none") + ";";
        }
        return text;
    };
    EXPECT_EQ(plan("SELECT gross FROM change_match FORCE INDEX (PRIMARY) WHERE payment_id IN (" +
                   keys + ") ORDER BY payment_id, version FOR UPDATE"),
              "range by PRIMARY;");
    EXPECT_EQ(plan("SELECT gross FROM change_match FORCE INDEX (change_match_by_day) WHERE "
                   "business_date = '2026-11-22' AND bucket = 5 AND (payment_id > 3 OR (payment_id "
                   "= 3 AND version > 1)) ORDER BY payment_id, version LIMIT 1000"),
              "range by change_match_by_day;");
}

}  // namespace
}  // namespace kessai::reconciliation::storage
