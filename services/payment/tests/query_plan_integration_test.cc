// Goal: every read of the service's storage runs by an index: a locking read that scans would lock
// what it passes, and any read that scans grows slower with the books.
// Method: tables of some thousand rows, lists of some hundred keys, and the server's own word on
// the very statements that the storage layer sends, taken down on their way to the server. The
// layer's sources are read for the names of its SELECTs, so that none is left out.

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <set>

#include "app/list_transactions.h"
#include "kessai/outbox/batch_writer.h"
#include "kessai/testing/temp_dir.h"
#include "storage/first_day.h"
#include "storage/mysql_book_reader.h"
#include "storage/mysql_digest_repairs.h"
#include "storage/mysql_release_ledger.h"
#include "storage/mysql_transaction_reader.h"
#include "tests/ledger_fixture.h"

namespace kessai::payment {
namespace {

using domain::Command;
using domain::UserId;

/// Keeps the last text of every SELECT by the query's name.
class RecordingObserver final : public mysql::QueryObserver {
 public:
    void OnQuery(std::string_view, Duration, const Status&) override {}
    void OnSelect(std::string_view name, std::string_view sql) override {
        const std::lock_guard lock(mutex_);
        texts_[std::string(name)] = std::string(sql);
    }
    std::map<std::string, std::string> texts() {
        const std::lock_guard lock(mutex_);
        return texts_;
    }

 private:
    std::mutex mutex_;
    std::map<std::string, std::string> texts_;
};

/// The names of the SELECTs in storage/.
std::set<std::string> SelectsOfStorage() {
    const std::regex query(
        R"(mysql::Query\s+\w+\s*\{\s*"([\w.]+)\s*"\s*,\s*(?:R"sql\(\s*|"\s*)SELECT)");
    std::set<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(KESSAI_PAYMENT_STORAGE)) {
        const std::string text = testing::ReadFile(file.path().string());
        for (std::sregex_iterator match(text.begin(), text.end(), query), end; match != end;
             ++match) {
            names.insert((*match)[1].str());
        }
    }
    return names;
}

bool Locks(const std::string& select) {
    return select.find("FOR UPDATE") != std::string::npos;
}

/// How the server has to find the rows: its words for the access and the index, and the most rows
/// that it may expect to look at.
struct Plan {
    std::string access;
    std::string index;
    std::int64_t rows_max = 0;
    /// Sums by what no index has: a small table in memory, of a row a group.
    bool groups = false;
};

constexpr int kRows = 4'000;
constexpr int kKeys = 500;
// Estimates from index dives are exact; those from statistics are not.
constexpr std::int64_t kSome = 10;

const std::map<std::string, Plan>& Plans() {
    static const std::map<std::string, Plan> plans{
        {"gate.lock", {"const", "PRIMARY", 1}},
        {"gate.read", {"const", "PRIMARY", 1}},
        {"gate.lock_first", {"const", "PRIMARY", 1}},
        // All of them, in their order.
        {"gate.lock_all", {"index", "PRIMARY", storage::kGateSlots}},
        {"gate.lock_times", {"index", "PRIMARY", storage::kGateSlots}},
        {"payment_order.lock", {"range", "PRIMARY", kKeys}},
        {"refund.lock", {"range", "PRIMARY", kKeys}},
        {"top_up.lock", {"range", "PRIMARY", kKeys}},
        {"payment.lock", {"range", "PRIMARY", kKeys}},
        {"account.lock", {"range", "PRIMARY", kKeys}},
        {"journal.find_releases", {"const", "PRIMARY", 1}},
        {"release_clearing.find", {"range", "PRIMARY", kKeys}},
        {"business_day.lock", {"const", "PRIMARY", 1}},
        {"business_day.state", {"const", "PRIMARY", 1}},
        // One row a day of the service's life, in their order.
        {"business_day.unfinished", {"index", "PRIMARY", 2 * kRows}},
        {"business_day.count", {"index", "PRIMARY", 2 * kRows}},
        {"merchant.read", {"range", "PRIMARY", kKeys}},
        {"merchant.by_ids", {"range", "PRIMARY", kKeys}},
        {"payment.by_id", {"const", "PRIMARY", 1}},
        {"payment_order.payment_id", {"const", "PRIMARY", 1}},
        {"refund.by_key", {"const", "PRIMARY", 1}},
        {"refund.of_payment", {"ref", "by_payment", kSome}},
        {"refund.newest", {"ref", "by_merchant_refund", kSome}},
        {"account.of_user", {"const", "PRIMARY", 1}},
        {"posting.history", {"range", "PRIMARY", kSome}},
        {"journal.by_key", {"const", "PRIMARY", 1}},
        {"posting.of_event", {"const", "PRIMARY", 1}},
        // The whole day is what it is asked for.
        {"journal.of_buckets", {"range", "by_day", 5 * kSome}},
        {"journal.sum_buckets", {"range", "by_day", kRows, true}},
        {"journal.cleared_of_day", {"ref", "PRIMARY", kSome}},
        // It stops after a page.
        {"journal.page_of_day", {"range", "by_day", 10 * kRows}},
        // A page of a part: the ids of the part, and of the rest of the day what the index has of
        // it.
        {"journal.transactions_by_id", {"range", "PRIMARY", 10 * kRows}},
        {"journal.transactions_of_day_by_id", {"range", "PRIMARY", 10 * kRows}},
        {"journal.transactions_by_day", {"range", "by_day", 10 * kRows}},
        {"journal.transactions_of_merchant", {"range", "by_merchant", kRows}},
        // All days that there were, in their order.
        {"business_day.ended", {"index", "PRIMARY", 2 * kRows}},
        {"business_day.before", {"range", "PRIMARY", 2 * kRows}},
        // Some rows a day of the service's life.
        {"ledger_day.through", {"range", "PRIMARY", 2 * kRows}},
    };
    return plans;
}

class QueryPlanTest : public LedgerTest {
 protected:
    QueryPlanTest()
        : recorded_({.connect = schema_->options(), .sessions_max = 4}, SystemClock(), &recorder_),
          ledger_(recorded_),
          questions_(recorded_),
          recorded_days_(recorded_, hasher_),
          books_(recorded_) {}

    /// In pieces, so that no queue and no deadline is the limit.
    std::vector<Result<domain::Outcome>> ExecuteAll(app::BatchExecutor& executor,
                                                    const std::vector<Command>& commands) {
        constexpr std::size_t kPiece = 1'000;
        std::vector<Result<domain::Outcome>> outcomes;
        for (std::size_t from = 0; from < commands.size(); from += kPiece) {
            const std::size_t to = std::min(commands.size(), from + kPiece);
            for (auto& outcome :
                 Execute(executor, {commands.data() + from, commands.data() + to})) {
                outcomes.push_back(std::move(outcome));
            }
        }
        return outcomes;
    }

    /// As a migration does.
    void BeginBooks() {
        ASSERT_OK_AND_ASSIGN(const auto now, recorded_days_.Read());
        ASSERT_OK_AND_ASSIGN(auto session, recorded_.Acquire(std::chrono::seconds(5)));
        ASSERT_OK(storage::SetFirstDay(*session, now.open_date));
    }

    /// Some thousand rows in every table, and the server's statistics of them.
    void GivenBooks() {
        auto& executor = Start({});
        // Before what needs them: executors run their batches side by side.
        std::vector<Command> wallets;
        for (int i = 1; i <= kRows; ++i) wallets.push_back(domain::OpenWallet{UserId(i)});
        for (const auto& opened : ExecuteAll(executor, wallets)) ASSERT_OK(opened);
        std::vector<Command> commands;
        for (int i = 1; i <= kRows; ++i) {
            commands.push_back(domain::TopUpWallet{UserId(i), "t", Yen(100), "development"});
            commands.push_back(Order("o-" + std::to_string(i), 10));
        }
        std::vector<Command> pays;
        for (const auto& outcome : ExecuteAll(executor, commands)) {
            ASSERT_OK(outcome);
            const auto* made = std::get_if<domain::PaymentOutcome>(&outcome.value());
            if (made == nullptr) continue;
            payments_.push_back(made->payment);
            pays.push_back(Pay(made->payment, UserId(static_cast<int>(payments_.size()))));
        }
        ASSERT_EQ(payments_.size(), std::size_t{kRows});
        for (const auto& paid : ExecuteAll(executor, pays)) ASSERT_OK(paid);
        std::vector<Command> refunds;
        for (int i = 0; i < kRows; ++i) {
            refunds.push_back(domain::RefundPayment{kMerchant, "r-" + std::to_string(i),
                                                    payments_[static_cast<std::size_t>(i)].id,
                                                    Yen(3), "", 0});
        }
        for (int i = 1; i <= kRows; ++i) {
            refunds.push_back(domain::ClearRelease{kFirstDay.PlusDays(i), 0, Yen(10)});
        }
        for (const auto& refunded : ExecuteAll(executor, refunds)) ASSERT_OK(refunded);

        Run("INSERT INTO release_clearing SELECT object_id, version, REPEAT('x', 16) FROM journal "
            "WHERE kind = 5");
        Run("INSERT INTO business_day (business_date, state, closing_at_us) "
            "SELECT STR_TO_DATE(object_id, '%Y%m%d'), 4, 0 FROM journal WHERE kind = 5");
        Run("INSERT INTO ledger_day SELECT business_date, 1, 0, 0 FROM business_day");
        Run("INSERT INTO merchant SELECT merchant_id + owner_id, name, 0, 0, 0 FROM merchant, "
            "account");
        auto session = mysql::Session::Connect(schema_->admin_options()).value();
        for (const std::string table :
             {"account", "business_day", "gate", "journal", "merchant", "payment", "payment_order",
              "ledger_day", "posting", "refund", "release_clearing", "top_up"}) {
            const std::string sql = "ANALYZE TABLE " + table;
            ASSERT_OK(session->Select(mysql::Query{"test.analyze", sql}));
        }
    }

    void ReadAsTheExecutorDoes() {
        app::OrderKeys keys;
        std::vector<domain::PaymentId> payments;
        std::vector<UserId> users;
        std::vector<domain::MerchantId> merchants;
        for (int i = 0; i < kKeys; ++i) {
            const domain::Payment& payment = payments_[static_cast<std::size_t>(i) * 7];
            const std::string number = std::to_string(i * 7);
            keys.orders.push_back({kMerchant, payment.merchant_payment_id});
            keys.refunds.push_back({kMerchant, "r-" + number, payment.id});
            keys.top_ups.push_back({UserId(1 + i * 7), "t"});
            payments.push_back(payment.id);
            users.emplace_back(1 + i * 7);
            merchants.emplace_back(kMerchant.value() + 1 + i * 7);
        }
        keys.releases.push_back({kFirstDay.PlusDays(1), 0});
        ASSERT_OK_AND_ASSIGN(const auto transaction, ledger_.Begin(0));
        domain::WorkingSet rows;
        ASSERT_OK(transaction->LoadKeys(keys, rows));
        ASSERT_OK(transaction->LoadPayments(payments, rows));
        ASSERT_OK(transaction->LoadWallets(users, rows));
        EXPECT_EQ(rows.orders.all().size(), std::size_t{kKeys});
        EXPECT_EQ(rows.refunds.all().size(), std::size_t{kKeys});
        EXPECT_EQ(rows.top_ups.all().size(), std::size_t{kKeys});
        EXPECT_EQ(rows.releases.all().size(), 1u);
        EXPECT_EQ(rows.payments.all().size(), std::size_t{kKeys});
        EXPECT_EQ(rows.wallets.all().size(), std::size_t{kKeys});
        merchants.resize(50);
        ASSERT_OK_AND_ASSIGN(const auto found, transaction->ReadMerchants(merchants));
        EXPECT_EQ(found.size(), 50u);
        EXPECT_OK(questions_.Merchants(merchants));
    }

    void AskAsCallersDo() {
        const domain::Payment& payment = payments_[1'234];
        EXPECT_OK(questions_.PaymentByOrder({kMerchant, payment.merchant_payment_id}));
        EXPECT_OK(questions_.RefundsOf(payment.id));
        EXPECT_OK(questions_.RefundByKey({kMerchant, "r-1234", payment.id}));
        EXPECT_OK(questions_.RefundByKey({kMerchant, "r-1234", {}}));
        EXPECT_OK(questions_.WalletOf(UserId(1'235)));
        EXPECT_THAT(questions_.HistoryOf(UserId(1'235), {}, 10),
                    testing::IsOkAnd(::testing::SizeIs(3)));
        ASSERT_OK_AND_ASSIGN(const auto changes, questions_.Changes({{payment.id.value(), 1}}));
        ASSERT_EQ(changes.size(), 1u);
        EXPECT_THAT(questions_.DoubtOf(changes.front()), testing::IsOkAnd(::testing::IsEmpty()));
    }

    void ReadAsTheReleaseConsumerDoes() {
        std::vector<std::int64_t> dates;
        for (int i = 1; i <= kKeys; ++i) dates.push_back(kFirstDay.PlusDays(i * 7).ToNumber());
        storage::MysqlReleaseLedger releases(ledger_, 1);
        auto session = recorded_.Acquire(std::chrono::seconds(5)).value();
        EXPECT_THAT(releases.FindCleared(*session, dates),
                    testing::IsOkAnd(::testing::SizeIs(kKeys)));
    }

    void ReadAsAccountingDoes() {
        ASSERT_OK_AND_ASSIGN(const auto now, recorded_days_.Read());
        const BusinessDate day = now.open_date;
        // A part of the day, as they are summed.
        EXPECT_THAT(books_.SumBuckets(day, 16, 31), testing::IsOkAnd(::testing::SizeIs(4)));
        EXPECT_OK(books_.ClearedOf(kFirstDay.PlusDays(7)).status());
        EXPECT_THAT(books_.DaysBefore(kFirstDay.PlusDays(kKeys)),
                    testing::IsOkAnd(::testing::SizeIs(kKeys - 1)));
        EXPECT_THAT(books_.KeptThrough(kFirstDay.PlusDays(kKeys)),
                    testing::IsOkAnd(::testing::SizeIs(kKeys)));
        int lines = 0;
        const domain::Payment& payment = payments_[1'234];
        EXPECT_OK(
            books_.StreamJournal(day, {digest::BucketOf(payment.id.value()), payment.id.value(), 1},
                                 [&](const app::JournalLine&) { return ++lines < 10; }));
        EXPECT_EQ(lines, 10);
    }

    /// A day that has ended: what merchants' files are made from.
    void ReadAsFilesDo(BusinessDate day) {
        storage::MysqlTransactionReader transactions(recorded_);
        app::ListTransactions list(transactions, recorded_days_);
        int rows = 0;
        EXPECT_OK(list.Run({.business_date = day, .part = 0, .parts = 1},
                           [&](const app::TransactionRow&) { return ++rows > 0; }));
        EXPECT_GT(rows, 0);
        ASSERT_OK_AND_ASSIGN(const auto now, recorded_days_.Read());
        EXPECT_OK(list.Run({.from = now.time - std::chrono::hours(24), .to = now.time},
                           [](const app::TransactionRow&) { return true; }));
        int of_merchant = 0;
        EXPECT_OK(list.Run({.business_date = day, .merchant = kMerchant, .part = 0, .parts = 1},
                           [&](const app::TransactionRow&) { return ++of_merchant > 0; }));
        EXPECT_GT(of_merchant, 0);
        EXPECT_OK(transactions.EndedDays());
    }

    void CloseAndReadADay() {
        ASSERT_OK_AND_ASSIGN(const auto now, recorded_days_.Read());
        const BusinessDate day = now.open_date;
        const int bucket = digest::BucketOf(payments_[1'234].id.value());
        EXPECT_OK(recorded_days_.Digests(day, true, {.first = bucket, .count = 1}));
        EXPECT_OK(recorded_days_.Rows(day, bucket));
        ASSERT_OK(recorded_days_.MoveGates(day));
        EXPECT_OK(recorded_days_.Find(day));
        EXPECT_OK(recorded_days_.Unfinished());
        EXPECT_OK(recorded_days_.StoreMarks(day, "mark", 1, ids_.Current()->Next()));
        EXPECT_OK(recorded_days_.FinishIfMarksSent(day));
        ReadAsFilesDo(day);
        storage::MysqlDigestRepairs repairs(recorded_, hasher_, SystemClock());
        EXPECT_OK(repairs.Recompute(day, bucket, ""));
    }

    void ExpectPlan(const std::string& name, const std::string& sql, const Plan& plan) {
        SCOPED_TRACE(name + ": " + sql.substr(0, 400));
        auto session = pool_.Acquire(std::chrono::seconds(5)).value();
        const std::string explain = "EXPLAIN " + sql;
        auto rows = session->Select(mysql::Query{"test.explain", explain}).value();
        ASSERT_TRUE(rows.Next());
        EXPECT_EQ(rows.Text(1), "SIMPLE");
        EXPECT_EQ(rows.OptionalText(3).value_or("NULL"), plan.access);
        EXPECT_EQ(rows.OptionalText(5).value_or("NULL"), plan.index);
        EXPECT_LE(std::stoll(rows.OptionalText(8).value_or("0")), plan.rows_max);
        const std::string extra = rows.OptionalText(9).value_or("");
        EXPECT_EQ(extra.find("filesort"), std::string::npos) << extra;
        EXPECT_EQ(extra.find("temporary") != std::string::npos, plan.groups) << extra;
        EXPECT_FALSE(rows.Next()) << "one step only";
        if (Locks(sql)) {
            EXPECT_EQ(plan.index, "PRIMARY") << "a locking read";
        }
    }

    // Dates of the past, one a release.
    const BusinessDate kFirstDay = BusinessDate::FromNumber(20010101).value();

    RecordingObserver recorder_;
    mysql::Pool recorded_;
    storage::MysqlLedgerStore ledger_;
    storage::MysqlPaymentReader questions_;
    storage::MysqlDayStore recorded_days_;
    storage::MysqlBookReader books_;
    std::vector<domain::Payment> payments_;
};

TEST_F(QueryPlanTest, EveryReadUsesItsIndex) {
    ASSERT_NO_FATAL_FAILURE(BeginBooks());
    ASSERT_NO_FATAL_FAILURE(GivenBooks());
    ASSERT_NO_FATAL_FAILURE(ReadAsTheExecutorDoes());
    ASSERT_NO_FATAL_FAILURE(AskAsCallersDo());
    ASSERT_NO_FATAL_FAILURE(ReadAsTheReleaseConsumerDoes());
    ASSERT_NO_FATAL_FAILURE(ReadAsAccountingDoes());
    ASSERT_NO_FATAL_FAILURE(CloseAndReadADay());

    const auto sent = recorder_.texts();
    const auto selects = SelectsOfStorage();
    EXPECT_EQ(selects.size(), Plans().size());
    int locking = 0;
    for (const std::string& name : selects) {
        SCOPED_TRACE(name);
        ASSERT_TRUE(sent.contains(name)) << "this test does not make the storage send it";
        ASSERT_TRUE(Plans().contains(name)) << "this test does not say how it has to run";
        ExpectPlan(name, sent.at(name), Plans().at(name));
        if (Locks(sent.at(name))) ++locking;
    }
    EXPECT_EQ(locking, 11);
}

}  // namespace
}  // namespace kessai::payment
