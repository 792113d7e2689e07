// Goal: what is in payment's tables is in merchants' files, row by row, through all that is
// between: payment's list over a real MariaDB, gRPC, reconciliation's use case and a folder.
// Method: a small day as the bench makes it; the files' lines held against the table's rows.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <sstream>
#include <vector>

#include "bench/files/files_side.h"
#include "bench/files/payment_side.h"
#include "kessai/mysql/session.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/mysql_server.h"
#include "kessai/testing/temp_dir.h"

namespace kessai::bench {
namespace {

using testing::Refuses;

const BusinessDate kDay = BusinessDate::FromNumber(20261102).value();

/// Order, merchant, shop and amount of each line behind the first, by file; all are ASCII.
std::map<std::string, std::vector<std::string>> LinesOf(const std::string& folder) {
    std::map<std::string, std::vector<std::string>> files;
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
        if (!file.is_regular_file()) continue;
        std::istringstream text(testing::ReadFile(file.path().string()));
        auto& lines = files[file.path().parent_path().filename().string()];
        std::string line;
        std::getline(text, line);
        while (std::getline(text, line)) {
            std::vector<std::string> cells;
            std::istringstream rest(line);
            for (std::string cell; std::getline(rest, cell, ',');) cells.push_back(cell);
            EXPECT_GE(cells.size(), 13u) << line;
            lines.push_back(cells[0] + " " + cells[1] + " " + cells[3] + " " + cells[8] + " " +
                            cells[11]);
        }
    }
    return files;
}

TEST(FilesBenchTest, TheTablesRowsAreTheFilesLines) {
    const auto schema = testing::MysqlServer::Shared().CreateSchema();
    ASSERT_OK(MigratePayment(schema->options()));
    ASSERT_OK(LoadFilesDay(schema->options(), {kDay, 9'000, 7}, 2));
    const ServedPayment payment(schema->options());
    std::map<std::string, std::vector<std::string>> stored;
    {
        const auto session = mysql::Session::Connect(schema->options()).value();
        auto rows = session
                        ->Select(mysql::Query{
                            "test.rows",
                            "SELECT merchant_id, CONCAT_WS(' ', object_id, merchant_id, store_id, "
                            "IF(kind = 3, -amount, amount), merchant_payment_id) FROM journal "
                            "ORDER BY merchant_id, occurred_at_us, object_id, version"})
                        .value();
        while (rows.Next()) stored[rows.Text(0)].push_back(rows.Text(1));
    }
    ASSERT_EQ(stored.size(), 7u);
    // In memory, and by runs on the disk; by one thread and by some.
    for (const std::size_t memory : {std::size_t{1}, std::size_t{64} << 20}) {
        for (const int threads : {1, 3}) {
            const testing::TempDir folder;
            const testing::TempDir work;
            ASSERT_OK_AND_ASSIGN(const FilesMade made,
                                 MakeFilesOnce({.date = kDay,
                                                .payment_port = payment.port(),
                                                .folder = folder.path(),
                                                .work_folder = work.path(),
                                                .memory_max = memory,
                                                .threads = threads,
                                                .merchants_at_once = threads}));
            EXPECT_EQ(made.rows, 9'000);
            EXPECT_EQ(made.files, 7);
            EXPECT_TRUE(LinesOf(folder.path()) == stored);
        }
    }
    // A day that the books never had.
    const testing::TempDir folder;
    EXPECT_THAT(MakeFilesOnce({.date = kDay.PlusDays(3),
                               .payment_port = payment.port(),
                               .folder = folder.path(),
                               .work_folder = folder.path(),
                               .memory_max = 1 << 22,
                               .threads = 2,
                               .merchants_at_once = 2}),
                Refuses(Code::kFailedPrecondition, "DAY_NOT_CURRENT"));
    EXPECT_TRUE(LinesOf(folder.path()).empty());
}

}  // namespace
}  // namespace kessai::bench
