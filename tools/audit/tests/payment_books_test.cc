// Goal: whatever was changed in the payment schema behind the service's back is named by the
// invariant that it breaks, and books that nobody touched are found in order.
// Method: a small world's rows on a real MariaDB. Every case changes rows by SQL in a transaction
// that is rolled back afterwards, and audits what that transaction sees.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "checks/payment_books.h"
#include "findings.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/mysql_server.h"
#include "kessai/testing/temp_dir.h"
#include "world.h"

namespace kessai::audit::testing {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::StartsWith;

/// Users 1 to 3, merchants 11 and 12; two days that have ended and one that is open.
World SmallWorld() {
    World world;
    for (std::int64_t user = 1; user <= 3; ++user) {
        world.OpenWallet(user);
        world.TopUp(user, 10'000 * user);
    }
    world.Pay(world.Create(11, "paid", 700), 1);
    const auto refunded = world.Create(11, "refunded", 1'000);
    world.Pay(refunded, 2);
    world.Refund(refunded, 300);
    world.Pay(world.Create(12, "same-amount-a", 450), 2);
    world.Pay(world.Create(12, "same-amount-b", 450), 2);
    world.CloseDay();
    world.Refund(refunded, 200);
    world.Pay(world.Create(12, "canceled", 800), 3);
    world.Cancel(12, "canceled");
    world.Create(11, "open", 90);
    world.Create(11, "given-up", 91);
    world.Cancel(11, "given-up");
    world.Cancel(11, "never-created");
    world.CloseDay();
    world.Release(20261120);
    world.DeleteCode(world.Create(12, "twice", 60));
    world.Pay(world.Create(12, "twice", 65), 1);
    world.TopUp(1, 5);
    world.OpenWallet(4);
    return world;
}

class PaymentBooksTest : public ::testing::Test {
 protected:
    static void SetUpTestSuite() {
        schema_ = kessai::testing::MysqlServer::Shared().CreateSchema().release();
        session_ = mysql::Session::Connect(schema_->options()).value().release();
        ASSERT_OK(MigratePayment(*session_));
        World world = SmallWorld();
        ASSERT_OK(world.Finish({.payment = session_}));
        constexpr mysql::Query kNoChecks{"test.no_checks", "SET check_constraint_checks = 0"};
        ASSERT_OK(session_->Execute(kNoChecks));
    }
    static void TearDownTestSuite() {
        delete session_;
        delete schema_;
    }
    void SetUp() override { Run("START TRANSACTION"); }
    void TearDown() override { Run("ROLLBACK"); }

    /// One statement; it must change something.
    void Run(const std::string& sql) {
        const auto done = session_->Execute(mysql::Query{"test.damage", sql});
        ASSERT_THAT(done, kessai::testing::IsOk()) << sql;
        if (sql.starts_with("UPDATE") || sql.starts_with("DELETE") || sql.starts_with("INSERT")) {
            ASSERT_GT(*done, 0u) << "changes nothing: " << sql;
        }
    }

    /// With so little memory that most sorters spill.
    std::vector<std::string> Audit() {
        const auto hasher = digest::RowHasher::FromHex(World::kDigestKey).value();
        const SpillSpace space(directory_.path(), 256);
        report_ = Report();
        const auto books = CheckPaymentBooks(*session_, space, hasher, report_);
        EXPECT_THAT(books, kessai::testing::IsOk());
        return Lines(report_);
    }
    std::string AllLines() const {
        std::string all;
        for (const std::string& line : Lines(report_)) all += line + "\n";
        return all;
    }

    static kessai::testing::MysqlSchema* schema_;
    static mysql::Session* session_;
    kessai::testing::TempDir directory_;
    Report report_;
};
kessai::testing::MysqlSchema* PaymentBooksTest::schema_ = nullptr;
mysql::Session* PaymentBooksTest::session_ = nullptr;

TEST_F(PaymentBooksTest, BooksThatNobodyTouchedAreInOrder) {
    EXPECT_THAT(Audit(), IsEmpty());
    EXPECT_TRUE(report_.complete());
    EXPECT_EQ(report_.found(), 0u);
    using Looked = std::vector<std::pair<std::string_view, std::uint64_t>>;
    EXPECT_EQ(report_.part(Invariant::kM1).looked_at, (Looked{{"journals", 14}, {"postings", 28}}));
    EXPECT_EQ(report_.part(Invariant::kM2).looked_at,
              (Looked{{"accounts", 4}, {"postings", 28}, {"kept days of the customer ledger", 1}}));
    EXPECT_EQ(report_.part(Invariant::kM4).looked_at,
              (Looked{{"top-ups", 4}, {"refunds", 2}, {"cleared releases", 1}, {"orders", 9}}));
    EXPECT_EQ(report_.part(Invariant::kM5).looked_at, (Looked{{"payments", 9}, {"changes", 14}}));
}

/// What SQL does, and how the audit's finding must begin.
struct Damage {
    std::string_view name;
    std::vector<std::string> sql;
    std::vector<std::string> found;
};

void PrintTo(const Damage& damage, std::ostream* out) {
    *out << damage.name;
}

class DamagedPaymentBooksTest : public PaymentBooksTest,
                                public ::testing::WithParamInterface<Damage> {};

TEST_P(DamagedPaymentBooksTest, IsNamedByTheRightInvariant) {
    for (const std::string& sql : GetParam().sql) ASSERT_NO_FATAL_FAILURE(Run(sql));
    const std::vector<std::string> lines = Audit();
    for (const std::string& found : GetParam().found) {
        EXPECT_THAT(lines, Contains(StartsWith(found))) << AllLines();
    }
    if (std::getenv("KESSAI_AUDIT_TEST_SHOW") != nullptr) {
        std::printf("%s\n%s", std::string(GetParam().name).c_str(), AllLines().c_str());
    }
}

std::string PaymentNamed(const std::string& merchant_payment_id) {
    return "(SELECT payment_id FROM payment_order WHERE merchant_payment_id = '" +
           merchant_payment_id + "')";
}

const Damage kM1[] = {
    {"AmountsOfBothSidesSwapped",  // Sums, counts and balances of the day stay.
     {"UPDATE posting SET amount = -amount WHERE object_id = " + PaymentNamed("paid")},
     {"M1 posting's amount: object "}},
    {"OnePostingOff",
     {"UPDATE posting SET amount = amount + 1 WHERE kind = 2 AND object_id = " +
      PaymentNamed("paid")},
     {"M1 posting's amount: object ", "M1 sum of all postings: currency JPY: expected 0, found 1"}},
    {"PostingsOfOneAccountExchanged",  // Two payments of 450 by one user: nothing but keys differ.
     {"UPDATE posting SET object_id = CASE object_id WHEN " + PaymentNamed("same-amount-a") +
      " THEN " + PaymentNamed("same-amount-b") + " ELSE " + PaymentNamed("same-amount-a") +
      " END WHERE kind = 1 AND object_id IN (" + PaymentNamed("same-amount-a") + ", " +
      PaymentNamed("same-amount-b") + ")"},
     {"M1 posting's object: object "}},
    {"PayableOfAnotherMerchant",  // Every journal still sums to zero.
     {"UPDATE posting SET owner_id = 12 WHERE owner_id = 11 AND kind = 2 AND object_id = " +
      PaymentNamed("paid")},
     {"M1 posting is missing: object ", "M1 posting that no journal implies: object "}},
    {"DoubledAndCompensated",
     {"INSERT INTO posting SELECT kind, owner_id, event_id + 1, object_id, version, business_date, "
      "currency, amount, balance_after FROM posting WHERE kind = 2 AND object_id = " +
          PaymentNamed("paid"),
      "INSERT INTO posting SELECT kind, owner_id, event_id + 2, object_id, version, business_date, "
      "currency, -amount, balance_after FROM posting WHERE kind = 2 AND event_id % 4096 = 0 AND "
      "object_id = " +
          PaymentNamed("paid")},
     {"M1 posting that no journal implies: object "}},
    {"PostingsGone",
     {"DELETE FROM posting WHERE object_id = " + PaymentNamed("same-amount-a")},
     {"M1 posting is missing: object "}},
    {"JournalGone",
     {"DELETE FROM journal WHERE object_id = " + PaymentNamed("paid")},
     {"M1 posting that no journal implies: object ", "M5 version: payment "}},
    {"PostingOfAnotherDay",
     {"UPDATE posting SET business_date = '2026-11-21' WHERE kind = 2 AND object_id = " +
      PaymentNamed("paid")},
     {"M1 posting's business date: object "}},
    {"PostingOfAnotherCurrency",
     {"UPDATE posting SET currency = 'USD' WHERE object_id = " + PaymentNamed("paid")},
     {"M1 posting's currency: object ", "M2 currency: object "}},
    {"UnknownKind",
     {"UPDATE journal SET kind = 9 WHERE object_id = " + PaymentNamed("paid")},
     {"M1 kind of change: object "}},
};

const Damage kM2[] = {
    {"BalanceRaised",
     {"UPDATE account SET balance = balance + 1 WHERE owner_id = 2"},
     {"M2 stored balance: account user_money owner 2: expected "}},
    {"BalancesMoved",  // The sum of all balances stays.
     {"UPDATE account SET balance = balance + IF(owner_id = 1, 5, -5) WHERE owner_id IN (1, 2)"},
     {"M2 stored balance: account user_money owner 1",
      "M2 stored balance: account user_money owner 2"}},
    {"BalancesExchanged",
     {"UPDATE account SET owner_id = 99 WHERE owner_id = 1",
      "UPDATE account SET owner_id = 1 WHERE owner_id = 2",
      "UPDATE account SET owner_id = 2 WHERE owner_id = 99"},
     {"M2 stored balance: account user_money owner 1",
      "M2 last event: account user_money owner 2"}},
    {"RunningBalanceChanged",
     {"UPDATE posting SET balance_after = balance_after - 7 WHERE kind = 1 AND object_id = " +
      PaymentNamed("paid")},
     {"M2 balance after: object "}},
    {"AccountGone",
     {"DELETE FROM account WHERE owner_id = 3"},
     {"M2 account row is missing: account user_money owner 3"}},
    {"AccountFromNowhere",
     {"INSERT INTO account VALUES (1, 77, 'JPY', 1000, 0, 0)"},
     {"M2 stored balance: account user_money owner 77: expected 0, found 1000"}},
    {"StoredBalanceOfAMerchant",
     {"INSERT INTO account VALUES (2, 11, 'JPY', 1200, 0, 0)"},
     {"M2 account row that should not be: account merchant_payable owner 11"}},
    {"LastEventOlder",
     {"UPDATE account SET last_event_id = last_event_id - 1 WHERE owner_id = 1"},
     {"M2 last event: account user_money owner 1"}},
    {"KeptDayChanged",  // Its sum stays zero.
     {"UPDATE ledger_day SET amount = amount + IF(account = 1, 9, -9) WHERE account IN (1, 2)"},
     {"M2 kept day of the customer ledger: day 2026-11-20 account user_money: expected ",
      "M2 kept day of the customer ledger: day 2026-11-20 account merchant_payable: expected "}},
    {"KeptDayLacksAnAccount",
     {"DELETE FROM ledger_day WHERE account = 5"},
     {"M2 kept day of the customer ledger: day 2026-11-20 account development_funding: expected "}},
    {"KeptDayHasAnAccountTooMany",
     {"INSERT INTO ledger_day VALUES ('2026-11-20', 6, 1, 1)"},
     {"M2 kept day of the customer ledger: day 2026-11-20 account kind_6: expected 0, found 1"}},
    {"JournalAddedToAKeptDay",  // With its postings, which sum to zero.
     {"INSERT INTO posting SELECT kind, owner_id, event_id + 1, object_id, version + 9, "
      "business_date, currency, amount, balance_after + amount FROM posting WHERE object_id = " +
      PaymentNamed("paid")},
     {"M2 kept day of the customer ledger: day 2026-11-20 account user_money: expected ",
      "M2 kept day of the customer ledger: day 2026-11-20 account merchant_payable: expected "}},
    {"OpenDayKept",
     {"INSERT INTO ledger_day SELECT MIN(business_date), 1, 0, 1 FROM gate"},
     {"M2 kept day that has not ended: day "}},
};

const Damage kM3[] = {
    {"BalanceBelowZero",
     {"UPDATE account SET balance = -1 WHERE owner_id = 4"},
     {"M3 stored balance: account user_money owner 4: expected not below 0, found -1"}},
    {"TopUpTakenAway",  // With its postings and balances made to fit.
     {"DELETE FROM posting WHERE owner_id = 1 AND kind = 1 AND amount = 10000",
      "UPDATE posting SET balance_after = balance_after - 10000 WHERE owner_id = 1 AND kind = 1",
      "UPDATE account SET balance = balance - 10000 WHERE owner_id = 1"},
     {"M3 balance after: object ", "M3 stored balance: account user_money owner 1"}},
    {"RunningBalanceBelowZero",
     {"UPDATE posting SET balance_after = -balance_after WHERE kind = 1 AND object_id = " +
      PaymentNamed("canceled")},
     {"M3 balance after: object "}},
};

const Damage kM4[] = {
    {"OrderKeyChanged",
     {"UPDATE payment_order SET order_key = REVERSE(order_key) WHERE merchant_payment_id = 'paid'"},
     {"M4 order key: merchant 11 merchantPaymentId paid", "M4 order row is missing: payment "}},
    {"OrdersExchanged",  // Each names the other's payment.
     {"UPDATE payment_order SET payment_id = CASE payment_id WHEN " +
      PaymentNamed("same-amount-a") + " THEN " + PaymentNamed("same-amount-b") + " ELSE " +
      PaymentNamed("same-amount-a") + " END WHERE merchant_payment_id LIKE 'same-amount-%'"},
     {"M4 order names no payment of its own: merchant 12 merchantPaymentId same-amount-a",
      "M4 payment that its order does not name: payment "}},
    {"PaidTwice",
     {"UPDATE payment SET version = 1, status = 2 WHERE merchant_payment_id = 'twice' AND "
      "version = 0"},
     {"M4 paid twice: order key "}},
    {"OrderNamesTheDeadCode",
     {"UPDATE payment_order SET payment_id = (SELECT payment_id FROM payment WHERE "
      "merchant_payment_id = 'twice' AND version = 0) WHERE merchant_payment_id = 'twice'"},
     {"M4 payment that its order does not name: payment "}},
    {"OrderGone",
     {"DELETE FROM payment_order WHERE merchant_payment_id = 'open'"},
     {"M4 order row is missing: payment "}},
    {"OrderNotCancelled",
     {"UPDATE payment_order SET canceled_at_us = 0 WHERE merchant_payment_id = 'given-up'"},
     {"M4 order cancelled at: merchant 11 merchantPaymentId given-up"}},
    {"TombstoneLifted",
     {"UPDATE payment_order SET canceled_at_us = 0 WHERE merchant_payment_id = 'never-created'"},
     {"M4 order without payment: merchant 11 merchantPaymentId never-created"}},
    {"RefundAmountsExchanged",  // The payment's refunds still sum to the same.
     {"UPDATE refund SET amount = 500 - amount"},
     {"M4 refund's amount: payment "}},
    {"RefundGone",
     {"DELETE FROM refund WHERE amount = 200"},
     {"M4 refund row is missing: object "}},
    {"RefundFromNowhere",
     {"INSERT INTO refund SELECT REVERSE(refund_key), refund_id + 1, payment_id, merchant_id, "
      "'another', currency, amount, accepted_at_us, 0, '' FROM refund WHERE amount = 200"},
     {"M4 refund without journal: payment ", "M4 refund key: payment "}},
    {"TopUpOfAnotherUser",
     {"UPDATE top_up SET user_id = 2 WHERE user_id = 1 AND amount = 5"},
     {"M4 top-up's user: top-up ", "M4 top-up key: top-up "}},
    {"TopUpsBalance",
     {"UPDATE top_up SET balance_after = balance_after + 1 WHERE amount = 5"},
     {"M4 top-up's balance after: object "}},
    {"TopUpGone", {"DELETE FROM top_up WHERE amount = 5"}, {"M4 top-up's rows: top-up "}},
    {"PaymentGone",
     {"DELETE FROM payment WHERE merchant_payment_id = 'paid'"},
     {"M4 payment row is missing: payment ", "M4 order names no payment of its own: merchant 11"}},
    {"ClearedReleaseForgotten",
     {"DELETE FROM release_clearing"},
     {"M4 release's effect key is missing: object 20261120 version 1"}},
};

const Damage kM5[] = {
    {"CapturedMoreThanOrdered",
     {"UPDATE payment SET captured = captured + 1 WHERE merchant_payment_id = 'paid'"},
     {"M5 captured: payment "}},
    {"RefundedMoreThanCaptured",
     {"UPDATE journal SET amount = 900 WHERE kind = 3 AND amount = 200"},
     {"M5 refunded beyond captured: payment "}},
    {"RefundsExchanged",  // Postings too: journals, postings and balances still sum to the same.
     {"UPDATE journal SET amount = 500 - amount WHERE kind = 3",
      "UPDATE posting SET amount = SIGN(amount) * (500 - ABS(amount)) WHERE ABS(amount) IN (200, "
      "300)"},
     {"M5 refunded before: payment ", "M4 refund's amount: payment "}},
    {"RefundedForgotten",
     {"UPDATE payment SET refunded = 300, refund_count = 1 WHERE merchant_payment_id = 'refunded'"},
     {"M5 refunded: payment ", "M5 refund count: payment "}},
    {"StatusBackToCompleted",
     {"UPDATE payment SET status = 2 WHERE merchant_payment_id = 'canceled'"},
     {"M5 status: payment "}},
    {"PaidByAnother",
     {"UPDATE payment SET user_id = 3 WHERE merchant_payment_id = 'paid'"},
     {"M5 user: payment "}},
    {"UnpaidCodeMarkedAsPaid",
     {"UPDATE payment SET status = 2, captured = amount WHERE merchant_payment_id = 'open'"},
     {"M5 status: payment ", "M5 captured: payment "}},
    {"VersionSkipped",
     {"UPDATE journal SET version = 4 WHERE kind = 3 AND amount = 200"},
     {"M5 version: payment "}},
    {"EventIdsExchanged",
     {"UPDATE journal SET event_id = CASE version WHEN 1 THEN event_id + 9000 ELSE event_id - "
      "90000 "
      "END WHERE version < 3 AND object_id = " +
      PaymentNamed("refunded")},
     {"M5 event id does not rise: payment "}},
    {"CancelledTwice",
     {"INSERT INTO journal SELECT object_id, 3, event_id + 1, kind, business_date, occurred_at_us, "
      "merchant_id, user_id, currency, amount, merchant_payment_id, store_id, terminal_id, "
      "order_receipt_number, order_amount, captured_total, refunded_before, payment_date, "
      "payment_accepted_at_us, refund_id, merchant_refund_id, source, bucket FROM journal "
      "WHERE kind = 2"},
     {"M5 order of changes: payment "}},
};

const Damage kM8[] = {
    {"BucketChanged",
     {"UPDATE journal SET bucket = (bucket + 1) % 1024 WHERE object_id = " + PaymentNamed("paid")},
     {"M8 bucket: object "}},
};

const Damage kM9[] = {
    {"ChangeMovedIntoAnEndedDay",  // With its postings and its payment made to fit.
     {"UPDATE journal SET business_date = '2026-11-21', payment_date = '2026-11-21' WHERE "
      "amount = 65",
      "UPDATE posting SET business_date = '2026-11-21' WHERE ABS(amount) = 65",
      "UPDATE payment SET business_date = '2026-11-21' WHERE amount = 65"},
     {"M9 change after its day had ended: object "}},
    {"ChangeMovedToALaterDay",
     {"UPDATE journal SET business_date = '2026-11-21', payment_date = '2026-11-21' WHERE "
      "object_id = " +
          PaymentNamed("paid"),
      "UPDATE posting SET business_date = '2026-11-21' WHERE object_id = " + PaymentNamed("paid"),
      "UPDATE payment SET business_date = '2026-11-21' WHERE merchant_payment_id = 'paid'"},
     {"M9 change before its day had begun: object "}},
    {"ChangeOfADayThatNeverWas",
     {"UPDATE journal SET business_date = '2027-01-01' WHERE object_id = " + PaymentNamed("paid")},
     {"M9 change of a day that was never open: object "}},
    {"DayOpenedAgain",
     {"UPDATE gate SET business_date = '2026-11-21'"},
     {"M9 an ended day is open again: table gate: expected a day after 2026-11-21"}},
    {"OneGateLeftBehind",
     {"UPDATE gate SET business_date = '2026-11-21' WHERE slot = 5"},
     {"M9 gates have several days: table gate"}},
};

const auto kNameOf = [](const ::testing::TestParamInfo<Damage>& info) {
    return std::string(info.param.name);
};
INSTANTIATE_TEST_SUITE_P(M1, DamagedPaymentBooksTest, ::testing::ValuesIn(kM1), kNameOf);
INSTANTIATE_TEST_SUITE_P(M2, DamagedPaymentBooksTest, ::testing::ValuesIn(kM2), kNameOf);
INSTANTIATE_TEST_SUITE_P(M3, DamagedPaymentBooksTest, ::testing::ValuesIn(kM3), kNameOf);
INSTANTIATE_TEST_SUITE_P(M4, DamagedPaymentBooksTest, ::testing::ValuesIn(kM4), kNameOf);
INSTANTIATE_TEST_SUITE_P(M5, DamagedPaymentBooksTest, ::testing::ValuesIn(kM5), kNameOf);
INSTANTIATE_TEST_SUITE_P(M8, DamagedPaymentBooksTest, ::testing::ValuesIn(kM8), kNameOf);
INSTANTIATE_TEST_SUITE_P(M9, DamagedPaymentBooksTest, ::testing::ValuesIn(kM9), kNameOf);

}  // namespace
}  // namespace kessai::audit::testing
