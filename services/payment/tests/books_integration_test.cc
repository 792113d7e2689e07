// Goal: what accounting is told of a day is what its postings say, to the yen, while payments go
// on, and asking makes nobody wait. Method: random trade over days by executors of the service over
// a real MariaDB; balances and the journal against sums and rows of the postings.

#include <atomic>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "app/balance_books.h"
#include "storage/mysql_book_reader.h"
#include "tests/ledger_fixture.h"

namespace kessai::payment {
namespace {

using domain::AccountKind;
using domain::Command;
using domain::TrialBalance;
using domain::UserId;
using testing::Refuses;

class PaymentBooksTest : public LedgerTest {
 protected:
    static constexpr int kUsers = 8;
    static constexpr int kMerchants = 3;

    PaymentBooksTest() : books_(pool_), balances_(books_, days_) {
        RecordProperty("seed", std::to_string(seed_));
        random_.seed(seed_);
        for (int i = 1; i < kMerchants; ++i) {
            EXPECT_OK(reader_.PutMerchant({domain::MerchantId(7 + i), "Mise", false, true}));
        }
    }

    int Pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
    BusinessDate OpenDay() { return days_.Read().value().open_date; }
    void EndDay() { ASSERT_OK(days_.MoveGates(OpenDay())); }

    void OpenWallets(app::BatchExecutor& executor) {
        std::vector<Command> commands;
        for (int i = 1; i <= kUsers; ++i) commands.push_back(domain::OpenWallet{UserId(i)});
        for (const auto& opened : Execute(executor, commands)) ASSERT_OK(opened);
    }
    Command TopUp() {
        return domain::TopUpWallet{UserId(1 + Pick(kUsers)), "t-" + std::to_string(++keys_),
                                   Yen(1 + Pick(50'000)), "development"};
    }
    /// Some of everything, of which some is refused.
    void Trade(app::BatchExecutor& executor, int count) {
        std::vector<Command> first;
        for (int i = 0; i < count; ++i) {
            first.push_back(TopUp());
            auto order = Order("b-" + std::to_string(++keys_), 1 + Pick(3'000));
            order.merchant = domain::MerchantId(7 + Pick(kMerchants));
            first.push_back(order);
        }
        std::vector<Command> pays;
        for (const auto& outcome : Execute(executor, std::move(first))) {
            if (!outcome.ok()) continue;
            if (const auto* made = std::get_if<domain::PaymentOutcome>(&outcome.value())) {
                pays.push_back(Pay(made->payment, UserId(1 + Pick(kUsers))));
            }
        }
        for (const auto& outcome : Execute(executor, std::move(pays))) {
            if (outcome.ok()) paid_.push_back(PaymentOf(outcome));
        }
        std::vector<Command> returns;
        for (int i = 0; i < count / 2 && !paid_.empty(); ++i) {
            const auto& payment =
                paid_[static_cast<std::size_t>(Pick(static_cast<int>(paid_.size())))];
            if (Pick(3) == 0) {
                returns.push_back(
                    domain::CancelPayment{{payment.merchant, payment.merchant_payment_id}});
            } else {
                returns.push_back(domain::RefundPayment{
                    payment.merchant, "r-" + std::to_string(++keys_), payment.id,
                    Yen(1 + Pick(static_cast<int>(payment.amount.minor()))), "", 0});
            }
        }
        if (OpenDay() > first_) {
            returns.push_back(
                domain::ClearRelease{OpenDay().Previous(), round_++, Yen(Pick(20'000) - 5'000)});
        }
        (void)Execute(executor, std::move(returns));
    }

    /// One posting row at a time.
    TrialBalance PostingsOf(const std::string& condition) {
        TrialBalance sum;
        auto session = pool_.Acquire(std::chrono::seconds(5)).value();
        const std::string sql = "SELECT kind, owner_id, amount FROM posting WHERE " + condition;
        auto rows = session->Select(mysql::Query{"test.postings", sql}).value();
        while (rows.Next()) {
            const domain::Posting posting{static_cast<AccountKind>(rows.Int(0)), rows.Int(1),
                                          rows.Int(2), 0};
            EXPECT_OK(sum.Add(std::array{posting}));
        }
        return sum;
    }
    void CheckDay(BusinessDate day, bool is_final) {
        SCOPED_TRACE(day.ToString() + ", seed " + std::to_string(seed_));
        const std::string date = "'" + day.ToString() + "'";
        ASSERT_OK_AND_ASSIGN(const auto balance, balances_.Run(day));
        EXPECT_EQ(balance.opening, PostingsOf("business_date < " + date));
        EXPECT_EQ(balance.moved, PostingsOf("business_date = " + date));
        EXPECT_EQ(balance.closing, PostingsOf("business_date <= " + date));
        EXPECT_EQ(balance.closing.Total().value(), 0);
        EXPECT_EQ(balance.is_final(), is_final);
        const std::string cleared = "kind = 4 AND object_id = " + std::to_string(day.ToNumber());
        EXPECT_EQ(balance.cleared.gross, PostingsOf(cleared).Of(AccountKind::kPayoutClearing));
        EXPECT_EQ(balance.cleared.count, Number("SELECT COUNT(*) FROM posting WHERE " + cleared));
    }

    const unsigned seed_ = std::random_device{}();
    std::mt19937 random_;
    storage::MysqlBookReader books_;
    app::BalanceBooks balances_;
    const BusinessDate first_ = OpenDay();
    std::vector<domain::Payment> paid_;
    int keys_ = 0;
    std::uint32_t round_ = 0;
};

TEST_F(PaymentBooksTest, BalancesAreTheSumsOfThePostings) {
    auto& executor = Start({});
    OpenWallets(executor);
    constexpr int kDays = 4;
    for (int day = 0; day < kDays; ++day) {
        for (int part = 0; part < 3; ++part) {
            Trade(executor, 30);
            // In any order, and of days that are summed already.
            const BusinessDate asked = first_.PlusDays(Pick(day + 1));
            CheckDay(asked, asked < OpenDay());
        }
        if (Pick(2) == 0) CheckDay(OpenDay(), false);
        EndDay();
    }
    for (int day = 0; day < kDays; ++day) CheckDay(first_.PlusDays(day), true);
    EXPECT_EQ(Number("SELECT COUNT(DISTINCT business_date) FROM ledger_day"), kDays);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM ledger_day"), kDays * domain::kAccounts);
    // Removed, they are made again, and are the same.
    Run("DELETE FROM ledger_day");
    for (int day = kDays - 1; day >= 0; --day) CheckDay(first_.PlusDays(day), true);
    ExpectBooksBalance();
}

TEST_F(PaymentBooksTest, TheJournalHasEveryChangeOfTheDayOnceFromWhereverItGoesOn) {
    auto& executor = Start({});
    OpenWallets(executor);
    Trade(executor, 40);
    EndDay();
    Trade(executor, 40);
    for (const BusinessDate day : {first_, first_.Next()}) {
        const std::string date = "'" + day.ToString() + "'";
        std::map<std::pair<std::int64_t, std::uint32_t>, app::JournalPosition> all;
        TrialBalance sum;
        ASSERT_OK(books_.StreamJournal(day, {}, [&](const app::JournalLine& line) {
            EXPECT_EQ(line.change.business_date, day);
            EXPECT_TRUE(
                all.emplace(std::pair(line.change.object, line.change.version), line.position)
                    .second);
            EXPECT_OK(sum.Add(domain::PostingsOf(line.change)));
            return true;
        }));
        EXPECT_EQ(static_cast<std::int64_t>(all.size()),
                  Number("SELECT COUNT(*) FROM journal WHERE business_date = " + date));
        EXPECT_EQ(sum, PostingsOf("business_date = " + date));
        // In steps of a few, as pages are asked for.
        std::set<std::pair<std::int64_t, std::uint32_t>> in_steps;
        app::JournalPosition from;
        for (int found = 1; found > 0;) {
            found = 0;
            ASSERT_OK(books_.StreamJournal(day, from, [&](const app::JournalLine& line) {
                if (found == 7) return false;
                ++found;
                EXPECT_TRUE(in_steps.emplace(line.change.object, line.change.version).second);
                from = line.position;
                return true;
            }));
        }
        EXPECT_EQ(in_steps.size(), all.size());
    }
}

// Goal: asked again and again while payments run and days end, no answer is off by anything, and a
// day's last one is that of all its rows.
TEST_F(PaymentBooksTest, AnswersAreWholeWhilePaymentsRun) {
    auto& executor = Start({});
    OpenWallets(executor);
    std::atomic<bool> done = false;
    std::atomic<int> asked = 0;
    std::thread accountant([&] {
        std::mt19937 random(seed_);
        while (!done) {
            const BusinessDate open = OpenDay();
            const auto days = static_cast<unsigned>((open.day() - first_.day()).count()) + 1;
            const BusinessDate day = first_.PlusDays(static_cast<int>(random() % days));
            const auto balance = balances_.Run(day);
            ASSERT_OK(balance.status());
            for (const TrialBalance& one : {balance->opening, balance->moved, balance->closing}) {
                ASSERT_EQ(one.Total().value(), 0);
            }
            // What users have is what was topped up and not paid: never below zero.
            ASSERT_GE(balance->closing.Of(AccountKind::kUserMoney), 0);
            ++asked;
        }
    });
    for (int i = 0; i < 12; ++i) {
        Trade(executor, 25);
        if (i % 4 == 3) EndDay();
    }
    done = true;
    accountant.join();
    EXPECT_GT(asked, 0);
    for (int day = 0; day < 3; ++day) CheckDay(first_.PlusDays(day), true);
}

// Goal: nothing that payments lock is waited for, nor locked.
TEST_F(PaymentBooksTest, AskingWaitsForNobodyAndNobodyForIt) {
    auto& executor = Start({});
    OpenWallets(executor);
    Trade(executor, 10);
    EndDay();
    Trade(executor, 10);
    auto session = mysql::Session::Connect(schema_->admin_options()).value();
    ASSERT_OK(session->Execute(mysql::Query{"test.begin", "START TRANSACTION"}));
    for (const std::string table : {"gate", "journal", "posting", "account", "business_day"}) {
        const std::string sql = "SELECT * FROM " + table + " FOR UPDATE";
        ASSERT_OK(session->Select(mysql::Query{"test.lock", sql}).status());
    }
    CheckDay(first_, true);
    CheckDay(first_.Next(), false);
    ASSERT_OK(session->Execute(mysql::Query{"test.end", "ROLLBACK"}));
}

TEST_F(PaymentBooksTest, DamagedRowsAreNamed) {
    auto& executor = Start({});
    OpenWallets(executor);
    ASSERT_OK(ExecuteOne(executor, TopUp()));
    EndDay();
    CheckDay(first_, true);
    Run("UPDATE journal SET kind = 9");
    const auto everything = [](const app::JournalLine&) { return true; };
    EXPECT_THAT(books_.StreamJournal(first_, {}, everything),
                Refuses(Code::kDataLoss, "CHANGE_KIND_UNKNOWN"));
    EXPECT_OK(balances_.Run(first_).status());  // It was summed before.
    Run("UPDATE ledger_day SET account = 6 WHERE account = 5");
    EXPECT_THAT(balances_.Run(first_), Refuses(Code::kDataLoss, "ACCOUNT_UNKNOWN"));
    Run("DELETE FROM ledger_day");
    EXPECT_THAT(balances_.Run(first_), Refuses(Code::kDataLoss, "CHANGE_KIND_UNKNOWN"));
    EXPECT_EQ(Number("SELECT COUNT(*) FROM ledger_day"), 0);
}

}  // namespace
}  // namespace kessai::payment
