#include <algorithm>
#include <future>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "kessai/mysql/transaction.h"
#include "kessai/testing/eventually.h"
#include "kessai/testing/tcp_proxy.h"
#include "ledger_fixture.h"

namespace kessai::payment {
namespace {

using domain::Command;
using domain::UserId;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::SizeIs;

constexpr UserId kUser{42};

// Goal: what one command stores is what the readers give, field by field.
TEST_F(LedgerTest, WhatIsStoredIsRead) {
    auto& executor = Start({});
    ASSERT_NO_FATAL_FAILURE(GivenBalance(executor, kUser, 1'000));
    domain::CreateCode create = Order("order-1", 300);
    create.details = {"珈琲 \"ブレンド\" \\ '", "store-1", "terminal-1", "receipt-1", 1'700'000'000,
                      R"({"metadata":{"a":1}})"};
    const auto created = ExecuteOne(executor, create);
    ASSERT_OK(created);
    EXPECT_EQ(reader_.PaymentByOrder({kMerchant, "order-1"}).value(), PaymentOf(created));

    const auto paid = ExecuteOne(executor, Pay(PaymentOf(created), kUser));
    ASSERT_OK(paid);
    EXPECT_EQ(reader_.PaymentById(PaymentOf(paid).id).value(), PaymentOf(paid));
    EXPECT_EQ(reader_.WalletOf(kUser).value().balance, Yen(700));

    const auto refunded = ExecuteOne(
        executor, domain::RefundPayment{kMerchant, "r-1", PaymentOf(paid).id, Yen(120), "cold", 5});
    ASSERT_OK(refunded);
    const auto& refund = std::get<domain::Refund>(*refunded);
    EXPECT_EQ(reader_.RefundByKey({kMerchant, "r-1", {}}).value(), refund);
    EXPECT_EQ(reader_.RefundByKey({kMerchant, "r-1", PaymentOf(paid).id}).value(), refund);
    EXPECT_THAT(reader_.RefundsOf(PaymentOf(paid).id).value(), ElementsAre(refund));
    EXPECT_THAT(reader_.RefundByKey({kMerchant, "r-2", {}}),
                testing::Refuses(Code::kNotFound, "REFUND_UNKNOWN"));

    const auto history = reader_.HistoryOf(kUser, {}, 10).value();
    ASSERT_THAT(history, SizeIs(3));
    EXPECT_EQ(history[0].amount, Yen(120));
    EXPECT_EQ(history[0].balance_after, Yen(820));
    EXPECT_EQ(history[0].change.merchant_refund_id, "r-1");
    EXPECT_EQ(history[1].amount, Yen(-300));
    EXPECT_EQ(history[1].change.store_id, "store-1");
    EXPECT_EQ(history[2].change.kind, domain::ChangeKind::kToppedUp);
    EXPECT_THAT(reader_.HistoryOf(kUser, history[1].change.event, 10).value(), SizeIs(1));
    ExpectBooksBalance();
}

// Goal: of many who want the last yen exactly one gets it, across two executors and many batches.
// Method: 200 codes of 100 yen and one wallet of 1,000, all paid at once.
TEST_F(LedgerTest, TheLastYenIsSpentOnce) {
    auto& executor = Start({.executors = 2, .batch_max = 16});
    ASSERT_NO_FATAL_FAILURE(GivenBalance(executor, kUser, 1'000));
    std::vector<Command> creates;
    for (int i = 0; i < 200; ++i) creates.push_back(Order("o-" + std::to_string(i), 100));
    std::vector<Command> pays;
    for (const auto& created : Execute(executor, creates)) {
        ASSERT_OK(created);
        pays.push_back(Pay(PaymentOf(created), kUser));
    }
    int done = 0;
    for (const auto& paid : Execute(executor, pays)) {
        if (paid.ok()) {
            ++done;
        } else {
            EXPECT_EQ(paid.status().reason(), "INSUFFICIENT_FUNDS");
        }
    }
    EXPECT_EQ(done, 10);
    EXPECT_EQ(reader_.WalletOf(kUser).value().balance, Yen(0));
    ExpectBooksBalance();
}

// Goal: the same commands given to two replicas at once are done once.
// Method: two executors' owners with the same creates, pays, refunds, top-ups and cancels, in
// different orders; every outcome must be the same on both sides.
TEST_F(LedgerTest, TwoReplicasDoEveryCommandOnce) {
    auto& first = Start({.executors = 2, .batch_max = 64, .first_gate_slot = 0});
    auto& second = Start({.executors = 2, .batch_max = 64, .first_gate_slot = 2});
    constexpr int kUsers = 20;
    for (int u = 1; u <= kUsers; ++u) {
        ASSERT_NO_FATAL_FAILURE(GivenBalance(first, UserId(u), 10'000));
    }
    const auto both = [&](const std::vector<Command>& commands) {
        std::vector<Result<domain::Outcome>> here;
        std::vector<Result<domain::Outcome>> there;
        std::thread other([&] {
            std::vector<Command> reversed(commands.rbegin(), commands.rend());
            there = Execute(second, reversed);
            std::reverse(there.begin(), there.end());
        });
        here = Execute(first, commands);
        other.join();
        for (std::size_t i = 0; i < commands.size(); ++i) {
            EXPECT_EQ(here[i].ok(), there[i].ok())
                << here[i].status().ToString() << " / " << there[i].status().ToString();
        }
        return here;
    };
    std::vector<Command> creates;
    for (std::uint32_t i = 0; i < 300; ++i)
        creates.push_back(Order("o-" + std::to_string(i), 100, i + 1));
    std::vector<Command> pays;
    std::vector<Command> afterwards;
    int n = 0;
    for (const auto& created : both(creates)) {
        ASSERT_OK(created);
        const domain::Payment& payment = PaymentOf(created);
        pays.push_back(Pay(payment, UserId(1 + n % kUsers)));
        if (n % 3 == 0) {
            afterwards.push_back(domain::RefundPayment{kMerchant, "r", payment.id, Yen(30), "", 0});
        } else if (n % 3 == 1) {
            afterwards.push_back(domain::CancelPayment{{kMerchant, payment.merchant_payment_id}});
        } else {
            afterwards.push_back(domain::TopUpWallet{
                UserId(1 + n % kUsers), "t-" + std::to_string(n), Yen(5), "development"});
        }
        ++n;
    }
    EXPECT_THAT(both(pays), Each(testing::IsOk()));
    EXPECT_THAT(both(afterwards), Each(testing::IsOk()));

    EXPECT_EQ(Number("SELECT COUNT(*) FROM payment"), 300);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM journal WHERE kind = 1"), 300);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM journal WHERE kind = 2"), 100);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM journal WHERE kind = 3"), 100);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM journal WHERE kind = 4"), kUsers + 100);
    ExpectBooksBalance();
}

/// Two replicas: executors that share the database and nothing else, so that what one knows of a
/// row is out of date once the other changed it.
class KnownRowsTest : public LedgerTest {
 protected:
    void SetUp() override {
        ASSERT_NO_FATAL_FAILURE(GivenBalance(here_, kUser, 1'000));
        ASSERT_NO_FATAL_FAILURE(GivenBalance(there_, kOther, 1'000));
        ASSERT_THAT(observer_.guessed_wrong, SizeIs(0));
    }
    domain::Payment GivenCode(app::BatchExecutor& executor, const std::string& id,
                              std::int64_t amount) {
        const auto created = ExecuteOne(executor, Order(id, amount));
        KESSAI_CHECK(created.ok(), created.status().ToString());
        return PaymentOf(created);
    }
    std::int64_t BalanceOf(UserId user) { return reader_.WalletOf(user).value().balance.minor(); }

    static constexpr UserId kOther{43};
    app::BatchExecutor& here_ = Start({.executors = 1, .first_gate_slot = 0});
    app::BatchExecutor& there_ = Start({.executors = 1, .first_gate_slot = 1});
};

// Goal: a code and a wallet that this process stored last are not read to pay with them, and the
// payment is stored as if they had been.
TEST_F(KnownRowsTest, WhatIsKnownIsNotRead) {
    const domain::Payment code = GivenCode(here_, "order-1", 300);
    const std::size_t before = observer_.recalled;
    const auto paid = ExecuteOne(here_, Pay(code, kUser));
    ASSERT_OK(paid);
    EXPECT_EQ(observer_.recalled - before, 2u);
    EXPECT_THAT(observer_.guessed_wrong, SizeIs(0));
    EXPECT_EQ(reader_.PaymentById(code.id).value(), PaymentOf(paid));
    EXPECT_EQ(std::get<domain::PaymentOutcome>(*paid).balance, Yen(700));
    EXPECT_EQ(BalanceOf(kUser), 700);
    ExpectBooksBalance();
}

// Goal: with a memory of nothing every row is read.
TEST_F(KnownRowsTest, NothingIsKnownWhenNothingIsToBeRemembered) {
    auto& forgetful = Start({.executors = 1, .known = {}, .first_gate_slot = 2});
    const domain::Payment code = GivenCode(forgetful, "order-1", 300);
    const std::size_t before = observer_.recalled;
    ASSERT_OK(ExecuteOne(forgetful, Pay(code, kUser)));
    EXPECT_EQ(observer_.recalled, before);
}

// Goal: a balance that another replica changed is neither overwritten nor paid twice.
// Method: a payment there between two here; the second one here must see both before it.
TEST_F(KnownRowsTest, AWalletChangedElsewhereIsReadAgain) {
    const domain::Payment first = GivenCode(here_, "order-1", 300);
    const domain::Payment second = GivenCode(here_, "order-2", 100);
    ASSERT_OK(ExecuteOne(there_, Pay(first, kUser)));
    const auto paid = ExecuteOne(here_, Pay(second, kUser));
    ASSERT_OK(paid);
    EXPECT_EQ(std::get<domain::PaymentOutcome>(*paid).balance, Yen(600));
    EXPECT_THAT(observer_.guessed_wrong, SizeIs(1));
    EXPECT_EQ(BalanceOf(kUser), 600);
    ExpectBooksBalance();
}

// Goal: nobody is refused for what was only known: the money came in elsewhere.
TEST_F(KnownRowsTest, ARefusalIsOfWhatWasRead) {
    const domain::Payment code = GivenCode(here_, "order-1", 1'500);
    EXPECT_THAT(ExecuteOne(here_, Pay(code, kUser)),
                testing::Refuses(Code::kFailedPrecondition, "INSUFFICIENT_FUNDS"));
    ASSERT_OK(ExecuteOne(there_, domain::TopUpWallet{kUser, "more", Yen(1'000), "development"}));
    const auto paid = ExecuteOne(here_, Pay(code, kUser));
    ASSERT_OK(paid);
    EXPECT_EQ(std::get<domain::PaymentOutcome>(*paid).balance, Yen(500));
    EXPECT_THAT(observer_.guessed_wrong, SizeIs(0));
    ExpectBooksBalance();
}

// Goal: a code that was paid, deleted or cancelled elsewhere is not paid, and says why.
// Method: those three and one that still waits, paid here in one batch; a memory of all of them.
TEST_F(KnownRowsTest, ACodeThatIsNoLongerOpenIsNotPaid) {
    const domain::Payment paid = GivenCode(here_, "paid", 100);
    const domain::Payment deleted = GivenCode(here_, "deleted", 100);
    const domain::Payment canceled = GivenCode(here_, "canceled", 100);
    const domain::Payment open = GivenCode(here_, "open", 100);
    ASSERT_OK(ExecuteOne(there_, Pay(paid, kOther)));
    ASSERT_OK(ExecuteOne(there_, domain::DeleteCode{kMerchant, {deleted.id, deleted.code_salt}}));
    ASSERT_OK(ExecuteOne(there_, domain::CancelPayment{{kMerchant, "canceled"}}));

    const auto outcomes = Execute(
        here_, {Pay(paid, kUser), Pay(open, kUser), Pay(deleted, kUser), Pay(canceled, kUser)});
    EXPECT_THAT(outcomes[0], testing::Refuses(Code::kFailedPrecondition, "CODE_ALREADY_PAID"));
    EXPECT_THAT(outcomes[1], testing::IsOk());
    EXPECT_THAT(outcomes[2], testing::Refuses(Code::kFailedPrecondition, "CODE_DELETED"));
    EXPECT_THAT(outcomes[3], testing::Refuses(Code::kFailedPrecondition, "PAYMENT_CANCELED"));
    EXPECT_THAT(observer_.guessed_wrong, SizeIs(1));
    EXPECT_EQ(BalanceOf(kUser), 900);
    EXPECT_EQ(BalanceOf(kOther), 900);
    ExpectBooksBalance();
}

// Goal: a code whose expiry was brought forward in the database is not paid after it.
TEST_F(KnownRowsTest, ACodeThatWasMadeToExpireIsNotPaid) {
    const domain::Payment code = GivenCode(here_, "order-1", 300);
    auto admin = mysql::Session::Connect(schema_->admin_options()).value();
    ASSERT_OK(
        admin->Execute(mysql::Query{"test.expire", "UPDATE payment SET code_expires_at_us = 1"}));
    EXPECT_THAT(ExecuteOne(here_, Pay(code, kUser)),
                testing::Refuses(Code::kFailedPrecondition, "CODE_EXPIRED"));
    EXPECT_THAT(observer_.guessed_wrong, SizeIs(1));
    EXPECT_EQ(BalanceOf(kUser), 1'000);
    ExpectBooksBalance();
}

// Goal: a merchantPaymentId that another replica has is found, as its own or as another's.
TEST_F(KnownRowsTest, AKeyThatIsTakenElsewhereIsFound) {
    const domain::Payment there = GivenCode(there_, "order-1", 300);
    const auto again = ExecuteOne(here_, Order("order-1", 300));
    ASSERT_OK(again);
    EXPECT_EQ(PaymentOf(again), there);
    EXPECT_THAT(ExecuteOne(here_, Order("order-1", 300, /*salt=*/2)),
                testing::Refuses(Code::kAlreadyExists, "DUPLICATE_CODE"));
    EXPECT_EQ(Number("SELECT COUNT(*) FROM payment"), 1);
}

// Goal: after a wrong guess some batches read, and then guessing goes on.
TEST_F(KnownRowsTest, GuessingGoesOnAfterAWhile) {
    const domain::Payment first = GivenCode(here_, "order-1", 10);
    ASSERT_OK(ExecuteOne(there_, domain::TopUpWallet{kUser, "more", Yen(1), "development"}));
    ASSERT_OK(ExecuteOne(here_, Pay(first, kUser)));
    ASSERT_THAT(observer_.guessed_wrong, SizeIs(1));
    const std::size_t recalled = observer_.recalled;
    ASSERT_OK(ExecuteOne(here_, Pay(GivenCode(here_, "order-2", 10), kUser)));
    EXPECT_EQ(observer_.recalled, recalled);
    for (int i = 0; i < 10; ++i) {
        ASSERT_OK(ExecuteOne(here_, Pay(GivenCode(here_, "o-" + std::to_string(i), 10), kUser)));
    }
    EXPECT_GT(observer_.recalled, recalled);
    EXPECT_THAT(observer_.guessed_wrong, SizeIs(1));
    EXPECT_EQ(BalanceOf(kUser), 1'001 - 120);
}

// Goal: whatever two replicas know and guess, every code is paid once and no yen is lost.
// Method: 400 codes made by both, each paid by two of six users at both at once, in random orders,
// while top-ups go on; the seed is printed.
TEST_F(KnownRowsTest, TwoReplicasThatGuessAgreeWithTheBooks) {
    const auto seed = static_cast<std::uint32_t>(SystemClock().Now().time_since_epoch().count());
    RecordProperty("seed", std::to_string(seed));
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    constexpr int kCodes = 400;
    constexpr int kUsers = 6;
    for (int u = 1; u <= kUsers; ++u) {
        ASSERT_NO_FATAL_FAILURE(GivenBalance(u % 2 == 0 ? here_ : there_, UserId(u), 10'000));
    }
    std::vector<Command> at_here;
    std::vector<Command> at_there;
    for (int i = 0; i < kCodes; ++i) {
        const domain::Payment code =
            GivenCode(i % 2 == 0 ? here_ : there_, "o-" + std::to_string(i), 10);
        const auto payer = [&] { return UserId(1 + static_cast<int>(random() % kUsers)); };
        at_here.push_back(Pay(code, payer()));
        at_there.push_back(Pay(code, payer()));
        if (i % 4 == 0) {
            at_there.push_back(
                domain::TopUpWallet{payer(), "t-" + std::to_string(i), Yen(1), "development"});
        }
    }
    std::shuffle(at_here.begin(), at_here.end(), random);
    std::shuffle(at_there.begin(), at_there.end(), random);
    std::vector<Result<domain::Outcome>> there;
    std::thread other([&] { there = Execute(there_, at_there); });
    const auto here = Execute(here_, at_here);
    other.join();

    std::map<std::int64_t, std::set<std::int64_t>> payers;
    const auto count = [&](const std::vector<Result<domain::Outcome>>& outcomes) {
        for (const auto& outcome : outcomes) {
            if (!outcome.ok()) {
                EXPECT_EQ(outcome.status().reason(), "CODE_ALREADY_PAID");
            } else if (std::holds_alternative<domain::PaymentOutcome>(*outcome)) {
                const domain::Payment& payment = PaymentOf(outcome);
                payers[payment.id.value()].insert(payment.user.value());
            }
        }
    };
    count(here);
    count(there);
    EXPECT_EQ(payers.size(), static_cast<std::size_t>(kCodes));
    for (const auto& [payment, users] : payers) EXPECT_EQ(users.size(), 1u) << payment;
    std::int64_t sum = 0;
    for (int u = 1; u <= kUsers; ++u) sum += BalanceOf(UserId(u));
    EXPECT_EQ(sum, kUsers * 10'000 + kCodes / 4 - kCodes * 10);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM journal WHERE kind = 1"), kCodes);
    EXPECT_GT(observer_.recalled, 0u);
    ExpectBooksBalance();
}

// Goal: batch size is a matter of speed only.
TEST_F(LedgerTest, BatchesOfOneGiveTheSame) {
    auto& executor = Start({.executors = 4, .batch_max = 1});
    ASSERT_NO_FATAL_FAILURE(GivenBalance(executor, kUser, 1'000));
    std::vector<Command> creates;
    for (int i = 0; i < 50; ++i) creates.push_back(Order("o-" + std::to_string(i), 10));
    std::vector<Command> pays;
    for (const auto& created : Execute(executor, creates))
        pays.push_back(Pay(PaymentOf(created), kUser));
    EXPECT_THAT(Execute(executor, pays), Each(testing::IsOk()));
    EXPECT_EQ(observer_.largest_batch, 1u);
    EXPECT_EQ(reader_.WalletOf(kUser).value().balance, Yen(500));
    ExpectBooksBalance();
}

// Goal: what waits while a commit is on its way becomes one batch.
TEST_F(LedgerTest, WhatGathersBecomesOneBatch) {
    auto& executor = Start({.executors = 1, .batch_max = 256});
    std::vector<Command> creates;
    for (int i = 0; i < 1'000; ++i) creates.push_back(Order("o-" + std::to_string(i), 10));
    EXPECT_THAT(Execute(executor, creates), Each(testing::IsOk()));
    EXPECT_EQ(observer_.largest_batch, 256u);
    EXPECT_EQ(observer_.batches, 4);
}

// Goal: a command that the database refuses fails alone.
// Method: a row that breaks a CHECK constraint only the test adds.
TEST_F(LedgerTest, APoisonousCommandFailsAlone) {
    {
        auto session = mysql::Session::Connect(schema_->admin_options()).value();
        ASSERT_OK(session->Execute(mysql::Query{
            "test.poison", "ALTER TABLE payment ADD CONSTRAINT poison CHECK (amount <> 13)"}));
    }
    auto& executor = Start({.executors = 1, .batch_max = 256});
    std::vector<Command> creates;
    for (int i = 0; i < 100; ++i)
        creates.push_back(Order("o-" + std::to_string(i), i == 61 ? 13 : 10));
    const auto outcomes = Execute(executor, creates);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(outcomes[static_cast<std::size_t>(i)].ok(), i != 61) << i;
    }
    EXPECT_EQ(outcomes[61].status().code(), Code::kInternal);
    EXPECT_GT(observer_.splits, 0);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM payment"), 99);
}

// Goal: a row that is always there already fails the command that runs into it, not its neighbours.
// Method: a payment's version is set back by hand, so its next refund meets the journal of the
// last.
TEST_F(LedgerTest, ACollisionThatLastsFailsAlone) {
    auto& executor = Start({.executors = 1, .batch_max = 256});
    ASSERT_NO_FATAL_FAILURE(GivenBalance(executor, kUser, 1'000));
    const auto created = ExecuteOne(executor, Order("order-1", 300));
    ASSERT_OK(created);
    ASSERT_OK(ExecuteOne(executor, Pay(PaymentOf(created), kUser)));
    const auto id = PaymentOf(created).id;
    const auto refund = [&](const std::string& key) {
        return domain::RefundPayment{kMerchant, key, id, Yen(10), "", 0};
    };
    ASSERT_OK(ExecuteOne(executor, refund("r-1")));
    {
        auto session = mysql::Session::Connect(schema_->admin_options()).value();
        ASSERT_OK(session->Execute(
            mysql::Query{"test.set_back", "UPDATE payment SET version = version - 1"}));
    }
    std::vector<Command> commands;
    for (int i = 0; i < 100; ++i) commands.push_back(Order("o-" + std::to_string(i), 10));
    commands[61] = refund("r-2");
    const auto outcomes = Execute(executor, commands, std::chrono::seconds(10));
    for (std::size_t i = 0; i < 100; ++i) {
        if (i == 61) continue;
        EXPECT_THAT(outcomes[i], testing::IsOk()) << i;
    }
    EXPECT_THAT(outcomes[61], testing::Refuses(Code::kInternal, "KEY_COLLISION"));
    EXPECT_GT(observer_.splits, 0);
    EXPECT_THAT(observer_.failed, ElementsAre(::testing::HasSubstr("DUPLICATE_KEY")));
    EXPECT_EQ(Number("SELECT COUNT(*) FROM payment"), 100);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM refund"), 1);
}

/// An executor whose only session goes through a proxy.
class LostReplyTest : public LedgerTest {
 protected:
    LostReplyTest()
        : proxy_(schema_->options().host, schema_->options().port),
          lossy_pool_([&] {
              mysql::PoolOptions options{.connect = schema_->options(), .sessions_max = 1};
              options.connect.host = "127.0.0.1";
              options.connect.port = proxy_.port();
              return options;
          }()),
          lossy_store_(lossy_pool_),
          executor_({.executors = 1}, lossy_store_,
                    app::BatchServices{merchants_, ids_, encoder_, policy_}, SystemClock(),
                    observer_) {
        executor_.Start();
    }

    testing::TcpProxy proxy_;
    mysql::Pool lossy_pool_;
    storage::MysqlLedgerStore lossy_store_;
    app::BatchExecutor executor_;
};

// Goal: a command whose commit may have happened is never refused as if nothing had been done.
// Method: a proxy loses the reply to COMMIT, and the test is the next to get the executor's only
// session; after the executor waited for it in vain, a table is gone.
TEST_F(LostReplyTest, WhatMayBeCommittedIsUnknownWhateverFollows) {
    using std::chrono::seconds;
    ASSERT_OK(ExecuteOne(executor_, domain::OpenWallet{kUser}));
    const domain::TopUpWallet top_up{kUser, "t-1", Yen(100), "development"};
    const auto reply = std::make_shared<Gathered>();
    auto holder = pool_.Acquire(seconds(5)).value();
    {
        auto gate = mysql::Transaction::Begin(*holder).value();
        ASSERT_OK(holder->Select(
            mysql::Query{"test.hold", "SELECT slot FROM gate WHERE slot = 0 FOR UPDATE"}));
        proxy_.LoseReplyTo("COMMIT");
        executor_.Submit({top_up, SystemClock().SteadyNow() + seconds(60), "", reply, 0});
        ASSERT_EVENTUALLY(lossy_pool_.stats().in_use == 1);
        auto next =
            std::async(std::launch::async, [&] { return lossy_pool_.Acquire(seconds(30)); });
        ASSERT_EVENTUALLY(lossy_pool_.stats().waiting == 1);
        gate.Rollback();
        auto session = next.get();
        ASSERT_THAT(session, testing::IsOk());
        // The server answers each statement before the COMMIT too, so it may be stored or not.
        EXPECT_EQ(proxy_.cuts(), 1);
        ASSERT_EVENTUALLY(lossy_pool_.stats().exhausted_total > 0);
        auto admin = mysql::Session::Connect(schema_->admin_options()).value();
        ASSERT_OK(admin->Execute(mysql::Query{"test.gone", "RENAME TABLE top_up TO gone"}));
    }
    EXPECT_THAT(reply->Wait(1).front(), testing::Refuses(Code::kUnknown, "OUTCOME_UNKNOWN"));

    auto admin = mysql::Session::Connect(schema_->admin_options()).value();
    ASSERT_OK(admin->Execute(mysql::Query{"test.back", "RENAME TABLE gone TO top_up"}));
    ASSERT_OK(ExecuteOne(executor_, top_up));
    EXPECT_EQ(reader_.WalletOf(kUser).value().balance, Yen(100));
    ExpectBooksBalance();
}

// Goal: nothing is applied past its deadline, and the caller hears so.
TEST_F(LedgerTest, ACommandPastItsDeadlineIsDropped) {
    auto& executor = Start({});
    const auto outcomes = Execute(executor, {Order("late", 10)}, Duration(-1));
    EXPECT_THAT(outcomes.front(), testing::Refuses(Code::kDeadlineExceeded, "DEADLINE_EXCEEDED"));
    EXPECT_EQ(Number("SELECT COUNT(*) FROM payment"), 0);
    EXPECT_EQ(observer_.dropped, 1);
}

// Goal: a full queue refuses at once; what was accepted is still done when the executor stops.
TEST_F(LedgerTest, TheQueueIsBoundedAndStopFinishesIt) {
    auto& executor = Start({.executors = 1, .batch_max = 4, .queue_max = 64});
    std::vector<Command> creates;
    for (int i = 0; i < 2'000; ++i) creates.push_back(Order("o-" + std::to_string(i), 10));
    const auto reply = std::make_shared<Gathered>();
    std::vector<app::Submission> submissions;
    for (std::size_t i = 0; i < creates.size(); ++i) {
        submissions.push_back(
            {creates[i], SystemClock().SteadyNow() + std::chrono::seconds(30), "", reply, i});
    }
    executor.Submit(submissions);
    executor.Stop();
    int full = 0;
    int done = 0;
    for (const auto& outcome : reply->Wait(creates.size())) {
        if (outcome.ok()) {
            ++done;
        } else {
            EXPECT_THAT(outcome, testing::Refuses(Code::kResourceExhausted, "QUEUE_FULL"));
            ++full;
        }
    }
    EXPECT_GE(done, 64);
    EXPECT_GT(full, 0);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM payment"), done);
    EXPECT_THAT(ExecuteOne(executor, Order("after", 1)),
                testing::Refuses(Code::kUnavailable, "SHUTTING_DOWN"));
}

}  // namespace
}  // namespace kessai::payment
