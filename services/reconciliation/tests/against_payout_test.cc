// Goal: a closed day is held against payout over the real parts: payout's answers over gRPC, our
// own books in MySQL, the operator's calls as the service answers them. Method: in-process peers
// whose rows a test damages; a real MariaDB.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/change_discrepancy.h"
#include "app/check_payout.h"
#include "app/compare_day.h"
#include "app/enquiries.h"
#include "app/note_transfers.h"
#include "app/record_day_mark.h"
#include "kessai/auth/key_ring.h"
#include "kessai/digest/lines.h"
#include "tests/fake_check_peer.h"
#include "tests/fake_peers.h"
#include "tests/reconciliation_fixture.h"
#include "transport/day_run_worker.h"
#include "transport/grpc_payout_day_book.h"
#include "transport/grpc_peer_book.h"
#include "transport/proto_mapping.h"
#include "transport/reconciliation_metrics.h"

namespace kessai::reconciliation::transport {
namespace {

using domain::PaymentClaim;
using domain::TaxClass;
using domain::testing::Day;
using domain::testing::PaymentSays;
using domain::testing::PayoutSays;
using kessai::testing::IsOk;
using kessai::testing::Refuses;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view kKeys =
    "key 1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\nsign 1\n";

class AgainstPayoutTest : public ::testing::Test {
 protected:
    AgainstPayoutTest() {
        payment_.book.business_date = payout_.book.business_date = Day();
        check_peer_.business_date = Day();
        for (int i = 1; i <= 60; ++i) Happen(PaymentSays(i, 1, 1'000 + i, 1 + i % 9));
        payout_.book.rows = payment_.book.rows;
        for (auto& [key, row] : payout_.book.rows) {
            row.fee = {row.gross / 50, TaxClass::kStandard10};
        }
        FillMerchants();
        for (const auto source : {domain::Source::kPayment, domain::Source::kPayout}) {
            KESSAI_CHECK(schema_.transactions()
                             .Run([&](app::Books& books) {
                                 return app::RecordDayMark(books, {Day(), source, 0, 1});
                             })
                             .ok(),
                         "a mark is noted");
        }
    }
    ~AgainstPayoutTest() override { runs_.Stop(); }

    void Happen(const PaymentClaim& claim) {
        payment_.book.rows.emplace(
            claim.key, domain::BookRow{claim.key, claim.terms.merchant, claim.terms.gross.minor()});
        auto answer = PayoutSays(claim);
        answer.told_fee = {claim.terms.gross.minor() / 50, TaxClass::kStandard10};
        const Status heard = schema_.transactions().Run([&](app::Books& books) -> Status {
            KESSAI_RETURN_IF_ERROR(match_.Apply(books, std::span(&claim, 1), 0).status());
            return match_.Apply(books, std::span(&answer, 1), 0).status();
        });
        KESSAI_CHECK(heard.ok(), heard.ToString());
    }
    void FillMerchants() {
        std::map<std::int64_t, payout::v1::ListMerchantDaysResponse::Merchant> merchants;
        for (const auto& [key, row] : payout_.book.rows) {
            auto& merchant = merchants[row.merchant.value()];
            merchant.set_merchant_id(row.merchant.value());
            if (merchant.lines().empty()) merchant.add_lines()->set_tax_class("standard_10");
            auto* line = merchant.mutable_lines(0);
            line->set_accrued_gross(line->accrued_gross() + row.gross);
            line->set_accrued_fee(line->accrued_fee() + row.fee.fee);
            line->set_accrued_count(line->accrued_count() + 1);
        }
        for (auto& [id, merchant] : merchants) {
            auto* line = merchant.mutable_lines(0);
            line->set_released(true);
            line->set_released_gross(line->accrued_gross());
            line->set_released_fee(line->accrued_fee());
            line->set_released_count(line->accrued_count());
            line->set_tax(line->accrued_fee() / 10);
            line->set_net(line->accrued_gross() - line->accrued_fee() - line->tax());
            line->set_cycle_fee_before(0);
            check_peer_.merchants.push_back(merchant);
        }
        FillFees();
    }
    /// Payout's fee digests, by its rows.
    void FillFees() {
        digest::Accumulator sums(hasher_);
        for (const auto& [key, row] : payout_.book.rows) {
            sums.Add(digest::FeeRow(key.payment.value(), key.version, Day(), 2, row.fee.fee));
        }
        check_peer_.fees.Clear();
        const auto day = sums.Day(Day());
        for (std::size_t bucket = 0; bucket < day.size(); ++bucket) {
            if (day[bucket] == digest::BucketDigest{}) continue;
            auto* added = check_peer_.fees.add_buckets();
            added->set_bucket(static_cast<std::uint32_t>(bucket));
            added->set_count(static_cast<std::uint64_t>(day[bucket].count));
            added->set_amount(day[bucket].signed_gross);
            std::string sum(16, '\0');
            for (std::size_t i = 0; i < 8; ++i) {
                sum[i] = static_cast<char>(day[bucket].hash_sum.high >> (56 - 8 * i));
                sum[i + 8] = static_cast<char>(day[bucket].hash_sum.low >> (56 - 8 * i));
            }
            added->set_hash_sum(sum);
        }
    }
    Result<domain::DayRun> RunDay(bool deep) {
        auto run = runs_.Run(Day(), deep, SystemClock().SteadyNow() + std::chrono::seconds(20));
        KESSAI_RETURN_IF_ERROR(run.status());
        KESSAI_CHECK(run->has_value(), "it ends in time");
        return **run;
    }
    domain::PayoutCheck LatestCheck() {
        const auto check = enquiries_.LatestCheck(Day());
        KESSAI_CHECK(check.ok() && check->has_value(), "there was a check");
        return **check;
    }
    std::vector<v1::Discrepancy> Open() {
        const auto records =
            enquiries_.ListDiscrepancies({.state = domain::DiscrepancyState::kOpen});
        EXPECT_THAT(records, IsOk());
        std::vector<v1::Discrepancy> open;
        for (const auto& record : *records) open.push_back(ToProto(record));
        std::ranges::sort(open, {}, [](const v1::Discrepancy& one) { return one.kind(); });
        return open;
    }
    rpc::Channel ChannelTo(const std::string& target) {
        return rpc::Channel::Create({.target = target}, SystemClock()).value();
    }

    const digest::RowHasher hasher_{digest::RowHasher::Key{1, 2, 3}};
    const auth::FixedKeyRing keys_{auth::KeyRing::Parse(kKeys).value()};
    auth::TokenSigner signer_{keys_, SystemClock()};
    const auth::TokenVerifier payment_verifier_{keys_, SystemClock(), {.audience = "payment"}};
    const auth::TokenVerifier payout_verifier_{keys_, SystemClock(), {.audience = "payout"}};
    testing::FakePayment payment_{payment_verifier_, hasher_};
    testing::FakePayout payout_{payout_verifier_, hasher_};
    testing::FakeCheckPeer check_peer_{payout_verifier_, hasher_};
    testing::ReconciliationSchema schema_;
    metrics::Registry registry_;
    ReconciliationMetrics metrics_{registry_};
    app::MatchChanges match_{hasher_, SystemClock()};
    app::NoteTransfers note_{SystemClock()};
    GrpcPaymentBook payment_book_{ChannelTo(payment_.target()), signer_, {}};
    GrpcPayoutBook payout_book_{ChannelTo(payout_.target()), signer_, {}};
    GrpcPayoutDayBook payout_day_{ChannelTo(check_peer_.target()), signer_, {}};
    app::CompareDay compare_{{schema_.transactions(), schema_.leases(), payment_book_, payout_book_,
                              hasher_, SystemClock(), &payout_day_}};
    app::CheckPayout check_{
        {schema_.transactions(), schema_.leases(), payout_day_, hasher_, SystemClock()}};
    app::FindOverdueResults overdue_{schema_.transactions(), SystemClock(), 2};
    app::Enquiries enquiries_{schema_.transactions()};
    DayRunWorker runs_{{.poll_every = std::chrono::milliseconds(20),
                        .queue_max = 2,
                        .retry = {.retry_first = std::chrono::milliseconds(50)}},
                       schema_.transactions(),
                       compare_,
                       metrics_,
                       SystemClock(),
                       {&check_, &overdue_}};
};

TEST_F(AgainstPayoutTest, AnEqualDayIsEqualHoweverDeep) {
    runs_.Start();
    for (const bool deep : {false, true}) {
        const auto run = RunDay(deep);
        ASSERT_THAT(run, IsOk());
        EXPECT_EQ(run->state, domain::DayRunState::kEqual);
        const auto check = LatestCheck();
        EXPECT_EQ(check.state, domain::DayRunState::kEqual);
        EXPECT_EQ(check.deep, deep);
        EXPECT_TRUE(check.released);
    }
    EXPECT_THAT(Open(), IsEmpty());
    std::lock_guard lock(check_peer_.mutex);
    EXPECT_EQ(check_peer_.merchants_listed, 9) << "only the deep check lists";
}

// Goal: after the comparison the day is checked by itself, and again when a release is told.
TEST_F(AgainstPayoutTest, ChecksComeByThemselves) {
    {
        std::lock_guard lock(check_peer_.mutex);
        check_peer_.released = false;
        auto* line = check_peer_.merchants[3].mutable_lines(0);
        line->set_released_gross(line->released_gross() + 5);
        line->set_net(line->net() + 5);
    }
    runs_.Start();
    ASSERT_EVENTUALLY([&] {
        const auto check = enquiries_.LatestCheck(Day());
        return check.ok() && check->has_value() && (*check)->state == domain::DayRunState::kEqual;
    }());
    EXPECT_FALSE(LatestCheck().released);
    const app::ReleaseNotice notice{.key = {Day().ToNumber(), 1},
                                    .content = domain::testing::HashOf(1),
                                    .released_date = Day()};
    {
        std::lock_guard lock(check_peer_.mutex);
        check_peer_.released = true;
    }
    ASSERT_THAT(schema_.transactions().Run(
                    [&](app::Books& books) { return note_.Apply(books, std::span(&notice, 1)); }),
                IsOk());
    ASSERT_EVENTUALLY(LatestCheck().state == domain::DayRunState::kDifferent);
    const auto open = Open();
    ASSERT_THAT(open, SizeIs(2));
    EXPECT_EQ(open[0].kind(), v1::Discrepancy::RELEASED_DIFFERS);
    EXPECT_EQ(open[0].merchant_id(), check_peer_.merchants[3].merchant_id());
    EXPECT_EQ(open[0].payout_amount() - open[0].payment_amount(), 5);
    EXPECT_THAT(open[0].meaning(), HasSubstr("made available to the merchant"));
    EXPECT_THAT(open[0].what_to_do(), HasSubstr("Hold the merchant"));
    // The notice says that nothing was released.
    EXPECT_EQ(open[1].kind(), v1::Discrepancy::RELEASE_TOLD_DIFFERS);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM day_run"), 1) << "rows are not compared again";
}

// Goal: a deep run names the fees that payout finds wrong, and those that it told otherwise than
// its rows say.
TEST_F(AgainstPayoutTest, DeepRunsNameWrongFees) {
    {
        std::scoped_lock lock(check_peer_.mutex, payout_.book.mutex);
        auto& wrong = check_peer_.wrong_fees.emplace_back();
        wrong.set_payment_id(5);
        wrong.set_version(1);
        wrong.set_merchant_id(6);
        wrong.set_gross(1'005);
        wrong.set_fee(20);
        wrong.set_expected_fee(10);
        wrong.set_tax_class("standard_10");
        wrong.set_expected_tax_class("standard_10");
        wrong.set_note("the fee is 10");
        payout_.book.rows.at({domain::PaymentId(9), 1}).fee.fee += 3;
        FillFees();
    }
    runs_.Start();
    ASSERT_THAT(RunDay(false), IsOk());
    EXPECT_THAT(Open(), IsEmpty());
    const auto run = RunDay(true);
    ASSERT_THAT(run, IsOk());
    EXPECT_EQ(run->discrepancies_found, 2u);
    auto open = Open();
    ASSERT_THAT(open, SizeIs(2));
    std::ranges::sort(open, {}, [](const v1::Discrepancy& one) { return one.payment_id(); });
    EXPECT_EQ(open[0].kind(), v1::Discrepancy::FEE_DIFFERS);
    EXPECT_EQ(open[0].payment_id(), 5);
    EXPECT_EQ(open[0].payment_amount(), 10);
    EXPECT_EQ(open[0].payout_amount(), 20);
    EXPECT_EQ(open[1].payment_id(), 9);
    EXPECT_EQ(open[1].payout_amount() - open[1].payment_amount(), 3);
    EXPECT_THAT(open[1].evidence(), HasSubstr("payout told a fee of 20"));
    // Only a deep run shows that they are gone.
    {
        std::scoped_lock lock(check_peer_.mutex, payout_.book.mutex);
        check_peer_.wrong_fees.clear();
        payout_.book.rows.at({domain::PaymentId(9), 1}).fee.fee -= 3;
        FillFees();
    }
    ASSERT_THAT(RunDay(false), IsOk());
    EXPECT_THAT(Open(), SizeIs(2));
    ASSERT_THAT(RunDay(true), IsOk());
    EXPECT_THAT(Open(), IsEmpty());
}

TEST_F(AgainstPayoutTest, TransfersAndBalancesOfTheDayBefore) {
    const domain::TransferNotice created{.transfer = domain::TransferId(10),
                                         .version = 1,
                                         .content = domain::testing::HashOf(1),
                                         .business_date = Day(-1),
                                         .merchant = domain::MerchantId(7),
                                         .payout = 3,
                                         .attempt = 1,
                                         .amount = 500};
    ASSERT_THAT(schema_.transactions().Run(
                    [&](app::Books& books) { return note_.Apply(books, std::span(&created, 1)); }),
                IsOk());
    {
        std::lock_guard lock(check_peer_.mutex);
        auto& step = check_peer_.steps.emplace_back();
        step.set_journal_id(1);
        step.set_kind(1);
        step.set_transfer_id(10);
        step.set_merchant_id(7);
        step.set_amount(450);
        auto& funds = check_peer_.funds.emplace_back();
        funds.set_merchant_id(7);
        funds.set_released(1'000);
        funds.set_paid(450);
        funds.set_open_transfers(450);
        funds.set_in_transit(450);
        funds.set_available(551);
    }
    runs_.Start();
    ASSERT_THAT(RunDay(true), IsOk());
    const auto open = Open();
    ASSERT_THAT(open, SizeIs(2));
    EXPECT_EQ(open[0].kind(), v1::Discrepancy::BALANCE_DIFFERS);
    EXPECT_EQ(open[0].merchant_id(), 7);
    EXPECT_EQ(open[1].kind(), v1::Discrepancy::TRANSFER_DIFFERS);
    EXPECT_EQ(open[1].transfer_id(), 10);
    EXPECT_EQ(open[1].payment_amount(), 500);
    EXPECT_EQ(open[1].payout_amount(), 450);
    EXPECT_EQ(open[1].business_date(), Day(-1).ToNumber());

    // A quick check asks for the merchants by name, and settles what is gone.
    {
        std::lock_guard lock(check_peer_.mutex);
        check_peer_.funds[0].set_available(550);
        check_peer_.funds.emplace_back().set_merchant_id(8);
        check_peer_.funds[1].set_available(3);
    }
    ASSERT_THAT(check_.Run(Day(), false), IsOk());
    const auto left = Open();
    ASSERT_THAT(left, SizeIs(1)) << "whom nothing was found in is not looked at";
    EXPECT_EQ(left[0].kind(), v1::Discrepancy::TRANSFER_DIFFERS);
}

// Goal: a release that was told, but whose event is lost, is found by the check of the day that the
// event is of, over the real parts; and settled by the event.
TEST_F(AgainstPayoutTest, ALostReleaseIsFoundByTheDayOfItsEvent) {
    {
        std::lock_guard lock(check_peer_.mutex);
        check_peer_.told_date = Day(1);
    }
    ASSERT_THAT(check_.Run(Day(), false), IsOk());
    EXPECT_FALSE(LatestCheck().released) << "it may be on its way";
    for (const auto source : {domain::Source::kPayment, domain::Source::kPayout}) {
        ASSERT_THAT(schema_.transactions().Run([&](app::Books& books) {
            return app::RecordDayMark(books, {Day(1), source, 0, 1});
        }),
                    IsOk());
    }
    ASSERT_THAT(schema_.transactions().Run(
                    [&](app::Books& books) { return books.payout.AskForCheck(Day(1)); }),
                IsOk());
    std::vector<std::pair<BusinessDate, bool>> checked;
    app::RunDueChecks due(
        schema_.transactions(), check_, SystemClock(), {},
        [&](BusinessDate date, const auto& outcome) { checked.emplace_back(date, outcome.ok()); });
    ASSERT_THAT(due.Run({}), IsOk());
    ASSERT_THAT(due.Run({}), IsOk());
    EXPECT_THAT(checked, ElementsAre(std::pair(Day(1), true), std::pair(Day(), true)));
    EXPECT_TRUE(LatestCheck().released);
    const auto open = Open();
    ASSERT_THAT(open, SizeIs(1));
    EXPECT_EQ(open[0].kind(), v1::Discrepancy::RELEASE_EVENT_MISSING);
    EXPECT_EQ(open[0].merchant_id(), 0);
    EXPECT_THAT(open[0].evidence(), HasSubstr(std::to_string(Day().ToNumber()) + "/1 of"));
    EXPECT_THAT(open[0].what_to_do(), HasSubstr("PUBLISH_AGAIN"));

    app::ReleaseNotice notice{.key = {Day().ToNumber(), 1},
                              .content = domain::testing::HashOf(1),
                              .released_date = Day()};
    for (const auto& merchant : check_peer_.merchants) {
        const auto& line = merchant.lines(0);
        notice.totals = domain::Sum(notice.totals, {.merchant_count = 1,
                                                    .gross = line.released_gross(),
                                                    .fee = line.released_fee(),
                                                    .tax = line.tax(),
                                                    .net = line.net()});
    }
    ASSERT_THAT(schema_.transactions().Run(
                    [&](app::Books& books) { return note_.Apply(books, std::span(&notice, 1)); }),
                IsOk());
    ASSERT_THAT(due.Run({}), IsOk());
    EXPECT_THAT(Open(), IsEmpty());
    EXPECT_EQ(LatestCheck().state, domain::DayRunState::kEqual);
}

// Goal: a release without what its tax grows from is none that can be checked.
TEST_F(AgainstPayoutTest, AReleaseWithoutItsMonthIsRefused) {
    {
        std::lock_guard lock(check_peer_.mutex);
        check_peer_.merchants[2].mutable_lines(0)->clear_cycle_fee_before();
    }
    ASSERT_THAT(check_.Run(Day(), false), IsOk());
    EXPECT_THAT(check_.Run(Day(), true), Refuses(Code::kDataLoss, "PEER_ANSWER_INVALID"));
    EXPECT_THAT(LatestCheck().failure, HasSubstr("what its tax grows from"));
}

// Goal: what payout cannot mean is refused by name, and noted.
TEST_F(AgainstPayoutTest, SenselessAnswersAreRefused) {
    {
        std::lock_guard lock(check_peer_.mutex);
        std::swap(check_peer_.merchants[0], check_peer_.merchants[1]);
        check_peer_.merchants[2].mutable_lines(0)->set_accrued_gross(1);
    }
    EXPECT_THAT(check_.Run(Day(), true), Refuses(Code::kDataLoss, "PEER_ANSWER_INVALID"));
    EXPECT_EQ(LatestCheck().state, domain::DayRunState::kFailed);
    EXPECT_THAT(LatestCheck().failure, HasSubstr("merchants that do not rise"));
}

}  // namespace
}  // namespace kessai::reconciliation::transport
