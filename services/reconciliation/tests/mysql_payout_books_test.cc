#include "storage/mysql_payout_books.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "app/discrepancy_changes.h"
#include "app/enquiries.h"
#include "app/note_transfers.h"
#include "kessai/ids/id_generator.h"
#include "kessai/mysql/error.h"
#include "tests/reconciliation_fixture.h"

namespace kessai::reconciliation::storage {
namespace {

using namespace std::chrono_literals;

using domain::DiscrepancyKind;
using domain::Finding;
using domain::MerchantId;
using domain::PaymentClaim;
using domain::PayoutClaim;
using domain::TaxClass;
using domain::TransferId;
using domain::TransferNotice;
using domain::TransferStep;
using domain::testing::Day;
using domain::testing::PaymentSays;
using domain::testing::PayoutSays;
using kessai::testing::IsOk;
using kessai::testing::Refuses;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class MysqlPayoutBooksTest : public ::testing::Test {
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
    static PaymentClaim Sale(std::int64_t payment, std::int64_t gross, std::int64_t merchant) {
        PaymentClaim claim = PaymentSays(payment, 1, gross, merchant);
        claim.kind = 1;
        return claim;
    }
    static PayoutClaim Answer(const PaymentClaim& claim, std::int64_t fee,
                              TaxClass tax_class = TaxClass::kStandard10) {
        PayoutClaim answer = PayoutSays(claim);
        answer.told_fee = {fee, tax_class};
        return answer;
    }
    static TransferNotice NoticeOf(std::int64_t transfer, std::uint32_t version,
                                   TransferStep step) {
        TransferNotice notice{.transfer = TransferId(transfer),
                              .version = version,
                              .step = step,
                              .content = domain::testing::HashOf(version),
                              .business_date = Day(),
                              .merchant = MerchantId(7),
                              .payout = transfer + 1'000,
                              .attempt = 2,
                              .amount = 100 + transfer,
                              .fee = step == TransferStep::kCreated ? 5 : 0,
                              .tax = 0};
        if (step == TransferStep::kSent) notice.transfer_date = Day(1);
        return notice;
    }
    Status Tell(std::vector<TransferNotice> notices) {
        return InTransaction([&](app::Books& books) { return note_.Apply(books, notices); });
    }
    template <class T>
    T Read(const std::function<Result<T>(app::Books&)>& read) {
        std::optional<T> found;
        const Status status = InTransaction([&](app::Books& books) -> Status {
            KESSAI_ASSIGN_OR_RETURN(found, read(books));
            return OkStatus();
        });
        EXPECT_THAT(status, IsOk());
        return *found;
    }

    const digest::RowHasher hasher_{digest::RowHasher::Key{1, 2, 3}};
    testing::ReconciliationSchema schema_;
    app::MatchChanges match_{hasher_, SystemClock()};
    app::NoteTransfers note_{SystemClock()};
    app::Enquiries enquiries_{schema_.transactions()};
};

// Goal: kinds and fees are kept whichever side comes first, and summed by merchant and class.
TEST_F(MysqlPayoutBooksTest, KindsAndFeesAreKeptAndSummed) {
    const auto first = Sale(1, 1'000, 7);
    const auto second = Sale(2, 500, 7);
    const auto third = Sale(3, 300, 9);
    ASSERT_THAT(Hear<PaymentClaim>({first}), IsOk());
    ASSERT_THAT(Hear<PayoutClaim>(
                    {Answer(first, 19), Answer(second, 9), Answer(third, 5, TaxClass::kStandard8)}),
                IsOk());
    ASSERT_THAT(Hear<PaymentClaim>({second, third}), IsOk());
    const std::vector payments{domain::PaymentId(1), domain::PaymentId(2), domain::PaymentId(3)};
    const auto changes = Read<std::vector<domain::Match>>(
        [&](app::Books& books) { return books.payout.ChangesOf(payments); });
    ASSERT_THAT(changes, SizeIs(3));
    for (const auto& change : changes) EXPECT_EQ(change.kind, 1);
    EXPECT_EQ(changes[0].told_fee, (domain::ToldFee{19, TaxClass::kStandard10}));
    EXPECT_EQ(changes[1].told_fee, (domain::ToldFee{9, TaxClass::kStandard10}));
    EXPECT_EQ(changes[2].told_fee, (domain::ToldFee{5, TaxClass::kStandard8}));

    const auto lines = Read<std::vector<app::MatchedLine>>(
        [&](app::Books& books) { return books.payout.ListMatched(Day(), MerchantId(), 100); });
    ASSERT_THAT(lines, SizeIs(2));
    EXPECT_EQ(lines[0].merchant, MerchantId(7));
    EXPECT_EQ(lines[0].sums, (domain::LineSums{1'500, 28, 2}));
    EXPECT_EQ(lines[1].tax_class, TaxClass::kStandard8);
    EXPECT_EQ(lines[1].sums, (domain::LineSums{300, 5, 1}));
    // A page ends with whole merchants.
    const auto page = Read<std::vector<app::MatchedLine>>(
        [&](app::Books& books) { return books.payout.ListMatched(Day(), MerchantId(), 1); });
    ASSERT_THAT(page, SizeIs(1));
    EXPECT_THAT(Read<std::vector<app::MatchedLine>>([&](app::Books& books) {
                    return books.payout.ListMatched(Day(), MerchantId(9), 1);
                }),
                IsEmpty());
}

// Goal: what an older version of the service matched is told apart.
TEST_F(MysqlPayoutBooksTest, RowsOfBeforeHaveNoClass) {
    schema_.Execute(
        "INSERT INTO matched_day_total (business_date, merchant_id, currency, slot, gross, "
        "item_count) VALUES ('2026-11-22', 7, 'JPY', 1, 1000, 3)");
    const auto lines = Read<std::vector<app::MatchedLine>>(
        [&](app::Books& books) { return books.payout.ListMatched(Day(), MerchantId(), 100); });
    ASSERT_THAT(lines, SizeIs(1));
    EXPECT_EQ(lines[0].tax_class, TaxClass::kNotNoted);
    EXPECT_EQ(lines[0].sums.gross, 1'000);
}

TEST_F(MysqlPayoutBooksTest, WhatWaitsIsSummedAndForgotten) {
    const auto made_at = [](PaymentClaim claim, Instant at) {
        claim.event = domain::EventId(IdGenerator::LowestAt(at) + claim.key.payment.value());
        return claim;
    };
    const Instant old = Day().At(9h);
    const auto first = made_at(PaymentSays(1, 1, -700), old);
    const auto second = made_at(PaymentSays(2, 1, 300), old + 20min);
    ASSERT_THAT(Hear<PaymentClaim>({first, second}, 3), IsOk());
    const Instant now = old + 24h;
    auto waiting = enquiries_.Waiting(now);
    ASSERT_THAT(waiting, IsOk());
    EXPECT_EQ(waiting->changes, 2);
    EXPECT_EQ(waiting->value, 1'000);
    EXPECT_EQ(waiting->oldest, old);
    ASSERT_THAT(Hear<PayoutClaim>({PayoutSays(first)}, 3), IsOk());
    waiting = enquiries_.Waiting(now);
    ASSERT_THAT(waiting, IsOk());
    EXPECT_EQ(waiting->changes, 1);
    EXPECT_EQ(waiting->oldest, old + 20min);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM waiting_total"), 1);
    ASSERT_THAT(Hear<PayoutClaim>({PayoutSays(second)}, 3), IsOk());
    waiting = enquiries_.Waiting(now);
    ASSERT_THAT(waiting, IsOk());
    EXPECT_EQ(waiting->changes, 0);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM waiting_total"), 0);
}

TEST_F(MysqlPayoutBooksTest, TransfersComeBackAsTheyWere) {
    const auto created = NoticeOf(10, 1, TransferStep::kCreated);
    const auto sent = NoticeOf(10, 2, TransferStep::kSent);
    ASSERT_THAT(Tell({created, NoticeOf(11, 1, TransferStep::kCreated)}), IsOk());
    ASSERT_THAT(Tell({sent}), IsOk());
    const std::vector ids{TransferId(10), TransferId(12)};
    const auto found = Read<std::vector<domain::NotedTransfer>>(
        [&](app::Books& books) { return books.payout.LockTransfers(ids); });
    ASSERT_THAT(found, SizeIs(1));
    TransferNotice first = created;
    // Of its first event what is compared is kept.
    first.version = 0;
    first.content = {};
    EXPECT_EQ(found[0].first, first);
    EXPECT_EQ(found[0].latest, TransferStep::kSent);
    EXPECT_EQ(found[0].awaited_since, Day(1));
    EXPECT_EQ(Read<TransferId>([](app::Books& books) { return books.payout.FirstTransfer(); }),
              TransferId(10));
    // The same event again never gets here: its effect is found.
    const std::vector objects{domain::ObjectOf(TransferId(10))};
    const auto noted = Read<std::vector<domain::NotedHold>>(
        [&](app::Books& books) { return books.payout.FindNotedEvents(objects); });
    ASSERT_THAT(noted, SizeIs(2));
    EXPECT_EQ(noted[0].content, created.content);
    EXPECT_THAT(Tell({created}), Refuses(Code::kAlreadyExists, mysql::reason::kDuplicateKey));

    const auto sums = Read<std::map<TransferStep, app::PayoutBooks::ToldSteps>>(
        [](app::Books& books) { return books.payout.SumTransferSteps(Day()); });
    EXPECT_EQ(sums.at(TransferStep::kCreated), (app::PayoutBooks::ToldSteps{2, 221, 10, 0}));
    const auto entries = Read<std::vector<domain::TransferEntry>>(
        [](app::Books& books) { return books.payout.ListTransferSteps(Day(), TransferId(), 1); });
    ASSERT_THAT(entries, SizeIs(1)) << "a file is no journal, and a page ends with a transfer";
    EXPECT_EQ(entries[0], (domain::TransferEntry{TransferStep::kCreated, TransferId(10),
                                                 MerchantId(7), 110, 5, 0}));
}

TEST_F(MysqlPayoutBooksTest, OverdueIsMarkedOnce) {
    ASSERT_THAT(Tell({NoticeOf(10, 1, TransferStep::kCreated)}), IsOk());
    ASSERT_THAT(Tell({NoticeOf(10, 2, TransferStep::kSent)}), IsOk());
    ManualClock clock(Day(10).At(10h));
    app::FindOverdueResults find(schema_.transactions(), clock, 2);
    ASSERT_THAT(find.Run(), IsOk());
    ASSERT_THAT(find.Run(), IsOk());
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy WHERE kind = 24 AND state = 1"), 1);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy_step"), 1);
    EXPECT_EQ(schema_.Count("SELECT held_merchant FROM discrepancy"), 10);
    const auto records = enquiries_.ListDiscrepancies({});
    ASSERT_THAT(records, IsOk());
    ASSERT_THAT(*records, SizeIs(1));
    EXPECT_EQ((*records)[0].discrepancy.finding.subject.transfer, TransferId(10));
    EXPECT_TRUE((*records)[0].discrepancy.finding.subject.held_merchant.is_none());
    ASSERT_THAT(Tell({NoticeOf(10, 3, TransferStep::kFailed)}), IsOk());
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy WHERE state = 4"), 1);
    EXPECT_EQ(schema_.Count("SELECT awaited FROM noted_transfer"), 0);
}

TEST_F(MysqlPayoutBooksTest, ReleasesAreSummedAndAskForACheck) {
    const app::ReleaseNotice first{.key = {Day().ToNumber(), 1},
                                   .content = domain::testing::HashOf(1),
                                   .released_date = Day(),
                                   .totals = {3, 1'000, 20, 2, 978}};
    app::ReleaseNotice second = first;
    second.key.version = 2;
    second.totals = {1, 100, 1, 0, 99};
    const auto note = [&](const std::vector<app::ReleaseNotice>& notices) {
        return InTransaction([&](app::Books& books) { return note_.Apply(books, notices); });
    };
    ASSERT_THAT(note({first}), IsOk());
    ASSERT_THAT(note({second}), IsOk());
    const auto told = Read<app::ToldReleases>(
        [](app::Books& books) { return books.payout.FindToldReleases(Day()); });
    EXPECT_EQ(told.rounds, (domain::HeardRounds{{1, first.totals}, {2, second.totals}}));
    EXPECT_EQ(told.first_day, Day());
    const auto due = Read<std::vector<app::DueCheck>>(
        [](app::Books& books) { return books.payout.ListDueChecks(10); });
    ASSERT_THAT(due, SizeIs(1));
    EXPECT_EQ(due[0].asked, 2);
    // A check that began before the second asking leaves the day due.
    domain::PayoutCheck check{.business_date = Day(), .number = 1, .started_at = Day().At(1h)};
    const auto finish = [&](std::int64_t answered) {
        return InTransaction([&](app::Books& books) -> Status {
            check.state = domain::DayRunState::kRunning;
            KESSAI_RETURN_IF_ERROR(books.payout.InsertCheck(check));
            check.state = domain::DayRunState::kDifferent;
            check.merchants_listed = 12;
            check.finished_at = Day().At(2h);
            return books.payout.FinishCheck(check, app::DueCheck{Day(), answered});
        });
    };
    ASSERT_THAT(finish(1), IsOk());
    EXPECT_EQ(schema_.Count("SELECT is_due FROM due_payout_check"), 1);
    check.number = 2;
    ASSERT_THAT(finish(2), IsOk());
    EXPECT_EQ(schema_.Count("SELECT is_due FROM due_payout_check"), 0);
    const auto latest = enquiries_.LatestCheck(Day());
    ASSERT_THAT(latest, IsOk());
    EXPECT_EQ(**latest, check);
}

// Goal: discrepancies about merchants' days and transfers are recorded once, apart from each other,
// and found by day and kind.
TEST_F(MysqlPayoutBooksTest, SubjectsOfBothSortsAreKeptApart) {
    const auto finding = [](DiscrepancyKind kind, std::int64_t object,
                            std::optional<domain::Book> book = {}) {
        Finding found{.subject = {.business_date = Day(), .kind = kind, .book = book},
                      .merchant = MerchantId(7),
                      .payment_gross = 5,
                      .payout_gross = 8,
                      .evidence = "証拠"};
        if (domain::IsAboutTransfer(kind)) {
            found.subject.transfer = TransferId(object);
        } else {
            found.subject.held_merchant = MerchantId(object);
        }
        return found;
    };
    const std::vector<Finding> findings{
        finding(DiscrepancyKind::kAccruedDiffers, 7),
        finding(DiscrepancyKind::kAccruedDiffers, 8),
        finding(DiscrepancyKind::kReleasedDiffers, 7),
        finding(DiscrepancyKind::kTransferDiffers, 7),
        finding(DiscrepancyKind::kTransferDiffers, 7, domain::Book::kPayout),
        finding(DiscrepancyKind::kBalanceDiffers, 7)};
    for (int round = 0; round < 2; ++round) {
        ASSERT_THAT(InTransaction([&](app::Books& books) -> Status {
                        app::DiscrepancyChanges changes(SystemClock().Now());
                        KESSAI_RETURN_IF_ERROR(changes.AddFindings(books, findings, nullptr));
                        return changes.Store(books);
                    }),
                    IsOk());
    }
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy"), 6);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM discrepancy_step"), 6);
    const std::vector kinds{DiscrepancyKind::kAccruedDiffers, DiscrepancyKind::kTransferDiffers};
    const auto of_day = Read<std::vector<domain::Discrepancy>>([&](app::Books& books) {
        return books.payout.LockUnsettledOfDay(Day(), kinds, domain::DiscrepancyId(), 100);
    });
    EXPECT_THAT(of_day, SizeIs(4));
    const auto totals = enquiries_.Unsettled();
    ASSERT_THAT(totals, IsOk());
    for (const auto& total : *totals) {
        EXPECT_GT(total.at_risk, 0);
        EXPECT_EQ(total.oldest_day, Day());
        EXPECT_GT(ToMicros(total.oldest_found), 0);
    }
}

// Goal: nothing of it reads more than it needs.
TEST_F(MysqlPayoutBooksTest, QueriesUseTheirKeys) {
    for (int i = 1; i <= 300; ++i) {
        ASSERT_THAT(Tell({NoticeOf(i, 1, TransferStep::kCreated)}), IsOk());
        if (i % 50 != 0) continue;
        ASSERT_THAT(Tell({NoticeOf(i, 2, TransferStep::kSent)}), IsOk());
    }
    for (int i = 1; i <= 200; ++i) {
        ASSERT_THAT(
            InTransaction([&](app::Books& books) { return books.payout.AskForCheck(Day(i)); }),
            IsOk());
    }
    schema_.Execute("UPDATE due_payout_check SET is_due = 0 WHERE business_date > '2026-11-25'");
    const auto plan = [&](const std::string& sql) {
        auto session = schema_.pool().Acquire(std::chrono::seconds(5));
        KESSAI_CHECK(session.ok(), session.status().ToString());
        const std::string explain = "EXPLAIN " + sql;
        auto rows = (*session)->Select(mysql::Query{"test.explain", explain});
        KESSAI_CHECK(rows.ok(), rows.status().ToString());
        std::string text;
        while (rows->Next()) {
            text += rows->Text(3) + " by " + rows->OptionalText(5).value_or("none") + ";";
        }
        return text;
    };
    EXPECT_EQ(plan("SELECT transfer_id FROM noted_transfer FORCE INDEX (noted_transfer_awaited) "
                   "WHERE awaited = 1 AND transfer_date < '2026-11-22' "
                   "ORDER BY transfer_date, transfer_id LIMIT 5"),
              "range by noted_transfer_awaited;");
    EXPECT_EQ(plan("SELECT business_date FROM due_payout_check FORCE INDEX (due_payout_check_due) "
                   "WHERE is_due = 1 ORDER BY business_date LIMIT 5"),
              "ref by due_payout_check_due;");
}

}  // namespace
}  // namespace kessai::reconciliation::storage
