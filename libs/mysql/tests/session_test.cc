#include "kessai/mysql/session.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "kessai/mysql/error.h"
#include "kessai/mysql/transaction.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/mysql_server.h"

namespace kessai::mysql {
namespace {

using testing::IsOk;
using testing::MysqlServer;
using testing::Refuses;

class RecordingObserver final : public QueryObserver {
 public:
    void OnQuery(std::string_view name, Duration duration, const Status& outcome) override {
        EXPECT_GE(duration, Duration::zero());
        calls.emplace_back(name, outcome.code());
    }
    void OnSelect(std::string_view name, std::string_view sql) override {
        selects.emplace_back(name, sql);
    }
    std::vector<std::pair<std::string, Code>> calls;
    std::vector<std::pair<std::string, std::string>> selects;
};

class SessionTest : public ::testing::Test {
 protected:
    SessionTest() : schema_(MysqlServer::Shared().CreateSchema()) {
        session_ = Connect();
        Run("CREATE TABLE item (id BIGINT PRIMARY KEY, name VARCHAR(64) NOT NULL, "
            "amount BIGINT NULL, UNIQUE KEY (name), CHECK (amount >= 0))");
    }

    std::unique_ptr<Session> Connect(QueryObserver* observer = nullptr) {
        auto session = Session::Connect(schema_->options(), SystemClock(), observer);
        EXPECT_THAT(session, IsOk());
        return std::move(session).value();
    }
    void Run(std::string_view sql) { ASSERT_OK(session_->Execute(Query{"test.run", sql})); }
    std::string One(std::string_view sql) {
        auto rows = session_->Select(Query{"test.one", sql});
        EXPECT_THAT(rows, IsOk());
        EXPECT_TRUE(rows->Next());
        return rows->OptionalText(0).value_or("NULL");
    }

    std::unique_ptr<testing::MysqlSchema> schema_;
    std::unique_ptr<Session> session_;
};

constexpr Query kInsert{"item.insert", "INSERT INTO item (id, name, amount) VALUES {rows}"};
constexpr Query kFind{"item.find",
                      "SELECT id, name, amount FROM item WHERE id IN ({keys}) "
                      "ORDER BY id"};
constexpr Query kSetAmount{"item.set_amount", "UPDATE item SET amount = ? WHERE id = ?"};
constexpr Query kCount{"item.count", "SELECT COUNT(*) FROM item"};

// Goal: rows come back as they were stored, many at a time.
TEST_F(SessionTest, RowsComeBackAsTheyWereStored) {
    RowList rows;
    for (int i = 0; i < 500; ++i) {
        rows.Add(i, "item " + std::to_string(i), i % 3 == 0 ? std::nullopt : std::optional(i * 7));
    }
    ASSERT_OK_AND_ASSIGN(const std::uint64_t inserted, session_->Execute(kInsert, rows));
    EXPECT_EQ(inserted, 500u);

    const KeyList keys(std::vector<int>{3, 4, 499, 9999});
    ASSERT_OK_AND_ASSIGN(auto found, session_->Select(kFind, keys));
    EXPECT_EQ(found.size(), 3u);
    ASSERT_TRUE(found.Next());
    EXPECT_EQ(found.Int(0), 3);
    EXPECT_EQ(found.Text(1), "item 3");
    EXPECT_TRUE(found.IsNull(2));
    EXPECT_EQ(found.OptionalInt(2), std::nullopt);
    ASSERT_TRUE(found.Next());
    EXPECT_EQ(found.Int(2), 28);
    EXPECT_EQ(found.Uint(2), 28u);
    EXPECT_EQ(found.OptionalInt(2), 28);
    ASSERT_TRUE(found.Next());
    EXPECT_FALSE(found.Next());
    EXPECT_FALSE(found.Next());
}

// Goal: no value of any kind can be anything but data.
// Method: every single byte, pairs around quotes and backslashes, and random strings go through
// the server and come back; binary data with every byte likewise.
TEST_F(SessionTest, EveryByteValueGoesThroughTheServerUnchanged) {
    Run("CREATE TABLE echo (id INT PRIMARY KEY, text MEDIUMTEXT NOT NULL, bytes MEDIUMBLOB NOT "
        "NULL)");
    std::vector<std::pair<std::string, std::string>> cases;
    for (int byte = 0; byte < 256; ++byte) {
        const std::string one(1, static_cast<char>(byte));
        const bool ascii = byte < 0x80;
        cases.emplace_back(ascii ? one : "あ", one);
        cases.emplace_back(ascii ? "'" + one + "\\" : "'\\", "'" + one + "\\");
        cases.emplace_back(ascii ? "\\" + one + "'" : "\\'", "\\" + one + "'");
        cases.emplace_back("🍵" + (ascii ? one : "é"), "\xe3" + one + "' OR 1=1 -- ");
    }
    std::mt19937 random(20260101);
    for (int i = 0; i < 200; ++i) {
        std::string bytes;
        std::string text;
        const auto length = random() % 300;
        for (unsigned j = 0; j < length; ++j) {
            bytes.push_back(static_cast<char>(random() % 256));
            static const char* const kPieces[] = {"'", "\\", "あ", "🍵",  "\"",
                                                  "`", "?",  ";",  "\n", "0"};
            text += kPieces[random() % std::size(kPieces)];
        }
        cases.emplace_back(text, bytes);
    }
    RowList rows;
    for (std::size_t i = 0; i < cases.size(); ++i) {
        rows.Add(i, cases[i].first, Bytes{cases[i].second});
    }
    ASSERT_OK(session_->Execute(Query{"echo.insert", "INSERT INTO echo VALUES {rows}"}, rows));
    ASSERT_OK_AND_ASSIGN(auto found,
                         session_->Select(Query{"echo.all", "SELECT * FROM echo ORDER BY id"}));
    ASSERT_EQ(found.size(), cases.size());
    for (const auto& [text, bytes] : cases) {
        ASSERT_TRUE(found.Next());
        EXPECT_EQ(found.Text(1), text);
        EXPECT_EQ(found.Bytes(2), bytes);
    }
    // And as a scalar in a condition.
    for (const auto& [text, bytes] : cases) {
        ASSERT_OK_AND_ASSIGN(
            auto match, session_->Select(Query{"echo.match", "SELECT ? = ?, HEX(?)"}, text, text,
                                         Bytes{bytes}));
        ASSERT_TRUE(match.Next());
        EXPECT_EQ(match.Int(0), 1);
        EXPECT_EQ(match.Text(2 - 1).size(), 2 * bytes.size());
    }
}

TEST_F(SessionTest, ExtremeNumbersAndDatesComeBack) {
    Run("CREATE TABLE extreme (i BIGINT, u BIGINT UNSIGNED, d DATE, t BIGINT, b BOOLEAN)");
    const auto min = std::numeric_limits<std::int64_t>::min();
    const auto max = std::numeric_limits<std::int64_t>::max();
    const auto umax = std::numeric_limits<std::uint64_t>::max();
    const auto date = BusinessDate::Parse("2028-02-29").value();
    const Instant now = FromMicros(1'767'225'600'123'456);
    RowList rows;
    rows.Add(min, umax, date, now, true);
    rows.Add(max, 0u, date.Next(), now, false);
    ASSERT_OK(
        session_->Execute(Query{"extreme.insert", "INSERT INTO extreme VALUES {rows}"}, rows));
    ASSERT_OK_AND_ASSIGN(auto found,
                         session_->Select(Query{"extreme.all", "SELECT * FROM extreme"}));
    ASSERT_TRUE(found.Next());
    EXPECT_EQ(found.Int(0), min);
    EXPECT_EQ(found.Uint(1), umax);
    EXPECT_EQ(found.Date(2), date);
    EXPECT_EQ(found.At(3), now);
    EXPECT_TRUE(found.Bool(4));
    ASSERT_TRUE(found.Next());
    EXPECT_EQ(found.Int(0), max);
    EXPECT_EQ(found.Uint(1), 0u);
    EXPECT_EQ(found.Date(2).ToString(), "2028-03-01");
    EXPECT_FALSE(found.Bool(4));
}

// Goal: SUM, which MySQL gives as a DECIMAL, is read as a number; NULL of an empty SUM is seen.
TEST_F(SessionTest, SumsAreNumbers) {
    ASSERT_OK_AND_ASSIGN(auto empty, session_->Select(Query{"q", "SELECT SUM(amount) FROM item"}));
    ASSERT_TRUE(empty.Next());
    EXPECT_TRUE(empty.IsNull(0));
    Run("INSERT INTO item VALUES (1,'a',9000000000000000000), (2,'b',223372036854775807)");
    EXPECT_EQ(One("SELECT SUM(amount) FROM item"), "9223372036854775807");
    ASSERT_OK_AND_ASSIGN(auto sum, session_->Select(Query{"q", "SELECT SUM(amount) FROM item"}));
    ASSERT_TRUE(sum.Next());
    EXPECT_EQ(sum.Int(0), std::numeric_limits<std::int64_t>::max());
}

// Goal: damaged rows that sum to more than 64 bits are an error by name for whoever asks, in both
// directions, buffered and streamed, and do not stop the process; the session works on.
TEST_F(SessionTest, SumsBeyond64BitsAreDataLoss) {
    Run("CREATE TABLE part (id BIGINT PRIMARY KEY, of CHAR(1) NOT NULL, amount BIGINT NOT NULL)");
    Run("INSERT INTO part VALUES (1,'a',9223372036854775807), (2,'a',1), (3,'b',4), "
        "(4,'c',-9223372036854775808), (5,'c',-1)");
    constexpr Query kSums{"part.sums", R"sql(
        SELECT of, SUM(amount) FROM part GROUP BY of ORDER BY of)sql"};
    const auto data_loss = Refuses(Code::kDataLoss, reason::kSumOutOfRange);
    EXPECT_THAT(session_->Select(kSums), data_loss);
    constexpr Query kSum{"part.sum", "SELECT SUM(amount) FROM part WHERE of = ?"};
    EXPECT_THAT(session_->Select(kSum, "a"), data_loss);
    EXPECT_THAT(session_->Select(kSum, "c"), data_loss);
    {
        ASSERT_OK_AND_ASSIGN(auto streamed, session_->SelectStreamed(kSums));
        EXPECT_FALSE(streamed.Next());
        EXPECT_THAT(streamed.status(), data_loss);
    }
    // Who wants them all the same selects them as texts.
    ASSERT_OK_AND_ASSIGN(auto texts, session_->Select(Query{"part.text_sums", R"sql(
        SELECT of, CAST(SUM(amount) AS CHAR) FROM part
        GROUP BY of ORDER BY of)sql"}));
    ASSERT_TRUE(texts.Next());
    EXPECT_EQ(texts.Text(1), "9223372036854775808");

    Run("DELETE FROM part WHERE id IN (2, 5)");
    ASSERT_OK_AND_ASSIGN(auto rows, session_->Select(kSums));
    std::vector<std::int64_t> sums;
    while (rows.Next()) sums.push_back(rows.Int(1));
    EXPECT_EQ(sums, (std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::max(), 4,
                                               std::numeric_limits<std::int64_t>::min()}));
}

using SessionDeathTest = SessionTest;

// Goal: a reader that does not fit its query stops instead of calculating with a wrong number.
TEST_F(SessionDeathTest, MisreadColumnsStopTheProcess) {
    ASSERT_OK_AND_ASSIGN(auto rows, session_->Select(Query{"misread.query", R"sql(
        SELECT NULL, 'text', DATE '2026-01-01', -1, 18446744073709551615, 1.5e0)sql"}));
    EXPECT_DEATH((void)rows.Int(0), "query misread.query, column 0: read without a row");
    ASSERT_TRUE(rows.Next());
    EXPECT_DEATH((void)rows.Int(0), "column 0: is");
    EXPECT_DEATH((void)rows.Text(0), "column 0: is NULL");
    EXPECT_DEATH((void)rows.Int(1), "column 1: is not a number");
    EXPECT_DEATH((void)rows.Int(2), "column 2: is not a number");
    EXPECT_DEATH((void)rows.Uint(3), "column 3: is negative");
    EXPECT_DEATH((void)rows.Int(4), "column 4: does not fit");
    EXPECT_DEATH((void)rows.Int(5), "column 5: is not a number");
    EXPECT_DEATH((void)rows.Date(1), "column 1: is not a date");
    EXPECT_DEATH((void)rows.Int(6), "column 6: does not exist");
    EXPECT_DEATH((void)rows.Int(-1), "does not exist");
}

// Goal: every session has the settings that the money rules rely on, whatever the server's are.
TEST_F(SessionTest, SessionsHaveTheSameSettings) {
    EXPECT_EQ(One("SELECT @@tx_isolation"), "READ-COMMITTED");
    EXPECT_EQ(One("SELECT @@time_zone"), "+00:00");
    EXPECT_EQ(One("SELECT @@character_set_client"), "utf8mb4");
    EXPECT_EQ(One("SELECT @@character_set_connection"), "utf8mb4");
    EXPECT_EQ(One("SELECT @@character_set_results"), "utf8mb4");
    EXPECT_EQ(One("SELECT @@innodb_lock_wait_timeout"), "3");
    EXPECT_EQ(One("SELECT @@wait_timeout"), "60");
    EXPECT_EQ(One("SELECT @@autocommit"), "1");
    const std::string mode = One("SELECT @@sql_mode");
    EXPECT_NE(mode.find("STRICT_ALL_TABLES"), std::string::npos);
    EXPECT_EQ(mode.find("NO_BACKSLASH_ESCAPES"), std::string::npos);
    EXPECT_EQ(One("SELECT @@in_predicate_conversion_threshold"), "0");
    EXPECT_EQ(One("SELECT @@eq_range_index_dive_limit"), "1");
}

TEST_F(SessionTest, WhatDoesNotFitAColumnIsRefused) {
    RowList rows;
    rows.Add(1, std::string(65, 'x'), 1);
    EXPECT_THAT(session_->Execute(kInsert, rows), Refuses(Code::kInternal, reason::kSqlError));
    rows.Clear();
    rows.Add(1, "x", -1);
    EXPECT_THAT(session_->Execute(kInsert, rows),
                Refuses(Code::kInternal, reason::kConstraintViolated));
    rows.Clear();
    rows.Add(1, std::nullopt, 1);
    EXPECT_THAT(session_->Execute(kInsert, rows),
                Refuses(Code::kInternal, reason::kConstraintViolated));
    EXPECT_TRUE(session_->usable());
}

TEST_F(SessionTest, ADuplicateKeyIsNamed) {
    RowList rows;
    rows.Add(1, "x", 1);
    ASSERT_OK(session_->Execute(kInsert, rows));
    const auto again = session_->Execute(kInsert, rows);
    EXPECT_THAT(again, Refuses(Code::kAlreadyExists, reason::kDuplicateKey));
    EXPECT_THAT(std::string(again.status().message()), ::testing::HasSubstr("item.insert"));
}

// Goal: a compare-and-set that finds its row counts as done though the values were the same.
TEST_F(SessionTest, AffectedRowsAreTheRowsMatched) {
    Run("INSERT INTO item VALUES (1,'a',5)");
    EXPECT_EQ(*session_->Execute(kSetAmount, 5, 1), 1u);
    EXPECT_EQ(*session_->Execute(kSetAmount, 5, 2), 0u);
}

// Goal: statements go out in one round trip, and the connection stays in step after each.
TEST_F(SessionTest, ABatchRunsInOrderAndKeepsTheConnectionInStep) {
    for (int round = 0; round < 20; ++round) {
        StatementBatch batch("item.batch");
        for (int i = 0; i < 10; ++i) {
            RowList rows;
            rows.Add(round * 10 + i, "n" + std::to_string(round * 10 + i), i);
            ASSERT_OK(batch.Add(kInsert, rows));
        }
        ASSERT_OK(batch.Add(Query{"item.touch", "UPDATE item SET amount = amount + ? -- done"}, 1));
        ASSERT_OK(batch.Add(kCount));
        EXPECT_EQ(batch.size(), 12u);
        ASSERT_OK(session_->ExecuteMany(batch));
        EXPECT_EQ(One("SELECT COUNT(*) FROM item"), std::to_string((round + 1) * 10));
    }
    EXPECT_EQ(One("SELECT amount FROM item WHERE id = 0"), "20");
}

// Goal: a batch ends at the statement that fails, names it, and the session goes on.
TEST_F(SessionTest, ABatchEndsAtTheStatementThatFails) {
    ASSERT_OK_AND_ASSIGN(auto transaction, Transaction::Begin(*session_));
    StatementBatch batch("item.batch");
    RowList rows;
    rows.Add(1, "a", 1);
    ASSERT_OK(batch.Add(kInsert, rows));
    ASSERT_OK(batch.Add(Query{"item.insert_again", "INSERT INTO item VALUES {rows}"}, rows));
    ASSERT_OK(batch.Add(kSetAmount, 9, 1));
    const Status failed = session_->ExecuteMany(batch);
    EXPECT_THAT(failed, Refuses(Code::kAlreadyExists, reason::kDuplicateKey));
    EXPECT_THAT(std::string(failed.message()), ::testing::HasSubstr("item.insert_again"));
    EXPECT_TRUE(session_->usable());
    // The first was done, the third was not.
    EXPECT_EQ(One("SELECT amount FROM item"), "1");
    transaction.Rollback();
    EXPECT_EQ(One("SELECT COUNT(*) FROM item"), "0");
}

TEST_F(SessionTest, ABatchIsCommittedInTheSameRoundTrip) {
    StatementBatch batch("item.batch");
    RowList rows;
    rows.Add(1, "a", 1);
    ASSERT_OK(batch.Add(kInsert, rows));
    ASSERT_OK(batch.Add(kSetAmount, 7, 1));
    RecordingObserver observer;
    auto session = Connect(&observer);
    observer.calls.clear();
    for (int round = 0; round < 2; ++round) {
        ASSERT_OK_AND_ASSIGN(auto transaction, Transaction::Begin(*session));
        if (round == 1) {
            ASSERT_OK(session->Execute(Query{"item.delete", "DELETE FROM item"}));
        }
        ASSERT_OK(transaction.CommitWith(batch));
    }
    EXPECT_EQ(One("SELECT amount FROM item"), "7");
    // Only the first transaction of a session pays for turning autocommit off.
    const std::vector<std::pair<std::string, Code>> expected = {
        {"transaction.begin", Code::kOk},
        {"item.batch", Code::kOk},
        {"item.delete", Code::kOk},
        {"item.batch", Code::kOk},
    };
    EXPECT_EQ(observer.calls, expected);

    // A statement that fails prevents the commit.
    ASSERT_OK_AND_ASSIGN(auto transaction, Transaction::Begin(*session));
    ASSERT_OK(session->Execute(kSetAmount, 8, 1));
    EXPECT_THAT(transaction.CommitWith(batch),
                Refuses(Code::kAlreadyExists, reason::kDuplicateKey));
    EXPECT_FALSE(session->in_transaction());
    EXPECT_EQ(One("SELECT amount FROM item"), "7");
}

// Goal: changing between transactions and single statements costs no round trip when a SELECT does
// it, and neither mode leaks into the other.
TEST_F(SessionTest, ASelectTakesTheChangeOfAutocommitAlong) {
    RecordingObserver observer;
    auto session = Connect(&observer);
    observer.calls.clear();
    constexpr Query kMode{"mode", "SELECT @@autocommit, (SELECT COUNT(*) FROM item)"};
    for (int round = 0; round < 3; ++round) {
        {
            ASSERT_OK_AND_ASSIGN(auto transaction, Transaction::Begin(*session));
            ASSERT_OK_AND_ASSIGN(auto rows, session->Select(kMode));
            ASSERT_TRUE(rows.Next());
            EXPECT_EQ(rows.Int(0), 0);
            ASSERT_OK(session->Execute(Query{"insert", "INSERT INTO item VALUES (1, 'a', 1)"}));
        }
        ASSERT_OK_AND_ASSIGN(auto rows, session->SelectStreamed(kMode));
        ASSERT_TRUE(rows.Next());
        EXPECT_EQ(rows.Int(0), 1);
        EXPECT_EQ(rows.Int(1), 0);
        EXPECT_FALSE(rows.Next());
    }
    std::map<std::string, int> counts;
    for (const auto& [name, code] : observer.calls) ++counts[name];
    EXPECT_EQ(counts["transaction.begin"], 0);
    EXPECT_EQ(counts["transaction.rollback"], 3);
    // The observer is shown the SELECT, not what it takes along.
    EXPECT_THAT(observer.selects, ::testing::SizeIs(6));
    EXPECT_THAT(observer.selects, ::testing::Each(::testing::Pair("mode", kMode.sql)));

    // A SELECT that fails has changed the mode nevertheless.
    ASSERT_OK_AND_ASSIGN(auto transaction, Transaction::Begin(*session));
    EXPECT_THAT(session->Select(Query{"q", "SELECT nothing FROM nowhere"}),
                Refuses(Code::kInternal, reason::kSqlError));
    ASSERT_OK_AND_ASSIGN(auto rows, session->Select(kMode));
    ASSERT_TRUE(rows.Next());
    EXPECT_EQ(rows.Int(0), 0);
}

TEST_F(SessionTest, ASelectWithoutRowsIsAProgrammingError) {
    EXPECT_THAT(session_->Select(Query{"q", "DO 1"}),
                Refuses(Code::kInternal, reason::kQueryMalformed));
    EXPECT_EQ(One("SELECT 1"), "1");
}

// Goal: rows too many for memory are read one by one, and leaving early keeps the session usable.
TEST_F(SessionTest, StreamedRowsAreReadAsTheyCome) {
    RowList rows;
    for (int i = 0; i < 20'000; ++i) rows.Add(i, "n" + std::to_string(i), i);
    ASSERT_OK(session_->Execute(kInsert, rows));
    constexpr Query kAll{"item.all", "SELECT id, name FROM item ORDER BY id"};
    {
        ASSERT_OK_AND_ASSIGN(auto all, session_->SelectStreamed(kAll));
        std::int64_t next = 0;
        while (all.Next()) {
            ASSERT_EQ(all.Int(0), next);
            ASSERT_EQ(all.Text(1), "n" + std::to_string(next));
            ++next;
        }
        EXPECT_EQ(next, 20'000);
        EXPECT_OK(all.status());
        // At its end the session is free though the rows still stand here.
        EXPECT_EQ(One("SELECT 1"), "1");
    }
    {
        ASSERT_OK_AND_ASSIGN(auto all, session_->SelectStreamed(kAll));
        ASSERT_TRUE(all.Next());
    }
    EXPECT_EQ(One("SELECT COUNT(*) FROM item"), "20000");
}

TEST_F(SessionTest, BufferedRowsOutliveTheirSession) {
    auto session = Connect();
    auto rows = session->Select(Query{"q", "SELECT 'still here', 7"});
    ASSERT_OK(rows);
    session.reset();
    ASSERT_TRUE(rows->Next());
    EXPECT_EQ(rows->Text(0), "still here");
    EXPECT_EQ(rows->Int(1), 7);
}

// Goal: a statement beyond the bound is refused before it is sent, and the session goes on.
TEST_F(SessionTest, OversizedStatementsAreNotSent) {
    auto options = schema_->options();
    options.max_statement_bytes = 1000;
    ASSERT_OK_AND_ASSIGN(auto session, Session::Connect(options));
    const std::string large(1000, 'x');
    EXPECT_THAT(session->Select(Query{"q", "SELECT ?"}, large),
                Refuses(Code::kInvalidArgument, reason::kStatementTooLarge));
    StatementBatch batch("b");
    ASSERT_OK(batch.Add(Query{"q", "DO LENGTH(?)"}, large));
    EXPECT_THAT(session->ExecuteMany(batch),
                Refuses(Code::kInvalidArgument, reason::kStatementTooLarge));
    EXPECT_OK(session->Select(Query{"q", "SELECT 1"}));

    // The server's own bound counts too, though the option is above it.
    options.max_statement_bytes = std::size_t{1} << 30;
    ASSERT_OK_AND_ASSIGN(session, Session::Connect(options));
    ASSERT_OK_AND_ASSIGN(auto rows, session->Select(Query{"q", "SELECT @@max_allowed_packet"}));
    ASSERT_TRUE(rows.Next());
    const auto allowed = static_cast<std::size_t>(rows.Int(0));
    EXPECT_THAT(session->Select(Query{"q", "SELECT LENGTH(?)"}, std::string(allowed, 'x')),
                Refuses(Code::kInvalidArgument, reason::kStatementTooLarge));
    ASSERT_OK_AND_ASSIGN(
        rows, session->Select(Query{"q", "SELECT LENGTH(?)"}, std::string(allowed - 200, 'x')));
    ASSERT_TRUE(rows.Next());
    EXPECT_EQ(rows.Int(0), static_cast<std::int64_t>(allowed) - 200);
}

TEST_F(SessionTest, EachStatementIsObservedByItsName) {
    RecordingObserver observer;
    auto session = Connect(&observer);
    (void)session->Select(kCount);
    (void)session->Execute(Query{"item.broken", "UPDATE nowhere SET x = 1"});
    ASSERT_OK(session->Ping());
    const std::vector<std::pair<std::string, Code>> expected = {
        {"session.connect", Code::kOk},
        {"item.count", Code::kOk},
        {"item.broken", Code::kInternal},
        {"session.ping", Code::kOk},
    };
    EXPECT_EQ(observer.calls, expected);
}

TEST_F(SessionTest, TheDatabaseTellsTheTime) {
    ASSERT_OK_AND_ASSIGN(const Instant first, session_->DatabaseNow());
    ASSERT_OK_AND_ASSIGN(const Instant second, session_->DatabaseNow());
    EXPECT_LE(first, second);
    EXPECT_LT(std::chrono::abs(SystemClock().Now() - first), std::chrono::hours(1));
}

TEST_F(SessionTest, AWrongPasswordIsRefused) {
    auto options = schema_->options();
    options.password += "x";
    EXPECT_THAT(Session::Connect(options), Refuses(Code::kUnavailable, reason::kLoginRefused));
}

TEST_F(SessionTest, NobodyThereIsUnavailable) {
    auto options = schema_->options();
    options.host = "127.0.0.1";
    options.port = 1;
    EXPECT_THAT(Session::Connect(options), Refuses(Code::kUnavailable, reason::kConnectionLost));
    options.host = "no-such-host.invalid";
    EXPECT_THAT(Session::Connect(options), Refuses(Code::kUnavailable, reason::kConnectionLost));
}

}  // namespace
}  // namespace kessai::mysql
