// Goal: accounts outside over MariaDB: the cases of outside_use_cases.h, and what only a database
// can show: an import that dies in the middle, and several at once.

#include "storage/mysql_outside_books.h"

#include <chrono>
#include <cstdio>
#include <thread>

#include "kessai/mysql/transaction.h"
#include "tests/outside_use_cases.h"
#include "tests/reconciliation_fixture.h"

namespace kessai::reconciliation::testing {
namespace {

class InMariaDb {
 public:
    app::OutsideTransactions& transactions() { return transactions_; }
    ReconciliationSchema& schema() { return schema_; }

 private:
    ReconciliationSchema schema_;
    storage::MysqlOutsideTransactions transactions_{schema_.pool(), schema_.ids()};
};
INSTANTIATE_TYPED_TEST_SUITE_P(InMariaDb, OutsideUseCases, InMariaDb);

/// Loses its connection, as one whose process dies, once a number of statements with items were
/// sent.
class DyingTransactions final : public app::OutsideTransactions {
 public:
    DyingTransactions(ReconciliationSchema& schema, int deaths, int inserts_before)
        : schema_(schema), deaths_(deaths), inserts_before_(inserts_before) {}

    Status Run(const std::function<Status(app::OutsideBooks&)>& work) override {
        mysql::RetryPolicy policy;
        policy.attempts_max = 1;
        return mysql::InTransaction(schema_.pool(), policy, [&](mysql::Session& session) {
            Books books(session, *this);
            return work(books);
        });
    }

 private:
    /// Everything is MariaDB's; only the connection ends.
    class Books final : public app::OutsideBooks {
     public:
        Books(mysql::Session& session, DyingTransactions& owner)
            : session_(session), owner_(owner), books_(session, owner.schema_.ids()) {}

        Status InsertItems(std::span<const app::NewOutsideItem> items) override {
            KESSAI_RETURN_IF_ERROR(books_.InsertItems(items));
            if (owner_.deaths_ == 0 || ++owner_.inserts_ <= owner_.inserts_before_) {
                return OkStatus();
            }
            --owner_.deaths_;
            auto id = session_.Select(mysql::Query{"test.id", "SELECT CONNECTION_ID()"});
            KESSAI_CHECK(id.ok() && id->Next(), "a connection has an id");
            owner_.schema_.Execute("KILL CONNECTION " + std::to_string(id->Int(0)));
            return OkStatus();
        }
        Result<app::StoredText> PutText(app::TextKind kind, std::string_view name,
                                        std::string_view yaml, std::string_view actor,
                                        Instant now) override {
            return books_.PutText(kind, name, yaml, actor, now);
        }
        Result<std::optional<app::StoredText>> LatestText(app::TextKind kind,
                                                          std::string_view name) override {
            return books_.LatestText(kind, name);
        }
        Status LockImports() override { return books_.LockImports(); }
        Result<std::optional<app::StatementImport>> FindImportOf(std::string_view hash) override {
            return books_.FindImportOf(hash);
        }
        Result<app::StatementImport> FindImport(domain::StatementImportId id) override {
            return books_.FindImport(id);
        }
        Result<std::vector<app::StatementImport>> ListImports(domain::StatementImportId before,
                                                              int limit) override {
            return books_.ListImports(before, limit);
        }
        Result<domain::StatementImportId> NextImportId() override { return books_.NextImportId(); }
        Status InsertImport(const app::StatementImport& import) override {
            return books_.InsertImport(import);
        }
        Result<std::set<std::string>> KnownEntries(std::span<const std::string> keys) override {
            return books_.KnownEntries(keys);
        }
        Result<std::vector<app::KnownExpected>> FindExpected(
            std::span<const domain::ExpectedKey> keys) override {
            return books_.FindExpected(keys);
        }
        Status MarkDue(std::string_view account) override { return books_.MarkDue(account); }
        Result<std::vector<std::string>> ListDue() override { return books_.ListDue(); }
        Result<app::AccountState> FindAccount(std::string_view account) override {
            return books_.FindAccount(account);
        }
        Result<app::AccountState> LockAccount(std::string_view account) override {
            return books_.LockAccount(account);
        }
        Status UpdateAccount(std::string_view account, const app::AccountState& state) override {
            return books_.UpdateAccount(account, state);
        }
        Result<app::UnmatchedCounts> CountUnmatched(std::string_view account,
                                                    const app::DayRange& days) override {
            return books_.CountUnmatched(account, days);
        }
        Result<std::vector<domain::OutsideItem>> LoadUnmatched(std::string_view account,
                                                               domain::OutsideSide side,
                                                               const app::DayRange& days) override {
            return books_.LoadUnmatched(account, side, days);
        }
        Result<std::vector<domain::OutsideApart>> ListApart(std::string_view account) override {
            return books_.ListApart(account);
        }
        Result<std::vector<domain::OutsideMatchRecord>> ListOf(
            std::string_view account, domain::OutsideMatchState state) override {
            return books_.ListOf(account, state);
        }
        Result<std::vector<domain::OutsideMatchRecord>> FindSets(
            std::string_view account, std::span<const domain::OutsideMatchRecord> sets) override {
            return books_.FindSets(account, sets);
        }
        Status Store(std::span<const app::MatchChange> changes) override {
            return books_.Store(changes);
        }
        Result<domain::OutsideMatchRecord> FindMatch(domain::OutsideMatchId id) override {
            return books_.FindMatch(id);
        }
        Result<std::vector<domain::OutsideStep>> Steps(domain::OutsideMatchId id) override {
            return books_.Steps(id);
        }
        Result<std::vector<domain::OutsideMatchRecord>> ListMatches(
            const app::MatchFilter& filter) override {
            return books_.ListMatches(filter);
        }
        Result<std::vector<domain::OutsideMatchRecord>> SuggestionsOf(
            std::span<const domain::OutsideItemId> items) override {
            return books_.SuggestionsOf(items);
        }
        Result<std::vector<domain::OutsideRecord>> FindItems(
            std::span<const domain::OutsideItemId> ids) override {
            return books_.FindItems(ids);
        }
        Result<std::vector<domain::OutsideRecord>> ListUnmatched(
            const app::UnmatchedFilter& filter) override {
            return books_.ListUnmatched(filter);
        }
        Result<std::vector<app::UnmatchedDay>> UnmatchedDays() override {
            return books_.UnmatchedDays();
        }

     private:
        mysql::Session& session_;
        DyingTransactions& owner_;
        storage::MysqlOutsideBooks books_;
    };

    ReconciliationSchema& schema_;
    int deaths_;
    const int inserts_before_;
    int inserts_ = 0;
};

class MysqlOutsideTest : public OutsideUseCases<InMariaDb> {
 protected:
    static std::string Lines(int first, int count) {
        std::string lines = "day,amount,ref,text\n";
        for (int i = first; i < first + count; ++i) {
            lines += "2026-11-20,-" + std::to_string(1 + i) + ",R-" + std::to_string(i) + ",paid\n";
        }
        return lines;
    }
    std::int64_t Count(std::string_view sql) { return books_.schema().Count(sql); }
    std::int64_t Items() { return Count("SELECT COUNT(*) FROM outside_item WHERE side = 2"); }
};

// Goal: an import whose connection dies in the middle leaves nothing at all, and the same file
// again is taken in whole.
TEST_F(MysqlOutsideTest, AnImportThatDiesInTheMiddleLeavesNothing) {
    PutTemplateAndRules();
    const std::string lines = Lines(0, 2'300);
    DyingTransactions dying(books_.schema(), 1, 2);
    app::ImportStatement import({}, dying, accounts_, clock_);
    EXPECT_EQ(import.Run(File(lines), kActor).status().code(), Code::kUnavailable);
    EXPECT_EVENTUALLY(Items() == 0);
    EXPECT_EQ(Count("SELECT COUNT(*) FROM statement_import"), 0);
    EXPECT_THAT(enquiries_.DueAccounts().value(), ::testing::IsEmpty());

    const auto done = import.Run(File(lines), kActor);
    ASSERT_OK(done);
    EXPECT_FALSE(done->repeated);
    EXPECT_EQ(done->import.added, 2'300);
    EXPECT_EQ(done->import.known, 0);
    EXPECT_EQ(Items(), 2'300);
}

// Goal: of files at once each entry goes in once, whichever comes first, and one file once.
TEST_F(MysqlOutsideTest, FilesAtOnceAddEachEntryOnce) {
    PutTemplateAndRules();
    // Three of one file, and one that has half of it and as much again.
    const std::string one = Lines(0, 1'200);
    const std::string other = Lines(600, 1'200);
    std::vector<Result<app::ImportOutcome>> outcomes(
        4, Status(Code::kInternal, "NOT_RUN", "it has not run"));
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < outcomes.size(); ++i) {
            threads.emplace_back(
                [&, i] { outcomes[i] = import_.Run(File(i == 3 ? other : one), kActor); });
        }
    }
    int first = 0;
    std::int64_t added = 0;
    for (const auto& outcome : outcomes) {
        ASSERT_OK(outcome);
        if (outcome->repeated) continue;
        ++first;
        added += outcome->import.added;
    }
    EXPECT_EQ(first, 2);
    EXPECT_EQ(added, 1'800);
    EXPECT_EQ(Items(), 1'800);
    EXPECT_EQ(Count("SELECT COUNT(*) FROM statement_import"), 2);
}

// Goal: matching, storing and finding again hold for more than a statement's lists, runs at once
// make each match once, and a match's items are in no other.
TEST_F(MysqlOutsideTest, ManyItemsAndRunsAtOnce) {
    PutTemplateAndRules();
    constexpr int kItems = 2'300;
    std::vector<domain::ExpectedItem> expected;
    for (int i = 0; i < kItems; ++i) {
        expected.push_back(Expected(i + 1, -(1 + i), "r" + std::to_string(i)));
    }
    Note(expected);
    ASSERT_OK(import_.Run(File(Lines(0, kItems)), kActor));
    std::vector<Result<app::MatchingRun>> runs(3, Status(Code::kInternal, "NOT_RUN", "it has not"));
    {
        std::vector<std::jthread> threads;
        for (auto& run : runs) threads.emplace_back([&] { run = Match(); });
    }
    std::int64_t made = 0;
    for (const auto& run : runs) {
        ASSERT_OK(run);
        made += run->matches_made;
    }
    EXPECT_EQ(made, kItems);
    EXPECT_EQ(Count("SELECT COUNT(*) FROM outside_match WHERE state = 2"), kItems);
    EXPECT_EQ(Count("SELECT COUNT(*) FROM outside_item WHERE state = 2 AND match_id <> 0"),
              2 * kItems);
    EXPECT_EQ(Count("SELECT COUNT(*) FROM outside_match_item AS m JOIN outside_item AS i "
                    "ON i.item_id = m.item_id AND i.match_id = m.match_id"),
              2 * kItems);
}

// Goal: a file of the largest size is taken in and matched well within the 29 s that a caller waits
// at the gateway. Prints what it took.
TEST_F(MysqlOutsideTest, AFileOfTheLargestSize) {
    PutTemplateAndRules();
    constexpr std::size_t kFileBytesMax = std::size_t{3} << 20;
    const std::size_t line_bytes = Lines(0, 1).size() + 4;
    const int lines = static_cast<int>(kFileBytesMax / line_bytes);
    std::vector<domain::ExpectedItem> expected;
    for (int i = 0; i < lines; ++i) {
        expected.push_back(Expected(i + 1, -(1 + i), "r" + std::to_string(i)));
    }
    Note(expected);
    app::ImportStatement import({.file_bytes_max = kFileBytesMax}, transactions(), accounts_,
                                clock_);
    app::MatchOutside match({}, transactions(), accounts_, clock_);
    const std::string content = Lines(0, lines);
    const auto seconds = [start = std::chrono::steady_clock::now()] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    const auto done = import.Run(File(content), kActor);
    const double imported = seconds();
    ASSERT_OK(done);
    EXPECT_EQ(done->import.added, lines);
    const auto run = match.Run("main-bank", app::DayRange::All(), kActor);
    ASSERT_OK(run);
    EXPECT_EQ(run->matches_made, lines);
    std::printf("%d lines, %.1f MB: taken in within %.1f s, matched within %.1f s\n", lines,
                static_cast<double>(content.size()) / 1e6, imported, seconds() - imported);
}

// Goal: texts of any length and with any separator come back as they can be kept.
TEST_F(MysqlOutsideTest, TextsComeBack) {
    PutTemplateAndRules();
    ASSERT_OK(Import("2026-11-20,-5,\"a\tb\",\"東京　支店\"\n"));
    const auto items = Unmatched(domain::OutsideSide::kBooked);
    ASSERT_EQ(items.size(), 1u);
    EXPECT_EQ(items[0].text, "東京　支店");
    const std::pair<std::string, std::string> reference{"ref", "a b"};
    EXPECT_EQ(items[0].references, std::vector{reference});
    EXPECT_EQ(items[0].line, 2u);
    EXPECT_FALSE(items[0].import.is_none());
}

}  // namespace
}  // namespace kessai::reconciliation::testing
