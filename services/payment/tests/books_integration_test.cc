// Goal: a day's trial balance is what its postings sum to, account by account, and opens with all
// days before it. Method: random commands through executors over a real MariaDB, over several days
// that end; reports against the posting rows themselves.

#include <map>
#include <random>
#include <set>
#include <string>

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

class BooksTest : public LedgerTest {
 protected:
    BooksTest() : books_reader_(pool_), books_(books_reader_, days_) {}

    /// By the postings of a day.
    TrialBalance ReferenceMoved(BusinessDate day) {
        TrialBalance moved;
        auto session = pool_.Acquire(std::chrono::seconds(5)).value();
        auto rows = session
                        ->Select(mysql::Query{"test.postings",
                                              "SELECT kind, amount FROM posting "
                                              "WHERE business_date = ?"},
                                 day)
                        .value();
        while (rows.Next()) {
            EXPECT_OK(moved.Add(static_cast<AccountKind>(rows.Int(0)), rows.Int(1)));
        }
        return moved;
    }

    /// A day of random trade.
    void Trade(app::BatchExecutor& executor, int day) {
        std::vector<Command> commands;
        for (int i = 1; i <= kUsers; ++i) {
            commands.push_back(domain::OpenWallet{UserId(i)});
        }
        Execute(executor, commands);
        commands.clear();
        for (int i = 1; i <= kUsers; ++i) {
            commands.push_back(domain::TopUpWallet{UserId(i), "t" + std::to_string(day),
                                                   Yen(1'000 + Random(500)), "development"});
        }
        for (int i = 0; i < 40; ++i) {
            commands.push_back(Order(std::to_string(day) + "-" + std::to_string(i),
                                     1 + static_cast<int>(Random(200))));
        }
        std::vector<Command> pays;
        for (const auto& outcome : Execute(executor, commands)) {
            if (!outcome.ok()) continue;
            const auto* made = std::get_if<domain::PaymentOutcome>(&outcome.value());
            if (made == nullptr) continue;
            payments_.push_back(made->payment);
            pays.push_back(Pay(made->payment, UserId(1 + static_cast<int>(Random(kUsers)))));
        }
        Execute(executor, pays);
        std::vector<Command> after;
        for (int i = 0; i < 15; ++i) {
            const auto& payment = payments_[Random(payments_.size())];
            after.push_back(domain::RefundPayment{
                kMerchant, "r-" + std::to_string(day) + "-" + std::to_string(i), payment.id,
                Yen(1 + static_cast<std::int64_t>(Random(50))), "", 0});
        }
        after.push_back(domain::ClearRelease{
            BusinessDate::FromNumber(20010101).value().PlusDays(day), 0, Yen(-300 + 200 * day)});
        Execute(executor, after);
    }
    std::uint64_t Random(std::uint64_t below) { return random_() % below; }

    static constexpr int kUsers = 10;
    std::mt19937_64 random_{std::random_device()()};
    std::vector<domain::Payment> payments_;
    storage::MysqlBookReader books_reader_;
    app::BalanceBooks books_;
};

TEST_F(BooksTest, EachDayOpensWithAllBeforeIt) {
    auto& executor = Start({});
    std::vector<BusinessDate> days;
    for (int i = 0; i < 3; ++i) {
        ASSERT_OK_AND_ASSIGN(const auto now, days_.Read());
        days.push_back(now.open_date);
        Trade(executor, i);
        if (i < 2) ASSERT_OK(days_.MoveGates(now.open_date));
    }
    // The latest first: it sums the others, and the second round finds what is kept.
    for (int round = 0; round < 2; ++round) {
        for (int i = 2; i >= 0; --i) {
            SCOPED_TRACE(days[static_cast<std::size_t>(i)].ToString());
            ASSERT_OK_AND_ASSIGN(const auto balance, books_.Run(days[static_cast<std::size_t>(i)]));
            TrialBalance before;
            for (int k = 0; k < i; ++k) {
                ASSERT_OK(before.Add(ReferenceMoved(days[static_cast<std::size_t>(k)])));
            }
            EXPECT_EQ(balance.opening, before);
            EXPECT_EQ(balance.moved, ReferenceMoved(days[static_cast<std::size_t>(i)]));
            ASSERT_OK(before.Add(balance.moved));
            EXPECT_EQ(balance.closing, before);
            std::int64_t total = 0;
            for (int kind = 1; kind <= domain::kAccountKinds; ++kind) {
                total += balance.closing.Of(static_cast<AccountKind>(kind));
                EXPECT_NE(balance.moved.Of(static_cast<AccountKind>(kind)), 0) << kind;
            }
            EXPECT_EQ(total, 0);
            EXPECT_EQ(balance.is_final, i < 2);
        }
        EXPECT_EQ(Number("SELECT COUNT(*) FROM ledger_day"),
                  2 * app::kDayParts * domain::kAccountKinds);
    }
    // Wallets hold what users' money closed with.
    ASSERT_OK_AND_ASSIGN(const auto last, books_.Run(days.back()));
    EXPECT_EQ(last.closing.Of(AccountKind::kUserMoney),
              Number("SELECT SUM(balance) FROM account WHERE kind = 1"));
}

// Goal: a call that ends early loses nothing, and of an open day nothing is kept.
TEST_F(BooksTest, AnEndedDayIsSummedOnceHoweverOftenItIsBegun) {
    auto& executor = Start({});
    ASSERT_OK_AND_ASSIGN(const auto now, days_.Read());
    Trade(executor, 1);
    ASSERT_OK(books_.Run(now.open_date).status());
    EXPECT_EQ(Number("SELECT COUNT(*) FROM ledger_day"), 0);
    ASSERT_OK(days_.MoveGates(now.open_date));
    int calls = 0;
    int asked = 0;
    for (bool done = false; !done; ++calls) {
        int left = 10;
        const auto balance = books_.Run(now.open_date, [&] {
            ++asked;
            return left-- > 0 ? OkStatus() : Status(Code::kCancelled, "GONE", "");
        });
        done = balance.ok();
        if (done) {
            EXPECT_EQ(balance->moved, ReferenceMoved(now.open_date));
        } else {
            EXPECT_THAT(balance, Refuses(Code::kCancelled, "GONE"));
        }
    }
    EXPECT_EQ(calls, 7);
    EXPECT_EQ(asked, app::kDayParts + 6);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM ledger_day"), app::kDayParts * domain::kAccountKinds);
}

}  // namespace
}  // namespace kessai::payment
