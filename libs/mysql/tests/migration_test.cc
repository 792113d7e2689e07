#include "kessai/mysql/migration.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <vector>

#include "database_fixture.h"
#include "embedded_migrations.h"
#include "kessai/testing/temp_dir.h"

namespace kessai::mysql {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Refuses;

// Goal: a migration's text falls apart into the statements that were meant.
TEST(SplitStatementsTest, SplitsAtSemicolonsThatEndALine) {
    EXPECT_THAT(
        SplitStatements("CREATE TABLE a (x INT);\n\n-- note; and more\nINSERT INTO a\n"
                        "VALUES ('a;b');  \r\nDO 1"),
        ElementsAre("CREATE TABLE a (x INT)\n", "INSERT INTO a\nVALUES ('a;b')\n", "DO 1\n"));
    EXPECT_THAT(SplitStatements(""), IsEmpty());
    EXPECT_THAT(SplitStatements("-- nothing\n\n;\n"), IsEmpty());
    EXPECT_THAT(SplitStatements("DO 1;\n-- the end"), ElementsAre("DO 1\n"));
}

// Goal: what is embedded is what is in the files, byte for byte, in the order of the versions.
TEST(EmbeddedMigrationsTest, AreTheFiles) {
    const MigrationSet set = embedded::Migrations();
    EXPECT_EQ(set.name, "embedded");
    ASSERT_EQ(set.migrations.size(), 3u);
    const std::pair<int, std::string> files[] = {{1, "first"}, {2, "second"}, {10, "tenth"}};
    for (std::size_t i = 0; i < 3; ++i) {
        const Migration& migration = set.migrations[i];
        EXPECT_EQ(migration.version, files[i].first);
        EXPECT_EQ(migration.name, files[i].second);
        EXPECT_EQ(migration.sql, testing::ReadFile(std::string(EMBED_DIRECTORY "/V") +
                                                   std::to_string(files[i].first) + "__" +
                                                   files[i].second + ".sql"));
    }
}

class MigrationTest : public DatabaseFixture {
 protected:
    static constexpr std::string_view kOne =
        "CREATE TABLE IF NOT EXISTS one (x INT);\nINSERT INTO one VALUES (1);\n";
    static constexpr std::string_view kTwo = "ALTER TABLE one ADD COLUMN y INT NULL;\n";

    std::vector<MigrationSet> Sets(std::vector<Migration> migrations) {
        return {{"ledger", std::move(migrations)},
                {"outbox", {{1, "outbox", "CREATE TABLE IF NOT EXISTS box (x INT);"}}}};
    }
};

TEST_F(MigrationTest, EachStepIsAppliedOnce) {
    auto sets = Sets({{1, "one", kOne}});
    EXPECT_THAT(CheckMigrated(*direct_, sets),
                Refuses(Code::kFailedPrecondition, reason::kMigrationPending));
    MigrationReport report;
    ASSERT_OK(Migrate(*direct_, sets, &report));
    EXPECT_THAT(report.applied, ElementsAre("ledger V1__one", "outbox V1__outbox"));
    EXPECT_OK(CheckMigrated(*direct_, sets));

    sets = Sets({{1, "one", kOne}, {2, "two", kTwo}});
    const Status pending = CheckMigrated(*direct_, sets);
    EXPECT_THAT(pending, Refuses(Code::kFailedPrecondition, reason::kMigrationPending));
    EXPECT_THAT(std::string(pending.message()), HasSubstr("ledger V2__two"));
    report = {};
    ASSERT_OK(Migrate(*direct_, sets, &report));
    EXPECT_THAT(report.applied, ElementsAre("ledger V2__two"));
    EXPECT_EQ(report.already_applied, 2);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM one WHERE y IS NULL"), 1);

    report = {};
    ASSERT_OK(Migrate(*direct_, sets, &report));
    EXPECT_THAT(report.applied, IsEmpty());
}

TEST_F(MigrationTest, EmbeddedMigrationsRun) {
    const std::vector<MigrationSet> sets{embedded::Migrations()};
    MigrationReport report;
    ASSERT_OK(Migrate(*direct_, sets, &report));
    EXPECT_THAT(report.applied,
                ElementsAre("embedded V1__first", "embedded V2__second", "embedded V10__tenth"));
    ASSERT_OK_AND_ASSIGN(auto rows, direct_->Select(Query{"q", "SELECT text FROM first"}));
    ASSERT_TRUE(rows.Next());
    EXPECT_EQ(rows.Text(0), R"(お茶 [1;2] ${x} @y@ \ "quoted" 'single')");
}

// Goal: history is not edited: a changed or removed step is refused by its name, before anything
// else is applied.
TEST_F(MigrationTest, ChangedAndMissingStepsAreRefused) {
    ASSERT_OK(Migrate(*direct_, Sets({{1, "one", kOne}, {2, "two", kTwo}})));

    const std::string changed = std::string(kOne) + "INSERT INTO one VALUES (2, 2);\n";
    const auto with_change = Sets({{1, "one", changed}, {2, "two", kTwo}, {3, "three", "DO 1;"}});
    Status status = Migrate(*direct_, with_change);
    EXPECT_THAT(status, Refuses(Code::kFailedPrecondition, reason::kMigrationChanged));
    EXPECT_THAT(std::string(status.message()), HasSubstr("ledger V1__one"));
    EXPECT_THAT(CheckMigrated(*direct_, with_change),
                Refuses(Code::kFailedPrecondition, reason::kMigrationChanged));
    EXPECT_EQ(Number("SELECT COUNT(*) FROM schema_migration WHERE version = 3"), 0);

    EXPECT_THAT(Migrate(*direct_, Sets({{1, "uno", kOne}, {2, "two", kTwo}})),
                Refuses(Code::kFailedPrecondition, reason::kMigrationChanged));

    status = Migrate(*direct_, Sets({{1, "one", kOne}}));
    EXPECT_THAT(status, Refuses(Code::kFailedPrecondition, reason::kMigrationMissing));
    EXPECT_THAT(std::string(status.message()), HasSubstr("ledger V2__two"));
    // An older release still runs on the newer schema.
    EXPECT_OK(CheckMigrated(*direct_, Sets({{1, "one", kOne}})));
    // Line ends of another checkout are no change.
    EXPECT_OK(Migrate(*direct_, Sets({{1, "one",
                                       "CREATE TABLE IF NOT EXISTS one (x INT);\r\n"
                                       "INSERT INTO one VALUES (1);\r\n"},
                                      {2, "two", kTwo}})));
}

// Goal: a step that failed in the middle goes on at the statement that failed, and may be
// corrected; what it had done is not done again.
TEST_F(MigrationTest, AStepCutShortGoesOn) {
    const std::string broken =
        "CREATE TABLE one (x INT);\nINSERT INTO one VALUES (1);\nINSERT INTO nowhere VALUES (1);\n"
        "INSERT INTO one VALUES (2);\n";
    Status status = Migrate(*direct_, Sets({{1, "one", broken}}));
    EXPECT_THAT(status, Refuses(Code::kInternal, reason::kSqlError));
    EXPECT_THAT(std::string(status.message()), HasSubstr("ledger V1__one"));
    EXPECT_THAT(CheckMigrated(*direct_, Sets({{1, "one", broken}})),
                Refuses(Code::kFailedPrecondition, reason::kMigrationPending));
    Run("CREATE TABLE nowhere (x INT)");
    ASSERT_OK(Migrate(*direct_, Sets({{1, "one", broken}})));
    EXPECT_EQ(Number("SELECT SUM(x) FROM one"), 3);
    EXPECT_EQ(Number("SELECT SUM(x) FROM nowhere"), 1);
}

// Goal: replicas that start at once migrate once.
// Method: several sessions at the same time, on a step that cannot run twice.
TEST_F(MigrationTest, ReplicasMigrateOnce) {
    const std::string once = "CREATE TABLE once (x INT);\nINSERT INTO once VALUES (1);\n";
    std::vector<std::thread> replicas;
    std::vector<MigrationReport> reports(4);
    for (auto& report : reports) {
        replicas.emplace_back([&] {
            auto session = Connect();
            EXPECT_OK(Migrate(*session, Sets({{1, "once", once}}), &report));
        });
    }
    for (auto& replica : replicas) replica.join();
    std::size_t applied = 0;
    for (const auto& report : reports) applied += report.applied.size();
    EXPECT_EQ(applied, 2u);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM once"), 1);
}

TEST_F(MigrationTest, OneLockASchemaIsReleasedAtTheEnd) {
    ASSERT_OK(Migrate(*direct_, Sets({{1, "one", kOne}})));
    auto other = Connect();
    EXPECT_EQ(
        NumberFrom(*other, "SELECT GET_LOCK(CONCAT('kessai-', LEFT(SHA1(DATABASE()), 32)), 0)"), 1);
}

}  // namespace
}  // namespace kessai::mysql
