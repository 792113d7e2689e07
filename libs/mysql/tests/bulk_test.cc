#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/mysql/error.h"
#include "kessai/mysql/session.h"
#include "kessai/mysql/transaction.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/mysql_server.h"

namespace kessai::mysql {
namespace {

using testing::IsOk;
using testing::MysqlServer;
using testing::Refuses;

constexpr BulkTarget kItems{"item.store", "item", "id, name, hash, day, amount"};

/// Both forms must do the same: a file, and the statement for servers that take none.
class BulkTest : public ::testing::TestWithParam<bool> {
 protected:
    BulkTest() : schema_(MysqlServer::Shared().CreateSchema()) {
        ConnectOptions options = schema_->options();
        options.bulk_load = GetParam();
        session_ = Session::Connect(options).value();
        Run("CREATE TABLE item (id BIGINT PRIMARY KEY, name VARCHAR(64) NOT NULL, "
            "hash BINARY(6) NOT NULL, day DATE NULL, amount SMALLINT NOT NULL)");
    }

    void Run(std::string_view sql) { ASSERT_OK(session_->Execute(Query{"test.run", sql})); }
    std::string One(std::string_view sql) {
        auto rows = session_->Select(Query{"test.one", sql});
        EXPECT_THAT(rows, IsOk());
        EXPECT_TRUE(rows->Next());
        return rows->OptionalText(0).value_or("NULL");
    }
    BulkRows Rows(std::int64_t first, std::int64_t last, std::int64_t amount = 5) {
        BulkRows rows = session_->NewBulkRows();
        for (std::int64_t id = first; id <= last; ++id) {
            rows.Add(id, "n", Bytes{"123456"}, BusinessDate::FromNumber(20261122).value(), amount);
        }
        return rows;
    }
    Status Store(const BulkTarget& target, const BulkRows& rows) {
        auto transaction = Transaction::Begin(*session_);
        KESSAI_RETURN_IF_ERROR(transaction.status());
        KESSAI_RETURN_IF_ERROR(session_->StoreBulk(target, rows));
        return transaction->Commit();
    }

    std::unique_ptr<testing::MysqlSchema> schema_;
    std::unique_ptr<Session> session_;
};

INSTANTIATE_TEST_SUITE_P(Forms, BulkTest, ::testing::Bool(),
                         [](const auto& form) { return form.param ? "File" : "Statement"; });

// Goal: the parameter means what it says, so that both forms are tested.
TEST_P(BulkTest, FormIsTheAskedOne) {
    EXPECT_EQ(session_->NewBulkRows().form(),
              GetParam() ? BulkRows::Form::kFile : BulkRows::Form::kStatement);
}

// Goal: whatever a value holds, it comes back.
// Method: texts and bytes with everything that could end a field or a line, NULL, extreme numbers.
TEST_P(BulkTest, ValuesComeBack) {
    const std::string text = "t\tn\nr\r\\ \\N 'q' \"d\" 決済";
    const std::string bytes("\0\t\n\\\xff'", 6);
    BulkRows rows = session_->NewBulkRows();
    rows.Add(std::numeric_limits<std::int64_t>::min(), text, Bytes{bytes}, std::nullopt, -32'768);
    rows.Add(std::numeric_limits<std::int64_t>::max(), "", Bytes{"\\N\\N\\N"},
             BusinessDate::FromNumber(20260101).value(), 32'767);
    ASSERT_THAT(Store(kItems, rows), IsOk());

    auto read = session_->Select(
        Query{"test.read", "SELECT id, name, hash, day, amount FROM item ORDER BY id"});
    ASSERT_THAT(read, IsOk());
    ASSERT_TRUE(read->Next());
    EXPECT_EQ(read->Int(0), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(read->Text(1), text);
    EXPECT_EQ(read->Bytes(2), bytes);
    EXPECT_TRUE(read->IsNull(3));
    EXPECT_EQ(read->Int(4), -32'768);
    ASSERT_TRUE(read->Next());
    EXPECT_EQ(read->Int(0), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(read->Text(1), "");
    EXPECT_EQ(read->Bytes(2), "\\N\\N\\N");
    EXPECT_EQ(read->Date(3), BusinessDate::FromNumber(20260101).value());
    EXPECT_FALSE(read->Next());
}

// Goal: what all rows have in common is in each of them, and nothing else changes.
// Method: a date, bytes and a text, in two lists one after the other; a text that is not UTF-8.
TEST_P(BulkTest, CommonValuesAreInEveryRow) {
    constexpr BulkTarget kIds{"item.store", "item", "id, amount"};
    const std::string text = "t\tn\n\\ 'q' 決済";
    BulkRows rows = session_->NewBulkRows();
    rows.SetCommon("name", text);
    rows.SetCommon("hash", Bytes{"123456"});
    rows.SetCommon("day", BusinessDate::FromNumber(20260101).value());
    for (std::int64_t list = 0; list < 2; ++list) {
        for (std::int64_t id = 0; id < 3; ++id) rows.Add(list * 3 + id, id);
        ASSERT_THAT(Store(kIds, rows), IsOk());
        rows.Clear();
    }
    auto read = session_->Select(
        Query{"test.read", "SELECT id, name, hash, day, amount FROM item ORDER BY id"});
    ASSERT_THAT(read, IsOk());
    for (std::int64_t id = 0; id < 6; ++id) {
        ASSERT_TRUE(read->Next());
        EXPECT_EQ(read->Int(0), id);
        EXPECT_EQ(read->Text(1), text);
        EXPECT_EQ(read->Bytes(2), "123456");
        EXPECT_EQ(read->Date(3), BusinessDate::FromNumber(20260101).value());
        EXPECT_EQ(read->Int(4), id % 3);
    }
    EXPECT_FALSE(read->Next());

    BulkRows broken = session_->NewBulkRows();
    broken.SetCommon("name", "\xff");
    broken.Add(7, 1);
    EXPECT_THAT(Store(kIds, broken), Refuses(Code::kInvalidArgument, reason::kTextNotUtf8));
}

// Goal: a key that is there is a refusal, wherever in the list, and nothing is stored.
TEST_P(BulkTest, DuplicateKeyIsRefused) {
    ASSERT_THAT(Store(kItems, Rows(5, 5)), IsOk());
    EXPECT_THAT(Store(kItems, Rows(1, 9)), Refuses(Code::kAlreadyExists, reason::kDuplicateKey));
    EXPECT_EQ(One("SELECT COUNT(*) FROM item"), "1");
}

// Goal: no value is ever stored as another.
TEST_P(BulkTest, ValueThatDoesNotFitIsRefused) {
    EXPECT_EQ(Store(kItems, Rows(1, 3, 40'000)).code(), Code::kInternal);
    EXPECT_EQ(One("SELECT COUNT(*) FROM item"), "0");
    // The session is as good as before.
    EXPECT_THAT(Store(kItems, Rows(1, 3)), IsOk());
}

TEST_P(BulkTest, TextThatIsNotUtf8IsRefused) {
    BulkRows rows = session_->NewBulkRows();
    rows.Add(1, "\xff", Bytes{"123456"}, std::nullopt, 1);
    EXPECT_THAT(Store(kItems, rows), Refuses(Code::kInvalidArgument, reason::kTextNotUtf8));
    rows.Clear();
    rows.Add(1, "\xe6\xb1\xba", Bytes{"123456"}, std::nullopt, 1);
    EXPECT_THAT(Store(kItems, rows), IsOk());
}

TEST_P(BulkTest, EmptyListStoresNothing) {
    EXPECT_THAT(Store(kItems, session_->NewBulkRows()), IsOk());
}

// Goal: more than the client library's buffers and the server's network buffer hold.
TEST_P(BulkTest, ManyRowsAreStored) {
    ASSERT_THAT(Store(kItems, Rows(1, 50'000)), IsOk());
    EXPECT_EQ(One("SELECT SUM(id) FROM item"), "1250025000");
}

// Goal: a session that may send files does not send one because a server asks for it in answer to
// another statement.
TEST_P(BulkTest, OtherStatementsSendNoFile) {
    EXPECT_FALSE(session_
                     ->Execute(Query{"test.sneak",
                                     " /* not by its first letter */ LOAD DATA LOCAL INFILE "
                                     "'/proc/self/status' INTO TABLE item (name)"})
                     .ok());
}

// Goal: a scan gives every cell of every row, in the rows' order, over the borders of its blocks.
TEST_P(BulkTest, ScanGivesAllCells) {
    for (const std::int64_t count : {0, 1, 511, 512, 513, 2'000}) {
        Run("DELETE FROM item");
        ASSERT_THAT(Store(kItems, Rows(1, count, -3)), IsOk());
        std::vector<std::int64_t> ids;
        ASSERT_THAT(session_->Scan(
                        Query{"test.scan", "SELECT id, amount FROM item WHERE id >= ? ORDER BY id"},
                        [&](std::span<const std::int64_t> cells) {
                            ASSERT_EQ(cells.size() % 2, 0u);
                            for (std::size_t i = 0; i < cells.size(); i += 2) {
                                ids.push_back(cells[i]);
                                ASSERT_EQ(cells[i + 1], -3);
                            }
                        },
                        0),
                    IsOk());
        ASSERT_EQ(static_cast<std::int64_t>(ids.size()), count);
        for (std::size_t i = 0; i < ids.size(); ++i) {
            ASSERT_EQ(ids[i], static_cast<std::int64_t>(i + 1));
        }
    }
}

TEST_P(BulkTest, ScanOfAWrongQueryIsRefused) {
    EXPECT_THAT(session_->Scan(Query{"test.scan", "SELECT nothing FROM item"},
                               [](std::span<const std::int64_t>) { ADD_FAILURE(); }),
                Refuses(Code::kInternal, reason::kSqlError));
    EXPECT_THAT(Store(kItems, Rows(1, 1)), IsOk());
}

using BulkDeathTest = BulkTest;
INSTANTIATE_TEST_SUITE_P(Forms, BulkDeathTest, ::testing::Values(true),
                         [](const auto&) { return "File"; });

TEST_P(BulkDeathTest, ScannedTextOrNullIsABrokenInvariant) {
    ASSERT_THAT(Store(kItems, Rows(1, 1)), IsOk());
    Run("UPDATE item SET day = NULL");
    const auto ignore = [](std::span<const std::int64_t>) {};
    EXPECT_DEATH((void)session_->Scan(Query{"test.scan", "SELECT name FROM item"}, ignore),
                 "is not a number");
    EXPECT_DEATH((void)session_->Scan(Query{"test.scan", "SELECT NULLIF(id, 1) FROM item"}, ignore),
                 "is NULL");
}

}  // namespace
}  // namespace kessai::mysql
