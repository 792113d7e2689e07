#include "kessai/mysql/scan_session.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "database_fixture.h"
#include "kessai/mysql/error.h"
#include "kessai/mysql/pool.h"

namespace kessai::mysql {
namespace {

using testing::IsOk;
using testing::Refuses;

class ScanSessionTest : public DatabaseFixture {
 protected:
    ScanSessionTest() : scan_(ScanSession::Connect(Options()).value()) {}

    void Fill(std::int64_t count) {
        Run("DELETE FROM account");
        RowList rows;
        for (std::int64_t id = 1; id <= count; ++id) rows.Add(id, -id);
        if (rows.empty()) return;
        ASSERT_OK(direct_->Execute(Query{"test.fill", "INSERT INTO account VALUES {rows}"}, rows));
    }
    std::vector<std::int64_t> Cells(std::string_view sql) {
        std::vector<std::int64_t> all;
        EXPECT_OK(scan_->Scan(Query{"test.scan", sql}, [&](std::span<const std::int64_t> cells) {
            all.insert(all.end(), cells.begin(), cells.end());
        }));
        return all;
    }
    static void Ignore(std::span<const std::int64_t>) {}

    std::unique_ptr<ScanSession> scan_;
};

// Goal: every cell of every row comes, whole rows at a time, over the borders of blocks.
TEST_F(ScanSessionTest, AllCellsComeInBlocksOfWholeRows) {
    for (const std::int64_t count : {0, 1, 511, 512, 513, 5'000}) {
        Fill(count);
        std::vector<std::int64_t> ids;
        ASSERT_OK(scan_->Scan(
            Query{"test.scan", "SELECT id, balance FROM account WHERE id >= ? ORDER BY id"},
            [&](std::span<const std::int64_t> cells) {
                ASSERT_EQ(cells.size() % 2, 0u);
                for (std::size_t i = 0; i < cells.size(); i += 2) {
                    ids.push_back(cells[i]);
                    ASSERT_EQ(cells[i + 1], -cells[i]);
                }
            },
            1));
        ASSERT_EQ(static_cast<std::int64_t>(ids.size()), count);
        for (std::size_t i = 0; i < ids.size(); ++i) {
            ASSERT_EQ(ids[i], static_cast<std::int64_t>(i + 1));
        }
    }
}

// Goal: numbers of every width and sign are what they are.
TEST_F(ScanSessionTest, IntegersOfAllTypesAreRead) {
    Run("CREATE TABLE widths (a TINYINT, b SMALLINT, c MEDIUMINT, d INT, e BIGINT, "
        "f TINYINT UNSIGNED, g INT UNSIGNED, h BIGINT UNSIGNED)");
    Run("INSERT INTO widths VALUES (-128, -32768, -8388608, -2147483648, -9223372036854775808, "
        "255, 4294967295, 9223372036854775807), (127, 32767, 8388607, 2147483647, "
        "9223372036854775807, 0, 0, 0)");
    EXPECT_EQ(
        Cells("SELECT a, b, c, d, e, f, g, h FROM widths ORDER BY a"),
        (std::vector<std::int64_t>{
            -128, -32'768, -8'388'608, -2'147'483'648LL, std::numeric_limits<std::int64_t>::min(),
            255, 4'294'967'295, std::numeric_limits<std::int64_t>::max(), 127, 32'767, 8'388'607,
            2'147'483'647, std::numeric_limits<std::int64_t>::max(), 0, 0, 0}));
}

// Goal: a scan gives what a Session reads.
TEST_F(ScanSessionTest, GivesWhatASessionGives) {
    Fill(3'000);
    std::int64_t sum = 0;
    for (const std::int64_t cell : Cells("SELECT balance FROM account")) sum += cell;
    EXPECT_EQ(sum, Number("SELECT SUM(balance) FROM account"));
}

TEST_F(ScanSessionTest, WrongQueriesAreRefusedAndTheSessionGoesOn) {
    Fill(3);
    EXPECT_THAT(scan_->Scan(Query{"test.scan", "SELECT nothing FROM account"}, Ignore),
                Refuses(Code::kInternal, reason::kSqlError));
    EXPECT_THAT(scan_->Scan(Query{"test.scan", "DO 1"}, Ignore),
                Refuses(Code::kInternal, reason::kQueryMalformed));
    EXPECT_THAT(scan_->Scan(Query{"test.scan", "SELECT id FROM account WHERE id = ?"}, Ignore),
                Refuses(Code::kInternal, reason::kQueryMalformed));
    EXPECT_EQ(Cells("SELECT id FROM account ORDER BY id"), (std::vector<std::int64_t>{1, 2, 3}));
}

// Goal: a connection that is lost is a refusal to try again after, now and from then on.
// Method: the server ends it.
TEST_F(ScanSessionTest, LostConnectionIsUnavailable) {
    Fill(3);
    const auto id = Cells("SELECT CONNECTION_ID()").at(0);
    Run("KILL CONNECTION " + std::to_string(id));
    EXPECT_EQ(scan_->Scan(Query{"test.scan", "SELECT id FROM account"}, Ignore).code(),
              Code::kUnavailable);
    EXPECT_EQ(scan_->Scan(Query{"test.scan", "SELECT id FROM account"}, Ignore).code(),
              Code::kUnavailable);
}

TEST_F(ScanSessionTest, WrongPasswordIsRefusedAsLogin) {
    ConnectOptions options = Options();
    options.password = "wrong";
    EXPECT_THAT(ScanSession::Connect(options).status(),
                Refuses(Code::kUnavailable, reason::kLoginRefused));
}

TEST_F(ScanSessionTest, ServerWithoutTlsIsRefusedWhereTlsIsAskedFor) {
    ConnectOptions options = Options();
    options.tls_ca_file = "/etc/ssl/certs/ca-certificates.crt";
    EXPECT_THAT(ScanSession::Connect(options).status(),
                Refuses(Code::kUnavailable, reason::kConnectionLost));
}

// Goal: a pool connects scans as it connects its sessions.
TEST_F(ScanSessionTest, PoolConnectsThem) {
    Fill(2);
    Pool pool(PoolOf(Options()));
    ASSERT_OK_AND_ASSIGN(const auto scan, pool.ConnectScan());
    std::int64_t count = 0;
    ASSERT_OK(scan->Scan(Query{"test.scan", "SELECT id FROM account"},
                         [&](std::span<const std::int64_t> cells) {
                             count += static_cast<std::int64_t>(cells.size());
                         }));
    EXPECT_EQ(count, 2);
    pool.Close();
    EXPECT_THAT(pool.ConnectScan().status(),
                Refuses(Code::kFailedPrecondition, reason::kPoolClosed));
}

// Goal: texts come as they are stored, a NULL is told from an empty one, and a taker's refusal
// leaves the session in step.
TEST_F(ScanSessionTest, TextsComeAsTheyAre) {
    std::vector<std::string> cells;
    std::vector<bool> nulls;
    ASSERT_OK(scan_->ReadTexts(
        Query{"test.texts",
              "SELECT -5, '店''s', '', NULL, CAST(? AS DATE), x'0001' UNION ALL "
              "SELECT 7, 'b', 'c', 'd', NULL, ''"},
        [&](std::span<const std::string_view> row) {
            for (const std::string_view cell : row) {
                cells.emplace_back(cell);
                nulls.push_back(cell.data() == nullptr);
            }
            return OkStatus();
        },
        "2026-11-30"));
    EXPECT_EQ(cells,
              (std::vector<std::string>{"-5", "店's", "", "", "2026-11-30", std::string("\0\1", 2),
                                        "7", "b", "c", "d", "", ""}));
    EXPECT_EQ(nulls, (std::vector<bool>{false, false, false, true, false, false, false, false,
                                        false, false, true, false}));

    Fill(1'000);
    int rows = 0;
    const Status refused =
        scan_->ReadTexts(Query{"test.texts", "SELECT id FROM account ORDER BY id"}, [&](auto) {
            return ++rows < 3 ? OkStatus() : Status(Code::kCancelled, "ENOUGH", "of it");
        });
    EXPECT_THAT(refused, Refuses(Code::kCancelled, "ENOUGH"));
    EXPECT_EQ(rows, 3);
    EXPECT_EQ(Cells("SELECT COUNT(*) FROM account"), std::vector<std::int64_t>{1'000});
    const auto ignore = [](std::span<const std::string_view>) { return OkStatus(); };
    EXPECT_THAT(scan_->ReadTexts(Query{"test.texts", "SELECT nothing FROM account"}, ignore),
                Refuses(Code::kInternal, reason::kSqlError));
    EXPECT_THAT(scan_->ReadTexts(Query{"test.texts", "DELETE FROM account WHERE id < 0"}, ignore),
                Refuses(Code::kInternal, reason::kQueryMalformed));
}

using ScanSessionDeathTest = ScanSessionTest;

TEST_F(ScanSessionDeathTest, WhatIsNoIntegerIsABrokenInvariant) {
    Fill(1);
    const auto scan = [&](std::string_view sql) {
        return scan_->Scan(Query{"test.scan", sql}, Ignore);
    };
    EXPECT_DEATH((void)scan("SELECT 'text' FROM account"),
                 "test.scan, column 0: is not an integer");
    EXPECT_DEATH((void)scan("SELECT id, 1.5 FROM account"), "column 1: is not an integer");
    EXPECT_DEATH((void)scan("SELECT NULLIF(id, 1) FROM account"), "column 0: is NULL");
    EXPECT_DEATH((void)scan("SELECT CAST(18446744073709551615 AS UNSIGNED) FROM account"),
                 "does not fit 64 signed bits");
}

}  // namespace
}  // namespace kessai::mysql
