// Goal: whatever was changed behind the services' backs, in any schema or topic, is named by the
// invariant that it breaks; a platform that nobody touched is clean; what cannot be read is told.
// Method: a small world's rows and events on a real MariaDB and a real broker. Every case changes
// something by SQL, or publishes other events, audits, and puts it all back.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "audit.h"
#include "findings.h"
#include "kessai/event/bucket.h"
#include "kessai/event/envelope.h"
#include "kessai/event/mark.h"
#include "kessai/payment/v1/payment_event.pb.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/temp_dir.h"
#include "platform.h"
#include "printing.h"

namespace kessai::audit::testing {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::StartsWith;

/// Users 1 to 4, merchants 11 to 13 with different plans, 14 under a shared one, three ended days
/// of which two are released, and an open day.
World BusyWorld() {
    World world;
    world.PutPlan(12, 350, 10, 20, 0, 20260101);
    world.PutPlan(12, 300, 0, 0, 25, 20261121);
    world.PutPlan(13, 0, 30, 0, 0, 20260101);
    const int shared = world.PutSharedPlan({.basis_points = 250,
                                            .tier_from = 10'000,
                                            .tier_basis_points = 120,
                                            .store = "店-1",
                                            .store_basis_points = 310},
                                           20261101);
    world.Assign(14, shared, 20261101);
    world.FixVolume(14, 20261001, 20261102);
    for (std::int64_t user = 1; user <= 4; ++user) {
        world.OpenWallet(user);
        world.TopUp(user, 20'000);
    }
    int order = 0;
    const auto pay = [&](std::int64_t merchant, std::int64_t amount, std::int64_t user) {
        const auto payment = world.Create(merchant, "order-" + std::to_string(++order), amount);
        world.Pay(payment, user);
        return payment;
    };
    for (const std::int64_t merchant : {11, 12, 13}) {
        for (int i = 1; i <= 4; ++i) pay(merchant, 333 * i, i);
    }
    const auto first = pay(11, 1'001, 1);
    const auto second = pay(12, 999, 2);
    world.Refund(first, 250);
    world.CloseDay();
    world.Refund(first, 333);
    world.Refund(second, 500);
    pay(12, 450, 1);
    pay(12, 450, 1);
    pay(11, 70, 3);
    world.Create(13, "open", 5);
    world.CloseDay();
    world.Release(20261120);
    world.Refund(first, 418);
    pay(13, 808, 4);
    pay(14, 1'900, 4);
    world.Refund(pay(14, 1'234, 4), 617);
    world.Create(13, "canceled", 100);
    world.Cancel(13, "canceled");
    world.CloseDay();
    world.Release(20261121);
    pay(11, 640, 2);
    const auto gone = world.Create(13, "gone", 320);
    world.Pay(gone, 3);
    world.Cancel(13, "gone");
    return world;
}

class Quiet final : public AuditObserver {
 public:
    void OnStep(std::string_view) override {}
};

class AuditTest : public ::testing::Test {
 protected:
    static void SetUpTestSuite() {
        platform_ = new Platform();
        World world = BusyWorld();
        ASSERT_NO_FATAL_FAILURE(platform_->Settle(world));
    }
    static void TearDownTestSuite() { delete platform_; }
    void TearDown() override { platform_->Restore(); }

    std::vector<std::string> Audit(const AuditOptions& options) {
        report_ = Report();
        Quiet quiet;
        times_ = RunAudit(options, SystemClock(), quiet, report_);
        if (std::getenv("KESSAI_AUDIT_TEST_SHOW") != nullptr) {
            std::fputs(AsText(report_, times_).c_str(), stdout);
        }
        return Lines(report_);
    }
    std::vector<std::string> Audit() { return Audit(platform_->Options()); }
    std::string Text() const { return AsText(report_, times_); }

    static Platform* platform_;
    Report report_;
    AuditTimes times_;
};
Platform* AuditTest::platform_ = nullptr;

TEST_F(AuditTest, APlatformThatNobodyTouchedIsClean) {
    EXPECT_THAT(Audit(), IsEmpty()) << Text();
    EXPECT_EQ(ExitCode(report_), 0);
    // Nothing was passed over.
    for (const Invariant invariant :
         {Invariant::kM1, Invariant::kM2, Invariant::kM3, Invariant::kM4, Invariant::kM5,
          Invariant::kM6, Invariant::kM7, Invariant::kM8, Invariant::kM9}) {
        EXPECT_FALSE(report_.part(invariant).looked_at.empty());
        for (const auto& [what, rows] : report_.part(invariant).looked_at) {
            EXPECT_GT(rows, 0u) << NameOf(invariant) << " " << what;
        }
    }
}

constexpr char kSpoilMerchant12[] =
    "UPDATE running_balance SET balances = '' WHERE merchant_last = 12 AND business_date = ";

TEST_F(AuditTest, WhereNoBalancesAreKeptTheyFollowFromTheRows) {
    platform_->Damage('o', "UPDATE payout_gate SET balances_date = NULL");
    platform_->Damage('o', std::string(kSpoilMerchant12) + "'2026-11-21'");
    EXPECT_THAT(Audit(), IsEmpty()) << Text();
}

// Goal: while a first round is under way, balances of what it has done count, and of the rest those
// in force.
TEST_F(AuditTest, BalancesOfARoundUnderWayTakeTheirPlace) {
    platform_->Damage('o',
                      "UPDATE payout_gate SET releasing_date = '2026-11-22', releasing_round = 0");
    platform_->Damage('o',
                      "INSERT INTO running_balance SELECT '2026-11-22', merchant_first, "
                      "merchant_last, balances FROM running_balance WHERE merchant_last = 12");
    platform_->Damage('o', std::string(kSpoilMerchant12) + "'2026-11-21'");
    EXPECT_THAT(Audit(), Not(Contains(StartsWith("M2")))) << Text();
    platform_->Damage('o', std::string(kSpoilMerchant12) + "'2026-11-22'");
    EXPECT_THAT(Audit(), Contains(StartsWith("M2 running balance: merchant 12 "))) << Text();
}

struct Damage {
    std::string_view name;
    /// Schema and statement.
    std::vector<std::pair<char, std::string>> sql;
    std::vector<std::string> found;
};
void PrintTo(const Damage& damage, std::ostream* out) {
    *out << damage.name;
}

class DamagedPlatformTest : public AuditTest, public ::testing::WithParamInterface<Damage> {};

TEST_P(DamagedPlatformTest, IsNamedByTheRightInvariant) {
    for (const auto& [schema, sql] : GetParam().sql) {
        ASSERT_NO_FATAL_FAILURE(platform_->Damage(schema, sql));
    }
    const std::vector<std::string> lines = Audit();
    for (const std::string& found : GetParam().found) {
        EXPECT_THAT(lines, Contains(StartsWith(found))) << Text();
    }
    EXPECT_EQ(ExitCode(report_), 1);
}

const std::string kOrder1 = "(SELECT object_id FROM journal WHERE merchant_payment_id = 'order-1')";

const Damage kM6[] = {
    {"ChangeThatWasNeverPublished",
     {{'p',
       "INSERT INTO journal SELECT object_id + 1, version, event_id + 1, kind, business_date, "
       "occurred_at_us, merchant_id, user_id, currency, amount, merchant_payment_id, store_id, "
       "terminal_id, order_receipt_number, order_amount, captured_total, refunded_before, "
       "payment_date, payment_accepted_at_us, refund_id, merchant_refund_id, source, bucket "
       "FROM journal WHERE merchant_payment_id = 'order-1'"}},
     {"M6 event is missing: object ", "M7 accrual is missing: payment ",
      "M8 match is missing: payment "}},
    {"ChangeRemovedAfterItWasPublished",
     {{'p', "DELETE FROM journal WHERE merchant_payment_id = 'order-1'"}},
     {"M6 event without change: payment ", "M7 accrual without change: payment ",
      "M8 match without change: payment "}},
    {"StoreOfAChangeRewritten",  // No amount, no sum, no count differs.
     {{'p', "UPDATE journal SET store_id = 'store-9' WHERE merchant_payment_id = 'order-1'"},
      {'p', "UPDATE payment SET store_id = 'store-9' WHERE merchant_payment_id = 'order-1'"}},
     {"M6 content of event: object "}},
    {"TimesOfTwoChangesExchanged",
     {{'p',
       "UPDATE journal SET occurred_at_us = occurred_at_us + 1 WHERE kind = 4 AND user_id = 1"},
      {'p', "UPDATE top_up SET accepted_at_us = accepted_at_us + 1 WHERE user_id = 1"}},
     {"M6 content of event: object "}},
    {"AccrualRewrittenAfterItWasPublished",
     {{'o', "UPDATE accrual SET recorded_at_us = recorded_at_us + 1 ORDER BY payment_id LIMIT 1"}},
     {"M6 content of event: payment "}},
    {"ReleaseRewrittenAfterItWasPublished",
     {{'o',
       "UPDATE release_round SET tax = tax + 1, net = net - 1 WHERE business_date = '2026-11-20'"}},
     {"M6 content of release's event: day 2026-11-20 round 0",
      "M8 round of release: day 2026-11-20"}},
};

const Damage kM7[] = {
    {"AccrualGone",  // And its total made to fit.
     {{'o',
       "UPDATE merchant_day_total t JOIN (SELECT business_date d, merchant_id m, bucket % 12 s, "
       "gross g, fee f FROM accrual WHERE merchant_id = 12 AND gross = 450 ORDER BY payment_id "
       "LIMIT 1) a ON t.business_date = a.d AND t.merchant_id = a.m AND t.slot = a.s "
       "SET gross = gross - g, fee = fee - f, item_count = item_count - 1"},
      {'o',
       "DELETE FROM accrual WHERE merchant_id = 12 AND gross = 450 ORDER BY payment_id LIMIT 1"}},
     {"M7 accrual is missing: payment "}},
    {"FeeOff",
     {{'o', "UPDATE accrual SET fee = fee + 1 WHERE merchant_id = 11 ORDER BY payment_id LIMIT 1"}},
     {"M7 fee: payment ", "M7 merchant's day total: merchant 11"}},
    {"FeesOfTwoAccrualsExchanged",  // Totals, counts and digests stay.
     {{'o',
       "UPDATE accrual SET fee = CASE fee WHEN 6 THEN 13 ELSE 6 END "
       "WHERE merchant_id = 11 AND fee IN (6, 13) AND gross IN (333, 666)"}},
     {"M7 fee: payment "}},
    {"AnotherPlanNamed",  // With the same fee.
     {{'o',
       "UPDATE accrual SET plan_version = 2 WHERE merchant_id = 12 AND business_date = "
       "'2026-11-20' ORDER BY payment_id LIMIT 1"}},
     {"M7 plan in force: payment "}},
    {"PlanChangedAfterwards",
     {{'o', "UPDATE fee_plan SET rate_basis_points = 200 WHERE plan_id = 1"}},
     {"M7 fee: payment "}},
    {"MerchantsOfTwoAccrualsExchanged",  // Gross of the day stays.
     {{'o',
       "UPDATE accrual SET merchant_id = CASE merchant_id WHEN 11 THEN 13 ELSE 11 END "
       "WHERE merchant_id IN (11, 13) AND gross = 666"}},
     {"M7 accrual's merchant: payment ", "M8 payout's kept digest: day 2026-11-20"}},
    {"TotalsOfTwoMerchantsMoved",  // The day's sum stays.
     {{'o',
       "UPDATE merchant_day_total SET gross = gross + IF(merchant_id = 11, 7, -7) WHERE "
       "business_date = '2026-11-20' AND merchant_id IN (11, 12) AND slot = (SELECT MIN(slot) "
       "FROM pristine_merchant_day_total p WHERE p.business_date = '2026-11-20' AND "
       "p.merchant_id = merchant_day_total.merchant_id)"}},
     {"M7 merchant's day total: merchant 11 day 2026-11-20",
      "M9 seal of chunk's totals: day 2026-11-20",
      "M8 payout's gross beside payable: merchant 11 day 2026-11-20"}},
    {"AccruedTwice",
     {{'o',
       "INSERT INTO accrual SELECT '2026-11-23', bucket, payment_id, version + 7, merchant_id, "
       "kind, tax_class, currency, gross, fee, captured_total, refunded_before, '2026-11-20', "
       "plan_id, plan_version, event_id, recorded_at_us, content_hash FROM accrual "
       "WHERE merchant_id = 11 AND gross = 333"}},
     {"M7 accrual without change: payment "}},
    {"AnswersAnotherEvent",
     {{'o',
       "UPDATE accrual SET content_hash = REVERSE(content_hash) WHERE merchant_id = 11 AND "
       "gross = 333"}},
     {"M7 accrual's content: payment "}},
    {"RuleOfAStoreRewritten",
     {{'o', "UPDATE fee_plan_rule SET rate_basis_points = 300 WHERE rule = 1"}},
     {"M7 fee: payment "}},
    {"StoreOfARuleRewritten",  // What the rule was for is not what it says any more.
     {{'o', "UPDATE fee_plan_rule SET store_id = 'elsewhere' WHERE rule = 1"}},
     {"M7 fee: payment "}},
    {"AssignedAfterwards",
     {{'o', "UPDATE plan_assignment SET effective_from = '2026-11-23' WHERE merchant_id = 14"}},
     {"M7 plan in force: payment "}},
    {"VolumeRaised",
     {{'o', "UPDATE merchant_volume SET volume = 10000 WHERE merchant_id = 14"}},
     {"M7 volume of month: merchant 14 month 2026-10-01"}},
    {"VolumeRaisedAndItsTierReached",  // By a plan that has no terms of stores any more.
     {{'o', "UPDATE merchant_volume SET volume = 10000 WHERE merchant_id = 14"},
      {'o', "DELETE FROM fee_plan_rule WHERE rule = 1"}},
     {"M7 fee: payment ", "M7 accrual's store: payment "}},
    {"VolumeInForceWithinItsMonth",
     {{'o', "UPDATE merchant_volume SET effective_from = '2026-10-31'"}},
     {"M7 volume in force too early: merchant 14"}},
    {"StoreOfAnAccrualGone",
     {{'o', "DELETE FROM accrual_detail ORDER BY payment_id LIMIT 1"}},
     {"M7 accrual's store: payment "}},
    {"SplitOfAnAccrualMadeUp",
     {{'o', "UPDATE accrual_detail SET captured_methods = '2:1900' ORDER BY payment_id LIMIT 1"}},
     {"M7 accrual's split: payment "}},
    {"DetailOfNoAccrual",
     {{'o', "UPDATE accrual_detail SET version = version + 5 ORDER BY payment_id LIMIT 1"}},
     {"M7 detail of no accrual: payment ", "M7 accrual's store: payment "}},
    {"TaxOfACycle",
     {{'o',
       "UPDATE merchant_release SET tax = tax + 1, net = net - 1 WHERE merchant_id = 11 AND "
       "business_date = '2026-11-20'"}},
     {"M7 tax of invoice cycle: merchant 11"}},
};

const Damage kParts[] = {
    {"PartOfADayChanged",  // A sale that was a return, or a return that was a sale.
     {{'o',
       "UPDATE merchant_day_part SET gross = gross + 5 WHERE merchant_id = 11 AND business_date = "
       "'2026-11-21'"}},
     {"M7 part of merchant's day: merchant 11 day 2026-11-21 tax class 2 part returns: expected "
      "gross -333, fee "}},
    {"PartsOfTwoMerchantsMoved",  // The day's sums stay.
     {{'o',
       "UPDATE merchant_day_part SET fee = fee + IF(merchant_id = 11, 1, -1) WHERE business_date = "
       "'2026-11-21'"}},
     {"M7 part of merchant's day: merchant 11 day 2026-11-21",
      "M7 part of merchant's day: merchant 12 day 2026-11-21"}},
    {"DaysOfAPartsPayments",  // No sum differs.
     {{'o',
       "UPDATE merchant_day_part SET payment_first = '2026-11-19' WHERE merchant_id = 12 AND "
       "business_date = '2026-11-21'"}},
     {"M7 part of merchant's day: merchant 12 day 2026-11-21 tax class 2 part returns: expected "
      "gross -500, fee -22, 1 accruals, of payments of 2026-11-20 to 2026-11-20, found gross -500, "
      "fee -22, 1 accruals, of payments of 2026-11-19 to 2026-11-20"}},
    {"PartGone",
     {{'o', "DELETE FROM merchant_day_part WHERE merchant_id = 12"}},
     {"M7 part of merchant's day: merchant 12 day 2026-11-21"}},
    {"ReturnsMadeBenefits",
     {{'o', "UPDATE merchant_day_part SET part = 2 WHERE merchant_id = 12"}},
     {"M7 part of merchant's day: merchant 12 day 2026-11-21 tax class 2 part returns: expected "
      "gross -500",
      "M7 part of merchant's day: merchant 12 day 2026-11-21 tax class 2 part benefits: expected "
      "none, found gross -500"}},
};

// The last byte of a piece is the upper end of the last merchant's released money.
const Damage kBalances[] = {
    {"BalanceOfAMerchant",
     {{'o',
       "UPDATE running_balance SET balances = CONCAT(LEFT(balances, LENGTH(balances) - 1), "
       "CHAR(ORD(RIGHT(balances, 1)) ^ 1)) WHERE merchant_last = 12"}},
     {"M2 running balance: merchant 12 tax class 2: expected released "}},
    {"MerchantForgotten",
     {{'o', "UPDATE running_balance SET balances = '' WHERE merchant_last = 12"}},
     {"M2 running balance: merchant 12 tax class 2: expected released "}},
    {"PieceLost",
     {{'o', "DELETE FROM running_balance WHERE merchant_last = 12"}},
     {"M2 running balance: merchant 12 tax class 2: expected released ",
      "M2 pieces of running balances: merchant 13: expected every merchant's, found gap in running "
      "balances"}},
    {"LastPieceLost",
     {{'o', "DELETE FROM running_balance WHERE merchant_last > 1000"}},
     {"M2 pieces of running balances: merchant 13: expected every merchant's, found running "
      "balances end early"}},
    {"PieceUnreadable",
     {{'o',
       "UPDATE running_balance SET balances = LEFT(balances, LENGTH(balances) - 1) "
       "WHERE merchant_last = 12"}},
     {"M2 pieces of running balances: merchant 12: expected every merchant's, found unreadable "
      "running balances"}},
    {"PieceOfAnother",
     {{'o',
       "UPDATE running_balance a JOIN running_balance b ON b.merchant_last = 11 "
       "SET a.balances = b.balances WHERE a.merchant_last = 12"}},
     {"M2 pieces of running balances: merchant 11: expected every merchant's, found running "
      "balance out of place",
      "M2 running balance: merchant 12 tax class 2: expected released "}},
};

const Damage kMerchantLedger[] = {
    {"JournalOfATransferChanged",
     {{'o', "UPDATE merchant_journal SET amount = amount + 5 WHERE journal_id = 1"}},
     {"M1 merchant journal: object 2 kind 1", "M2 merchant's moved balance: merchant 11",
      "M2 merchant's balance in transit: merchant 11"}},
    {"FeeMadeTax",  // The merchant's balance stays.
     {{'o', "UPDATE merchant_journal SET fee = fee + 1, tax = tax - 1 WHERE journal_id = 1"}},
     {"M1 merchant journal: object 2 kind 1"}},
    {"JournalGone",
     {{'o', "DELETE FROM merchant_journal WHERE journal_id = 4"}},
     {"M1 merchant journal is missing: object 4 kind 3",
      "M1 count of merchant journals: ", "M2 merchant's moved balance: merchant 12",
      "M6 event of no transfer's step: transfer 4 version 3"}},
    {"PayoutGoneWithAllOfIt",  // Balances stay.
     {{'o', "DELETE FROM merchant_journal WHERE object_id = 7"},
      {'o', "DELETE FROM transfer WHERE transfer_id = 7"},
      {'o', "DELETE FROM payout WHERE payout_id = 6"}},
     {"M1 count of merchant journals: ", "M6 event of no transfer's step: transfer 7 version 1",
      "M6 event of no transfer's step: transfer 7 version 4"}},
    {"LastJournalGone",
     {{'o', "DELETE FROM merchant_journal WHERE journal_id = 11"}},
     {"M1 merchant journal is missing: object 8 kind 5",
      "M1 number of the last merchant journal: "}},
    {"JournalOfNothing",
     {{'o',
       "INSERT INTO merchant_journal VALUES (12, '2026-11-20', 13, 5, 99, 'JPY', 50, 0, 0, 1, "
       "200)"},
      {'o', "UPDATE merchant_account SET moved_available = 50 WHERE merchant_id = 13"},
      {'o', "UPDATE ledger_gate SET last_journal = 12"}},
     {"M1 merchant journal that nothing implies: object 99 kind 5"}},
    {"BalancesOfTwoMerchants",  // Their sum stays.
     {{'o',
       "UPDATE merchant_account SET moved_available = moved_available + IF(merchant_id = 11, 10, "
       "-10) WHERE merchant_id IN (11, 12)"}},
     {"M2 merchant's moved balance: merchant 11", "M2 merchant's moved balance: merchant 12"}},
    {"LessThanNothingInTransit",
     {{'o', "UPDATE merchant_account SET in_transit = -1 WHERE merchant_id = 12"}},
     {"M2 merchant's balance in transit: merchant 12", "M3 balance in transit: merchant 12"}},
    {"PaidTwice",  // With journals and balance made to fit.
     {{'o', "UPDATE transfer SET state = 2 WHERE transfer_id = 4"},
      {'o', "UPDATE merchant_journal SET kind = 2 WHERE journal_id = 4"},
      {'o', "UPDATE merchant_account SET moved_available = -600 WHERE merchant_id = 12"}},
     {"M4 payout paid twice: payout 3 transfer 4",
      "M6 content of event: transfer's object 1099511627780 version 3"}},
    {"AnotherAmountThanThePayouts",  // The same.
     {{'o', "UPDATE transfer SET amount = 310 WHERE transfer_id = 5"},
      {'o', "UPDATE merchant_journal SET amount = 310 WHERE journal_id = 5"},
      {'o',
       "UPDATE merchant_account SET moved_available = -310, in_transit = 310 WHERE merchant_id = "
       "12"}},
     {"M4 transfer's amount: payout 3 transfer 5"}},
    {"AttemptOfNoPayout",
     {{'o', "DELETE FROM payout WHERE payout_id = 1"}},
     {"M4 transfer of no payout: payout 1 transfer 2"}},
    {"ReasonRewrittenAfterItWasTold",
     {{'o', "UPDATE transfer SET reason = 'R2' WHERE transfer_id = 7"}},
     {"M6 content of event: transfer's object 1099511627783 version 4"}},
    {"PutIntoAnotherFile",
     {{'o', "UPDATE transfer SET batch_id = 0 WHERE transfer_id = 2"}},
     {"M6 event of no transfer's step: transfer 2 version 2"}},
    {"TransferThatNobodyWasToldOf",  // With rows and balance made to fit.
     {{'o', "INSERT INTO payout VALUES (21, 13, 'ask:again', 1, 'JPY', 60, 0, 0, 'shop', 1)"},
      {'o',
       "INSERT INTO transfer VALUES (22, 21, 1, 13, 1, '2026-11-20', 60, 1, '', 0, 'shop', 1, 1, "
       "'')"},
      {'o',
       "INSERT INTO merchant_journal VALUES (12, '2026-11-20', 13, 1, 22, 'JPY', 60, 0, 0, 1, "
       "200)"},
      {'o',
       "UPDATE merchant_account SET moved_available = -60, in_transit = 60 WHERE merchant_id = 13"},
      {'o', "UPDATE ledger_gate SET last_journal = 12"}},
     {"M6 event is missing: transfer's object 1099511627798 version 1"}},
    {"ApprovedByOneOperator",
     {{'o', "UPDATE adjustment SET decided_by = requested_by WHERE adjustment_id = 8"}},
     {"M4 adjustment approved by one operator: adjustment 8"}},
    {"SettledWithoutTheBank",  // With journal and balance made to fit.
     {{'o', "UPDATE transfer SET state = 2, batch_id = 11 WHERE transfer_id = 5"},
      {'o', "UPDATE transfer_batch SET transfer_count = 4, amount = 1300"},
      {'o',
       "INSERT INTO merchant_journal VALUES (12, '2026-11-20', 12, 2, 5, 'JPY', 300, 0, 0, 1, "
       "300)"},
      {'o', "UPDATE merchant_account SET in_transit = 0 WHERE merchant_id = 12"},
      {'o', "UPDATE ledger_gate SET last_journal = 12"}},
     {"M1 journals beside the bank's results: outcome SETTLED: expected 2 over 700, found 3 over "
      "1000"}},
    {"HoldForgotten",  // Its merchant would be paid.
     {{'o', "UPDATE merchant_account SET open_holds = 0 WHERE merchant_id = 13"}},
     {"M2 merchant's open holds: merchant 13: expected 1, found 0"}},
    {"HoldOfNobody",
     {{'o', "UPDATE payout_hold SET merchant_id = 99 WHERE hold_id = 13"}},
     {"M2 merchant's open holds: merchant 13: expected 0, found 1",
      "M2 merchant's open holds: merchant 99: expected 1, found 0"}},
    {"AccountPutInForceByOneOperator",
     {{'o', "UPDATE bank_account SET confirmed_by = put_by WHERE merchant_id = 12"}},
     {"M4 bank account in force of one operator: merchant 12: expected an account confirmed by "
      "another than aiko, found aiko",
      "M4 transfer to an account of one operator: payout 3 transfer 4",
      "M4 transfer to an account of one operator: payout 3 transfer 5"}},
    {"AccountThatNobodyConfirmed",
     {{'o', "UPDATE merchant_account SET bank_account = 2 WHERE merchant_id = 11"}},
     {"M4 bank account in force of one operator: merchant 11: expected an account confirmed by "
      "another than aiko, found nobody"}},
    {"TransferToNoAccount",
     {{'o', "UPDATE transfer SET bank_account = 7 WHERE transfer_id = 5"}},
     {"M4 transfer to an account of one operator: payout 3 transfer 5: expected a bank account, "
      "found none"}},
    {"TransferTakenOutOfItsFile",
     {{'o', "UPDATE transfer SET batch_id = 0 WHERE transfer_id = 2"}},
     {"M4 result of a transfer in no file: payout 1 transfer 2",
      "M2 file's count of transfers: file 11: expected 2, found 3",
      "M2 file's amount: file 11: expected 500, found 1000"}},
    {"TransferInAFileThatIsNotThere",
     {{'o', "UPDATE transfer SET batch_id = 14 WHERE transfer_id = 5"}},
     {"M2 file's count of transfers: file 14: expected 1, found 0"}},
    {"CancelledAndInAFile",
     {{'o', "UPDATE transfer SET batch_id = 11 WHERE transfer_id = 15"}},
     {"M4 cancelled transfer in a file: payout 14 transfer 15: expected no file, found file 11",
      "M2 file's count of transfers: file 11: expected 4, found 3",
      "M2 file's amount: file 11: expected 1050, found 1000"}},
    {"PriceOfACancelledPayoutKept",  // With the balance made to fit.
     {{'o', "UPDATE merchant_journal SET fee = 0, tax = 0 WHERE journal_id = 10"},
      {'o',
       "UPDATE merchant_account SET moved_available = moved_available - 110 WHERE merchant_id = "
       "11"}},
     {"M1 merchant journal: object 15 kind 8"}},
    {"CancelledPayoutPaidAgain",  // With rows and balance made to fit.
     {{'o',
       "INSERT INTO transfer VALUES (22, 14, 2, 11, 1, '2026-11-20', 50, 1, '', 0, 'shop', 1, 1, "
       "'')"},
      {'o',
       "INSERT INTO merchant_journal VALUES (12, '2026-11-20', 11, 1, 22, 'JPY', 50, 0, 0, 1, "
       "700)"},
      {'o',
       "UPDATE merchant_account SET moved_available = moved_available - 50, in_transit = 50 WHERE "
       "merchant_id = 11"},
      {'o', "UPDATE ledger_gate SET last_journal = 12"}},
     {"M4 payout paid twice: payout 14 transfer 15",
      "M6 event is missing: transfer's object 1099511627798 version 1"}},
    {"MorePaidThanWasReleased",
     {{'o', "UPDATE merchant_journal SET released = 609 WHERE journal_id = 1"}},
     {"M3 available after a transfer: merchant 11 journal 1: expected not below zero, found -1"}},
    {"PaidAgainBeforeItCameBack",  // No sum, no count differs.
     {{'o', "UPDATE merchant_journal SET journal_id = 99 WHERE journal_id = 4"},
      {'o', "UPDATE merchant_journal SET journal_id = 4 WHERE journal_id = 5"},
      {'o', "UPDATE merchant_journal SET journal_id = 5 WHERE journal_id = 99"}},
     {"M3 available after a transfer: merchant 12 journal 4: expected not below zero, found -300"}},
    {"MorePaidThanThereWas",  // With rows and balance made to fit.
     {{'o', "UPDATE payout SET amount = 800 WHERE payout_id = 1"},
      {'o', "UPDATE transfer SET amount = 800 WHERE transfer_id = 2"},
      {'o', "UPDATE merchant_journal SET amount = 800 WHERE object_id = 2"},
      {'o',
       "UPDATE merchant_account SET moved_available = moved_available - 300 WHERE merchant_id = "
       "11"}},
     {"M3 available after a transfer: merchant 11 journal 1: expected not below zero, found -210"}},
    {"JournalMovedIntoAnEarlierDay",  // All sums stay.
     {{'o', "UPDATE merchant_journal SET business_date = '2026-11-19' WHERE journal_id = 11"}},
     {"M9 merchant journal's day: journal 11: expected 2026-11-20 or later, found 2026-11-19"}},
};

const Damage kStatements[] = {
    {"ClosingBalances",  // Of two merchants; their sum stays.
     {{'o',
       "UPDATE merchant_statement SET closing = closing + IF(merchant_id = 11, 5, -5) "
       "WHERE cycle_start = '2026-11-01' AND version = 1"}},
     {"M2 statement's closing balance: merchant 11 cycle 2026-11-01 version 1",
      "M2 statement's closing balance: merchant 12 cycle 2026-11-01 version 1"}},
    {"OpeningBalance",
     {{'o', "UPDATE merchant_statement SET opening = 1 WHERE cycle_start = '2026-10-01'"}},
     {"M2 statement's opening balance: merchant 11 cycle 2026-10-01 version 1: expected 0, "
      "found 1"}},
    {"BalancesOfACorrection",  // They are never corrected.
     {{'o', "UPDATE merchant_statement SET closing = closing + 7 WHERE version = 2"}},
     {"M2 statement's closing balance: merchant 11 cycle 2026-11-01 version 2"}},
    {"ByteOfAFile",
     {{'o',
       "UPDATE merchant_statement_file SET content = CONCAT(content, ' ') WHERE format = 'pdf' "
       "AND merchant_id = 12"}},
     {"M9 statement's file: merchant 12 cycle 2026-11-01 version 1 format pdf"}},
    {"FilesOfTwoMerchants",  // With their hashes.
     {{'o',
       "UPDATE merchant_statement_file a JOIN pristine_merchant_statement_file b ON "
       "a.merchant_id = 11 AND b.merchant_id = 12 OR a.merchant_id = 12 AND b.merchant_id = 11 "
       "SET a.content = b.content, a.file_hash = b.file_hash WHERE a.cycle_start = '2026-11-01' "
       "AND b.cycle_start = '2026-11-01' AND a.version = 1 AND b.version = 1 AND a.format = 'csv' "
       "AND b.format = 'csv'"}},
     {"M4 statement's number in its file: merchant 11 cycle 2026-11-01 version 1 format csv",
      "M4 statement's number in its file: merchant 12 cycle 2026-11-01 version 1 format csv"}},
    {"FileGone",
     {{'o', "DELETE FROM merchant_statement_file WHERE format = 'pdf' AND merchant_id = 12"}},
     {"M4 statement's files: merchant 12 cycle 2026-11-01 version 1: expected csv, pdf, found "
      "csv"}},
    {"StatementGone",
     {{'o', "DELETE FROM merchant_statement WHERE merchant_id = 12"}},
     {"M4 file of no statement: merchant 12 cycle 2026-11-01 version 1 format csv"}},
    {"CorrectedVersionGone",
     {{'o', "DELETE FROM merchant_statement WHERE cycle_start = '2026-11-01' AND version = 1"}},
     {"M4 version of statement: merchant 11 cycle 2026-11-01 version 2: expected 1, found 2"}},
    {"CorrectionOfAnotherDay",  // Its file names the version before by number and day.
     {{'o',
       "UPDATE merchant_statement SET issued_on = '2026-12-02' WHERE merchant_id = 11 AND "
       "cycle_start = '2026-11-01' AND version = 1"}},
     {"M4 corrected statement in its file: merchant 11 cycle 2026-11-01 version 2 format csv"}},
    {"ReasonOfACorrectionGone",
     {{'o', "UPDATE merchant_statement SET correction_reason = '' WHERE version = 2"}},
     {"M4 reason of correction: merchant 11 cycle 2026-11-01 version 2: expected a reason, found "
      "none"}},
    {"NameGone",
     {{'o', "DELETE FROM merchant_profile WHERE merchant_id = 12"}},
     {"M4 statement's name: merchant 12 cycle 2026-11-01 version 1"}},
    {"IssuedBeforeItsMonthWasOver",
     {{'o',
       "UPDATE merchant_statement SET issued_on = '2026-11-30' WHERE merchant_id = 12 AND "
       "cycle_start = '2026-11-01'"}},
     {"M9 statement issued before its month was over: merchant 12 cycle 2026-11-01 version 1"}},
    {"JournalAddedBehindAStatement",  // With its balance and kept day.
     {{'o',
       "INSERT INTO merchant_journal VALUES (12, '2026-11-20', 12, 5, 12, 'JPY', 5, 0, 0, 1, 300)"},
      {'o',
       "UPDATE merchant_account SET moved_available = moved_available + 5 WHERE merchant_id = 12"}},
     {"M2 statement's closing balance: merchant 12 cycle 2026-11-01 version 1"}},
};

const Damage kM8[] = {
    {"MatchGone",
     {{'r', "DELETE FROM change_match ORDER BY payment_id LIMIT 1"}},
     {"M8 match is missing: payment ", "M8 matched total: merchant "}},
    {"MatchOpenedAgain",
     {{'r', "UPDATE change_match SET state = 1 ORDER BY payment_id LIMIT 1"}},
     {"M8 match's state: payment "}},
    {"MatchesOfTwoDaysExchanged",  // Counts and the sum over days stay.
     {{'r',
       "UPDATE change_match SET business_date = CASE business_date WHEN '2026-11-20' THEN "
       "'2026-11-21' ELSE '2026-11-20' END WHERE merchant_id = 12 AND gross IN (450, 333)"}},
     {"M8 match's business date: payment "}},
    {"MatchedTotalsMoved",
     {{'r',
       "UPDATE matched_day_total SET gross = gross + IF(merchant_id = 11, 3, -3) WHERE "
       "business_date = '2026-11-20' AND merchant_id IN (11, 12) AND slot = (SELECT MIN(slot) "
       "FROM pristine_matched_day_total p WHERE p.business_date = '2026-11-20' AND "
       "p.merchant_id = matched_day_total.merchant_id)"}},
     {"M8 matched total: merchant 11 day 2026-11-20", "M8 matched beside payable: merchant 12"}},
    {"DigestsOfTwoBucketsExchanged",  // Counts and sums of the day stay.
     {{'p',
       "UPDATE day_digest SET hash0 = hash0 + 1 WHERE business_date = '2026-11-20' "
       "ORDER BY bucket LIMIT 1"}},
     {"M8 payment's kept digest: day 2026-11-20 bucket "}},
    {"PayoutsDigest",
     {{'o', "DELETE FROM day_digest WHERE business_date = '2026-11-21' ORDER BY bucket LIMIT 1"}},
     {"M8 payout's kept digest: day 2026-11-21 bucket "}},
    {"ReleasedLess",  // With the round made to fit.
     {{'o',
       "UPDATE merchant_release SET gross = gross - 10, net = net - 10 WHERE merchant_id = 13 AND "
       "business_date = '2026-11-20'"}},
     {"M8 released beside accrued: merchant 13 day 2026-11-20",
      "M8 round of release: day 2026-11-20"}},
    {"MerchantPassedOver",
     {{'o',
       "DELETE FROM merchant_release WHERE merchant_id = 12 AND business_date = '2026-11-21'"}},
     {"M8 neither released nor held back: merchant 12 day 2026-11-21",
      "M2 running balance: merchant 12 tax class 2: expected released "}},
    {"ClearedTwice",
     {{'p',
       "INSERT INTO journal SELECT object_id, 2, event_id + 1, kind, business_date, "
       "occurred_at_us, merchant_id, user_id, currency, amount, merchant_payment_id, store_id, "
       "terminal_id, order_receipt_number, order_amount, captured_total, refunded_before, "
       "payment_date, payment_accepted_at_us, refund_id, merchant_refund_id, source, bucket "
       "FROM journal WHERE object_id = 20261120"}},
     {"M8 cleared what was not released: day 2026-11-20 round 1"}},
    {"DiscrepancyLeftOpen",
     {{'r',
       "INSERT INTO discrepancy VALUES (5, '2026-11-20', 1, 77, 1, 0, 0, 11, 'JPY', 1, NULL, '', "
       "1, 1, 1, 1, 0, 0, 0, '', 0, 0)"}},
     {"M8 unsettled discrepancy: discrepancy 5 day 2026-11-20 payment 77"}},
    {"NotClosedInPayout",
     {{'o', "UPDATE payout_day SET state = 1 WHERE business_date = '2026-11-22'"}},
     {"M8 day is not closed in payout: day 2026-11-22"}},
};

const Damage kM9[] = {
    {"StepOfAHistoryChanged",  // With the discrepancy made to fit.
     {{'r', "UPDATE discrepancy_step SET actor = 'aiko' WHERE discrepancy_id = 23 AND number = 3"}},
     {"M9 step of a discrepancy: discrepancy 23 step 3: expected as it was stored, found changed "
      "since: state 5 by aiko"}},
    {"StepsOfAHistoryExchanged",
     {{'r',
       "UPDATE discrepancy_step SET number = number + 10 WHERE discrepancy_id = 23 AND number < 3"},
      {'r',
       "UPDATE discrepancy_step SET number = 13 - number WHERE discrepancy_id = 23 AND number > "
       "10"}},
     {"M9 step of a discrepancy: discrepancy 23 step 1",
      "M9 step of a discrepancy: discrepancy 23 step 2"}},
    {"StepOfAHistoryRemoved",  // With the discrepancy made to fit.
     {{'r', "DELETE FROM discrepancy_step WHERE discrepancy_id = 23 AND number = 3"},
      {'r',
       "UPDATE discrepancy SET state = 3, step_count = 2, last_event_id = 2 WHERE discrepancy_id = "
       "23"}},
     {"M9 step of a discrepancy is missing: discrepancy 23 step 3"}},
    {"StepInTheMiddleRemoved",  // The one behind it is still what it was.
     {{'r', "DELETE FROM discrepancy_step WHERE discrepancy_id = 23 AND number = 2"}},
     {"M9 step of a discrepancy is missing: discrepancy 23 step 2"}},
    {"StepPutIn",
     {{'r',
       "INSERT INTO discrepancy_step SELECT discrepancy_id, 4, state, actor, note, at_us, "
       "event_id, merchant_id, currency, payment_gross, payout_gross, owner, repair_number, "
       "repair_hash, evidence_hash, chain_hash FROM discrepancy_step WHERE discrepancy_id = 23 AND "
       "number = 3"}},
     {"M9 step that was put in: discrepancy 23 step 4",
      "M9 discrepancy's number of steps: discrepancy 23"}},
    {"WholeDiscrepancyRemoved",
     {{'r', "DELETE FROM discrepancy_step WHERE discrepancy_id = 23"},
      {'r', "DELETE FROM repair WHERE discrepancy_id = 23"},
      {'r', "DELETE FROM discrepancy WHERE discrepancy_id = 23"}},
     {"M9 step of a discrepancy is missing: discrepancy 23 step 1",
      "M9 step of a discrepancy is missing: discrepancy 23 step 2",
      "M9 step of a discrepancy is missing: discrepancy 23 step 3"}},
    {"HistoryWithoutItsDiscrepancy",
     {{'r', "DELETE FROM discrepancy WHERE discrepancy_id = 23"}},
     {"M9 discrepancy is missing: discrepancy 23"}},
    {"SubjectOfADiscrepancyChanged",
     {{'r', "UPDATE discrepancy SET payment_id = 78 WHERE discrepancy_id = 23"}},
     {"M9 step of a discrepancy: discrepancy 23 step 1"}},
    {"EvidenceChanged",
     {{'r', "UPDATE discrepancy SET evidence = 'payout lost it' WHERE discrepancy_id = 23"}},
     {"M9 discrepancy's evidence: discrepancy 23"}},
    {"OwnerChanged",
     {{'r', "UPDATE discrepancy SET owner = 'mallory' WHERE discrepancy_id = 23"}},
     {"M9 discrepancy's owner: discrepancy 23: expected , found mallory"}},
    {"RepairChanged",
     {{'r', "UPDATE repair SET requested_by = 'mallory' WHERE discrepancy_id = 23"}},
     {"M9 repair: discrepancy 23 repair 1"}},
    {"RepairRemoved",
     {{'r', "DELETE FROM repair WHERE discrepancy_id = 23"}},
     {"M9 repair is missing: discrepancy 23 repair 1"}},
    {"RepairUnderWayChanged",
     {{'r', "UPDATE discrepancy SET open_repair = 1 WHERE discrepancy_id = 23"}},
     {"M9 discrepancy's repair under way: discrepancy 23: expected 0, found 1"}},
    {"CorrectingJournalMadeUp",
     {{'r', "UPDATE discrepancy SET corrected_by = 1 WHERE discrepancy_id = 23"}},
     {"M9 discrepancy's correcting journal: discrepancy 23: expected one that was posted, found "
      "repair 1"}},
    {"RepairPutIn",
     {{'r',
       "INSERT INTO repair SELECT 22, number, kind, state, requested_by, decided_by, reason, "
       "outcome, merchant_id, amount, other_merchant_id, other_amount, requested_at_us, "
       "decided_at_us, carried_out_at_us, ended_at_us FROM repair WHERE discrepancy_id = 23"}},
     {"M9 repair that was put in: discrepancy 22 repair 1"}},
    {"AnchorRemoved",
     {{'r', "DELETE FROM audit_anchor WHERE slot = 3 AND number = 2"}},
     {"M9 anchor of the audit trail is missing: slot 3 anchor 2",
      "M9 step that was put in: discrepancy 23 step 1"}},
    {"AnchorChanged",  // Its steps with it: nothing is named that is not there.
     {{'r', "UPDATE audit_anchor SET at_us = at_us + 1 WHERE slot = 3 AND number = 1"}},
     {"M9 anchor of the audit trail: slot 3 anchor 1"}},
    {"LastAnchorRemovedWithItsStep",
     {{'r', "DELETE FROM audit_anchor WHERE slot = 7 AND number = 2"},
      {'r', "DELETE FROM discrepancy_step WHERE discrepancy_id = 23 AND number = 3"}},
     {"M9 end of the audit trail: slot 7 anchor 1"}},
    {"SealedTotalChanged",  // With its accrual made to fit.
     {{'o',
       "UPDATE accrual SET gross = 334, captured_total = 334 WHERE merchant_id = 13 AND "
       "gross = 333"},
      {'o',
       "UPDATE merchant_day_total SET gross = gross + 1 WHERE merchant_id = 13 AND business_date = "
       "'2026-11-20' AND slot = (SELECT bucket % 12 FROM accrual WHERE merchant_id = 13 AND "
       "gross = 334)"}},
     {"M9 seal of chunk's totals: day 2026-11-20 chunk 0"}},
    {"SealForged",
     {{'o', "UPDATE day_chunk SET seal = REPEAT('x', 32) WHERE business_date = '2026-11-22'"}},
     {"M9 seal of chunk's totals: day 2026-11-22 chunk 0", "M9 seal of day: day 2026-11-22"}},
    {"SealGone",
     {{'o', "UPDATE payout_day SET seal = NULL WHERE business_date = '2026-11-21'"}},
     {"M9 seal of day: day 2026-11-21"}},
    {"MerchantAddedToAClosedDay",
     {{'o', "INSERT INTO merchant_day_total VALUES ('2026-11-20', 99, 0, 2, 'JPY', 0, 0, 0)"}},
     {"M9 sealed merchants of chunk: day 2026-11-20 chunk 0",
      "M9 seal of chunk's totals: day 2026-11-20"}},
    {"FeeMovedBetweenSlots",  // The merchant's sums of the day stay.
     {{'o',
       "UPDATE merchant_day_total SET fee = fee + IF(slot = (SELECT MIN(slot) FROM "
       "pristine_merchant_day_total p WHERE p.merchant_id = 11 AND p.business_date = "
       "'2026-11-20'), "
       "1, -1) WHERE merchant_id = 11 AND business_date = '2026-11-20' AND slot IN (SELECT "
       "MIN(slot) FROM pristine_merchant_day_total p WHERE p.merchant_id = 11 AND p.business_date "
       "= "
       "'2026-11-20' UNION SELECT MAX(slot) FROM pristine_merchant_day_total p WHERE "
       "p.merchant_id = 11 AND p.business_date = '2026-11-20')"}},
     {"M9 seal of chunk's totals: day 2026-11-20 chunk 0", "M7 merchant's day total: merchant 11"}},
    {"ChunksWithAGap",
     {{'o', "UPDATE day_chunk SET merchant_last = 12 WHERE business_date = '2026-11-20'"}},
     {"M9 sealed chunks: day 2026-11-20", "M9 seal of day: day 2026-11-20"}},
};

const Damage kBacklog[] = {
    {"ConsumerBeyondTheEnd",
     {{'r', "UPDATE consumer_offset SET next_offset = next_offset + 100 LIMIT 1"}},
     {"backlog consumer's offset: service reconciliation partition "}},
    {"DeadLetter",
     {{'o',
       "INSERT INTO dead_letter (consumer_group, topic, partition_no, message_offset, state, "
       "blocking, object_id, event_type, event_id, version, code, reason, message, attempts, "
       "failed_at_us, traceparent, message_key, message_value) VALUES ('payout', "
       "'payment.events.v1', 3, 17, 1, 1, 77, '', 0, 0, 9, 'PLAN_MISSING', '', 1, 0, '', '', '')"}},
     {"backlog open dead letter: service payout message payment.events.v1/3/17 object 77: expected "
      "applied or settled, found PLAN_MISSING"}},
};

const Damage kHolds[] = {
    {"StepChanged",
     {{'o',
       "UPDATE merchant_hold_step SET recount_gross = 8 WHERE merchant_id = 99 AND version = 2"}},
     {"M6 content of event: hold's object 2199023256064 version 2"}},
    {"StepOfAHoldRemoved",
     {{'o', "DELETE FROM merchant_hold_step WHERE merchant_id = 99 AND version = 2"}},
     {"M8 step of a hold: merchant 99 day 2026-11-20: expected 2, found 3",
      "M6 event of no hold's step: hold 512 version 2"}},
    {"ReleasedUntold",
     {{'o', "UPDATE merchant_hold SET released_round = 0 WHERE merchant_id = 98"}},
     {"M8 what others know of a hold: merchant 98 day 2026-11-21: expected released in round 0, "
      "found "
      "held: EVENT_PARKED"}},
    {"HoldRemoved",
     {{'o', "DELETE FROM merchant_hold WHERE merchant_id = 98"}},
     {"M8 what others know of a hold: merchant 98 day 2026-11-21: expected no hold, found held: "
      "EVENT_PARKED"}},
    {"SumsOfAHoldChanged",
     {{'o', "UPDATE merchant_hold SET recount_fee = 3 WHERE merchant_id = 98"}},
     {"M8 sums that others know of a hold: merchant 98 day 2026-11-21"}},
    {"DiscrepancyOfAHoldGone",
     {{'r', "DELETE FROM discrepancy WHERE held_merchant = 98"}},
     {"M8 discrepancy of a merchant held back: merchant 98 day 2026-11-21: expected unsettled or "
      "accepted, found none"}},
    {"DiscrepanciesOfTwoHoldsExchanged",  // Their states' counts stay.
     {{'r', "UPDATE discrepancy SET state = IF(state = 1, 4, 1) WHERE kind = 12"}},
     {"M8 discrepancy of a merchant held back: merchant 98 day 2026-11-21: expected unsettled or "
      "accepted, found repaired",
      "M8 discrepancy of a merchant that was released: merchant 99 day 2026-11-20: expected "
      "repaired or accepted, found open"}},
    {"DiscrepancyOfAnotherMerchant",
     {{'r', "UPDATE discrepancy SET held_merchant = 97 WHERE held_merchant = 98"}},
     {"M8 discrepancy of a merchant that is not held back: merchant 97 day 2026-11-21 discrepancy "
      "22: expected none, found open",
      "M8 discrepancy of a merchant held back: merchant 98 day 2026-11-21"}},
    {"ReleaseThatWasNotNoted",
     {{'r', "DELETE FROM noted_hold WHERE version = 3"},
      {'r', "UPDATE discrepancy SET state = 1 WHERE held_merchant = 99"}},
     {"M8 step of a hold in reconciliation: merchant 99 day 2026-11-20 version 3: expected noted, "
      "found version 2"}},
    {"KeptDayChanged",  // Its sum stays zero.
     {{'o',
       "UPDATE ledger_day SET amount = amount + IF(account = 4, 1, -1) WHERE account IN (4, 5)"}},
     {"M2 kept day of the merchant ledger: day 2026-11-20 account fee revenue",
      "M2 kept day of the merchant ledger: day 2026-11-20 account consumption tax"}},
    {"KeptDayLacksAnAccount",
     {{'o', "DELETE FROM ledger_day WHERE account = 3"}},
     {"M2 kept day of the merchant ledger: day 2026-11-20 account in transit: expected 300, found "
      "0"}},
    {"RowAddedToAKeptDay",  // With its balances.
     {{'o',
       "INSERT INTO merchant_journal VALUES (12, '2026-11-20', 11, 5, 12, 'JPY', 5, 0, 0, 1, 700)"},
      {'o',
       "UPDATE merchant_account SET moved_available = moved_available + 5 WHERE merchant_id = 11"}},
     {"M2 kept day of the merchant ledger: day 2026-11-20 account adjustments: expected 35, found "
      "40"}},
};

const auto kNameOf = [](const ::testing::TestParamInfo<Damage>& info) {
    return std::string(info.param.name);
};
INSTANTIATE_TEST_SUITE_P(M6, DamagedPlatformTest, ::testing::ValuesIn(kM6), kNameOf);
INSTANTIATE_TEST_SUITE_P(M7, DamagedPlatformTest, ::testing::ValuesIn(kM7), kNameOf);
INSTANTIATE_TEST_SUITE_P(Parts, DamagedPlatformTest, ::testing::ValuesIn(kParts), kNameOf);
INSTANTIATE_TEST_SUITE_P(Balances, DamagedPlatformTest, ::testing::ValuesIn(kBalances), kNameOf);
INSTANTIATE_TEST_SUITE_P(MerchantLedger, DamagedPlatformTest, ::testing::ValuesIn(kMerchantLedger),
                         kNameOf);
INSTANTIATE_TEST_SUITE_P(Statements, DamagedPlatformTest, ::testing::ValuesIn(kStatements),
                         kNameOf);
INSTANTIATE_TEST_SUITE_P(Holds, DamagedPlatformTest, ::testing::ValuesIn(kHolds), kNameOf);
INSTANTIATE_TEST_SUITE_P(M8, DamagedPlatformTest, ::testing::ValuesIn(kM8), kNameOf);
INSTANTIATE_TEST_SUITE_P(M9, DamagedPlatformTest, ::testing::ValuesIn(kM9), kNameOf);
INSTANTIATE_TEST_SUITE_P(Backlog, DamagedPlatformTest, ::testing::ValuesIn(kBacklog), kNameOf);

/// Topics with other events than those of the world.
class DamagedTopicTest : public AuditTest {
 protected:
    /// Index of the first event of payment's topic whose payload is of a payment with two changes
    /// or more, and of the one behind it.
    std::pair<std::size_t, std::size_t> TwoOfOneObject() const {
        for (std::size_t i = 0; i < events_.size(); ++i) {
            for (std::size_t k = i + 1; k < events_.size(); ++k) {
                if (!events_[i].of_payout && !events_[k].of_payout && !events_[i].key.empty() &&
                    events_[i].key == events_[k].key) {
                    return {i, k};
                }
            }
        }
        return {0, 0};
    }
    std::size_t FirstPayment() const {
        for (std::size_t i = 0; i < events_.size(); ++i) {
            const auto event = event::Open(events_[i].envelope);
            if (event.ok() && event->type == "kessai.payment.v1.PaymentChanged") return i;
        }
        return 0;
    }
    std::vector<std::string> AuditEvents() {
        platform_->Publish(events_);
        return Audit();
    }

    std::vector<WorldEvent> events_ = platform_->events();
};

TEST_F(DamagedTopicTest, RepeatsAreNoFault) {
    const std::vector<WorldEvent> again = events_;
    for (const WorldEvent& event : again) {
        if (!event.key.empty()) events_.push_back(event);
    }
    EXPECT_THAT(AuditEvents(), IsEmpty()) << Text();
}

TEST_F(DamagedTopicTest, EventLost) {
    events_.erase(events_.begin() + static_cast<std::ptrdiff_t>(FirstPayment()));
    EXPECT_THAT(AuditEvents(), Contains(StartsWith("M6 event is missing: object "))) << Text();
}

TEST_F(DamagedTopicTest, EventsOfAnObjectInTheWrongOrder) {
    const auto [first, second] = TwoOfOneObject();
    std::swap(events_[first], events_[second]);
    EXPECT_THAT(AuditEvents(), Contains(StartsWith("M6 order of events: object "))) << Text();
}

TEST_F(DamagedTopicTest, EventInAnotherPartition) {
    WorldEvent& event = events_[FirstPayment()];
    event.partition = (event.partition + 1) % World::kPartitions;
    EXPECT_THAT(AuditEvents(), Contains(StartsWith("M6 partition: object "))) << Text();
}

TEST_F(DamagedTopicTest, EventUnderAnotherKey) {
    events_[FirstPayment()].key += "0";
    EXPECT_THAT(AuditEvents(), Contains(StartsWith("M6 message's key: object "))) << Text();
}

TEST_F(DamagedTopicTest, EventOfAnotherAmountIsDescribed) {
    WorldEvent& event = events_[FirstPayment()];
    auto envelope = event::Open(event.envelope).value();
    payment::v1::PaymentChanged message;
    ASSERT_TRUE(message.ParseFromString(envelope.payload));
    message.set_amount(message.amount() + 1);
    envelope.payload = message.SerializeAsString();
    event.envelope = event::Seal(envelope.fields()).value();
    const auto lines = AuditEvents();
    EXPECT_THAT(lines, Contains(::testing::AllOf(StartsWith("M6 content of event: object "),
                                                 HasSubstr("modified: amount: 333 -> 334"))))
        << Text();
}

TEST_F(DamagedTopicTest, EventsOfNoChange) {
    const auto envelope = event::Open(events_[FirstPayment()].envelope).value();
    event::Fields fields = envelope.fields();
    fields.object_id = 4711;
    WorldEvent phantom;
    phantom.partition = event::PartitionOf(4711, World::kPartitions);
    phantom.key = "4711";
    phantom.envelope = event::Seal(fields).value();
    events_.push_back(phantom);
    phantom.of_payout = true;
    events_.push_back(phantom);
    WorldEvent poison;
    poison.partition = 4;
    poison.key = "4711";
    poison.envelope = "no event";
    events_.push_back(poison);
    const auto lines = AuditEvents();
    EXPECT_THAT(lines, Contains(StartsWith("M6 event without change: payment 4711 version 1")));
    EXPECT_THAT(lines, Contains(StartsWith("M6 event without accrual: payment 4711 version 1")));
    EXPECT_THAT(lines, Contains(HasSubstr("found EVENT_MALFORMED"))) << Text();
}

// Goal: a poisoned message that an operator has settled does not make the books unclean for ever.
TEST_F(DamagedTopicTest, SettledDeadLettersAreNotedOnly) {
    WorldEvent poison;
    poison.partition = 4;
    poison.key = "4711";
    poison.envelope = "no event";
    events_.push_back(poison);
    platform_->Publish(events_);
    const AuditOptions options = platform_->Options();
    platform_->Damage('o',
                      "INSERT INTO dead_letter (consumer_group, topic, partition_no, "
                      "message_offset, state, blocking, object_id, event_type, event_id, version, "
                      "code, reason, message, attempts, failed_at_us, traceparent, message_key, "
                      "message_value) SELECT 'payout', topic, 4, next_offset - 1, 3, 0, 4711, '', "
                      "0, 0, 3, 'EVENT_MALFORMED', '', 1, 0, '', '', '' FROM consumer_offset "
                      "WHERE topic = '" +
                          options.payment_topic + "' AND partition_no = 4");
    EXPECT_THAT(Audit(options), IsEmpty()) << Text();
    EXPECT_THAT(report_.part(Invariant::kM6).notes, Contains(HasSubstr("settled as dead letters")));
}

TEST_F(DamagedTopicTest, EventBehindTheMarkOfItsDay) {
    const WorldEvent event = events_[FirstPayment()];
    events_.erase(events_.begin() + static_cast<std::ptrdiff_t>(FirstPayment()));
    events_.push_back(event);
    EXPECT_THAT(AuditEvents(), Contains(StartsWith("M9 event behind the mark of its day: object ")))
        << Text();
}

/// Changes that have not arrived everywhere when the wait is over.
class ChangeUnderWayTest : public DamagedTopicTest {
 protected:
    /// Adds a change that is only in the journal.
    void AddChange() {
        platform_->Damage(
            'p',
            "INSERT INTO journal SELECT object_id + 1, version, event_id + 1, kind, business_date, "
            "occurred_at_us, merchant_id, user_id, currency, amount, merchant_payment_id, "
            "store_id, terminal_id, order_receipt_number, order_amount, captured_total, "
            "refunded_before, payment_date, payment_accepted_at_us, refund_id, "
            "merchant_refund_id, source, bucket FROM journal "
            "WHERE merchant_payment_id = 'order-1'");
    }
    /// Its event, behind all others of its partition.
    WorldEvent EventOfIt() const {
        WorldEvent event = events_[FirstPayment()];
        auto envelope = event::Open(event.envelope).value();
        ++envelope.object_id;
        ++envelope.event_id;
        payment::v1::PaymentChanged message;
        EXPECT_TRUE(message.ParseFromString(envelope.payload));
        message.set_payment_id(envelope.object_id);
        envelope.payload = message.SerializeAsString();
        event.envelope = event::Seal(envelope.fields()).value();
        event.key = std::to_string(envelope.object_id);
        event.partition = event::PartitionOf(envelope.object_id, World::kPartitions);
        return event;
    }
    /// Sets a consumer back by a message.
    void SetBack(char schema, const AuditOptions& options, int partition) {
        platform_->Damage(schema,
                          "UPDATE consumer_offset SET next_offset = next_offset - 1 "
                          "WHERE topic = '" +
                              options.payment_topic +
                              "' AND partition_no = " + std::to_string(partition));
    }
    static auto TellsOf(const char* what) { return Contains(StartsWith(what)); }
};

// Goal: what waits in payment's outbox is told with its age, and is no fault of anybody behind it.
TEST_F(ChangeUnderWayTest, InPaymentsOutbox) {
    AddChange();
    EXPECT_THAT(Audit(), TellsOf("M6 event is missing: ")) << Text();
    for (int shard = 0; shard < 4; ++shard) {
        platform_->Damage('p',
                          "INSERT INTO outbox (shard, row_id, business_date, entry_count, "
                          "created_at, entries) VALUES (" +
                              std::to_string(shard) +
                              ", 1, '2026-11-23', 3, '2026-01-01 00:00:00', '')");
    }
    const auto lines = Audit();
    EXPECT_THAT(lines, TellsOf("M6 not checked: 1 changes that were still in payment's outbox; the "
                               "oldest, version 1 of object "))
        << Text();
    EXPECT_THAT(lines, TellsOf("M7 not checked: 1 changes that were still on their way to payout"));
    EXPECT_THAT(lines, TellsOf("M8 not checked: 1 changes that were still on their way to "));
    EXPECT_THAT(lines, TellsOf("backlog not checked: payment: 4 outbox rows with 12 messages are "
                               "not sent; the oldest is "));
    EXPECT_THAT(lines, Not(TellsOf("M6 event is missing: ")));
    EXPECT_THAT(lines, Not(TellsOf("M7 accrual is missing: ")));
    EXPECT_THAT(lines, Not(TellsOf("M8 match is missing: ")));
}

// Goal: a consumer that is behind is no fault; one that has passed an event without its effect is.
TEST_F(ChangeUnderWayTest, BeforeItsConsumers) {
    AddChange();
    const WorldEvent event = EventOfIt();
    events_.push_back(event);
    platform_->Publish(events_);
    const AuditOptions options = platform_->Options();
    auto lines = Audit(options);
    EXPECT_THAT(lines, TellsOf("M7 accrual is missing: ")) << Text();
    EXPECT_THAT(lines, TellsOf("M8 match is missing: "));
    EXPECT_THAT(lines, Not(TellsOf("M6")));

    SetBack('r', options, event.partition);
    lines = Audit(options);
    EXPECT_THAT(lines, TellsOf("M7 accrual is missing: ")) << Text();
    EXPECT_THAT(lines, Not(TellsOf("M8 match is missing: ")));
    EXPECT_THAT(lines, TellsOf("M8 not checked: 1 changes that were still on their way to recon"));
    EXPECT_THAT(lines, TellsOf("M8 not checked: reconciliation has not read all of the closed"));

    SetBack('o', options, event.partition);
    lines = Audit(options);
    EXPECT_THAT(lines, Not(TellsOf("M7 accrual is missing: "))) << Text();
    EXPECT_THAT(lines, TellsOf("M7 not checked: 1 changes that were still on their way to payout"));
    EXPECT_THAT(lines, TellsOf("backlog not checked: payout is 1 messages behind in "));
}

// Goal: a merchant held back is no fault of reconciliation before it was told; nor is what payout
// told since its books were read.
TEST_F(ChangeUnderWayTest, HoldsBeforeReconciliation) {
    platform_->Damage('r', "DELETE FROM noted_hold WHERE object_id % 2 = 1");
    platform_->Damage('r', "DELETE FROM discrepancy WHERE held_merchant = 98");
    EXPECT_THAT(Audit(), TellsOf("M8 step of a hold in reconciliation: merchant 98 ")) << Text();

    platform_->Damage('r', "UPDATE consumer_offset SET next_offset = 0 WHERE topic = '" +
                               platform_->Options().payout_topic + "'");
    auto lines = Audit();
    EXPECT_THAT(lines, TellsOf("M8 not checked: 1 changes that were steps of holds, and are still "
                               "on their way to reconciliation"))
        << Text();
    EXPECT_THAT(lines, Each(AnyOf(HasSubstr(" not checked: "), HasSubstr("M9 discrepancy"))));

    platform_->Restore();
    platform_->Damage('r',
                      "INSERT INTO noted_hold SELECT object_id, version + 1, content_hash "
                      "FROM noted_hold WHERE version = 3");
    platform_->Damage('r', "UPDATE discrepancy SET state = 1 WHERE held_merchant = 99");
    EXPECT_THAT(Audit(), Each(HasSubstr("M9 discrepancy's state: "))) << Text();
}

// Goal: an operator may leave a merchant held back as it is.
TEST_F(AuditTest, AnAcceptedDiscrepancyOfAMerchantHeldBackIsClean) {
    platform_->Damage('r', "UPDATE discrepancy SET state = 5 WHERE kind = 12");
    // But for its history, which no operator has added to.
    EXPECT_THAT(Audit(), Each(HasSubstr("M9 discrepancy's state: "))) << Text();
}

// Goal: the trail cannot be cut at its end without notice: who sets the slot's end back too, and
// all that came since, leaves what is only known to be short by what an earlier audit saw. Method:
// as the database was before the last step of a discrepancy and of its repair; audited without,
// with, and once more with what the audit before had seen.
TEST_F(AuditTest, TheTrailIsNoShorterThanAnEarlierAuditSawIt) {
    const kessai::testing::TempDir directory;
    AuditOptions options = platform_->Options();
    options.trail_ends_file = directory.path() + "/ends";
    EXPECT_THAT(Audit(options), IsEmpty()) << Text();
    EXPECT_THAT(Audit(options), IsEmpty()) << Text();

    for (const char* sql :
         {"DELETE FROM audit_anchor WHERE slot = 7 AND number = 2",
          "UPDATE audit_head AS h JOIN audit_anchor AS a ON a.slot = h.slot AND a.number = 1 "
          "SET h.number = 1, h.hash = a.hash WHERE h.slot = 7",
          "DELETE FROM discrepancy_step WHERE discrepancy_id = 23 AND number = 3",
          "UPDATE discrepancy SET state = 3, step_count = 2, last_event_id = 2, open_repair = 1 "
          "WHERE discrepancy_id = 23",
          "UPDATE repair SET state = 3, outcome = '', ended_at_us = 0 WHERE discrepancy_id = 23"}) {
        platform_->Damage('r', sql);
    }
    EXPECT_THAT(Audit(), Each(Not(HasSubstr("M9")))) << Text();
    constexpr const char* kCut =
        "M9 end of the audit trail that an earlier audit saw: slot 7 anchor 1: expected anchor 2 "
        "or a later one, found anchor 1";
    EXPECT_THAT(Audit(options), Contains(HasSubstr(kCut))) << Text();
    EXPECT_THAT(Audit(options), Contains(HasSubstr(kCut))) << "it is not forgotten\n" << Text();

    platform_->Restore();
    directory.Write("ends", "7 2 " + std::string(64, 'a') + "\n");
    EXPECT_THAT(Audit(options),
                Contains(HasSubstr("M9 anchor of the audit trail that an earlier audit saw: slot 7 "
                                   "anchor 2: expected the one that it saw, found another")))
        << Text();
    directory.Write("ends", "7 two\n");
    EXPECT_THAT(Audit(options), Contains(HasSubstr("M9 not checked: ")));
}

// Goal: a consumer that is behind makes a clean audit incomplete, not unclean.
TEST_F(ChangeUnderWayTest, LeavesTheAuditIncomplete) {
    platform_->Damage(
        'o', "UPDATE consumer_offset SET next_offset = next_offset - 1 WHERE next_offset > 0");
    EXPECT_THAT(Audit(), Each(HasSubstr(" not checked: "))) << Text();
    EXPECT_EQ(ExitCode(report_), 2);
}

// Goal: what cannot be read is told, and the rest is checked; nothing hangs.
TEST_F(AuditTest, WhatCannotBeReachedIsNotPassedOver) {
    AuditOptions options = platform_->Options();
    options.reconciliation.password = "another";
    const auto lines = Audit(options);
    EXPECT_THAT(lines, Each(HasSubstr(" not checked: "))) << Text();
    EXPECT_THAT(lines, Contains(StartsWith("M8 not checked: ")));
    EXPECT_EQ(ExitCode(report_), 2);

    options = platform_->Options();
    options.payout_topic = kessai::testing::UniqueName("nowhere");
    EXPECT_THAT(Audit(options), Contains(StartsWith("M6 not checked: "))) << Text();
    EXPECT_EQ(ExitCode(report_), 2);

    options = platform_->Options();
    options.payment.port = kessai::testing::FreePort();
    EXPECT_THAT(Audit(options),
                IsSupersetOf({StartsWith("M1 not checked: "), StartsWith("M5 not checked: "),
                              StartsWith("M7 not checked: ")}))
        << Text();
    EXPECT_EQ(ExitCode(report_), 2);

    options = platform_->Options();
    options.work_directory = "/nonexistent";
    EXPECT_THAT(Audit(options), Contains(HasSubstr("SPILL_FAILED"))) << Text();
    EXPECT_EQ(ExitCode(report_), 2);
}

}  // namespace
}  // namespace kessai::audit::testing
