// Goal: no damage makes a reader crash, and none makes it lose a good line silently: a file that is
// not refused has as many items and broken lines as lines.
// Method: each format's good files with bytes changed, added, removed and moved, thousands of times
// from a seed; the lines are counted apart from the readers.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "camt_text.h"
#include "kessai/testing/matchers.h"
#include "kessai/zengin/testing/notice_records.h"
#include "kessai/zengin/testing/statement_records.h"
#include "told_file.h"

namespace kessai::statementfile {
namespace {

constexpr std::uint64_t kSeed = 20261130;
constexpr int kRounds = 10'000;

class Damage {
 public:
    /// What text tends to be made of, where it hurts.
    explicit Damage(std::string_view alphabet) : alphabet_(alphabet) {}

    std::string Of(std::string bytes) {
        for (std::uint64_t n = 1 + random_() % 3; n > 0 && !bytes.empty(); --n) {
            const std::size_t at = random_() % bytes.size();
            switch (random_() % 5) {
                case 0:
                    bytes[at] = static_cast<char>(random_() % 256);
                    break;
                case 1:
                    bytes[at] = alphabet_[random_() % alphabet_.size()];
                    break;
                case 2:
                    bytes.erase(at, 1 + random_() % 4);
                    break;
                case 3:
                    bytes.insert(at, 1, alphabet_[random_() % alphabet_.size()]);
                    break;
                default:
                    bytes.insert(random_() % bytes.size(), bytes.substr(at, random_() % 40));
            }
        }
        if (random_() % 20 == 0) bytes.resize(random_() % bytes.size());
        return bytes;
    }
    std::size_t Piece() { return 1 + random_() % 500; }

 private:
    std::mt19937_64 random_{kSeed};  // NOLINT: the same each time
    std::string_view alphabet_;
};

/// Counts of files by what became of them, printed.
struct Outcomes {
    int whole = 0;
    int with_broken = 0;
    int refused = 0;

    void Note(const ToldFile& told) {
        if (!told.outcome.ok()) {
            EXPECT_EQ(told.outcome.code(), Code::kInvalidArgument) << told.outcome.ToString();
            EXPECT_FALSE(told.outcome.reason().empty());
            EXPECT_FALSE(told.outcome.message().empty());
            ++refused;
            return;
        }
        ++(told.broken.empty() ? whole : with_broken);
        EXPECT_EQ(told.summary.items, static_cast<std::int64_t>(told.items.size()));
        EXPECT_EQ(told.summary.broken_lines, static_cast<std::int64_t>(told.broken.size()));
        std::set<std::size_t> numbers;
        for (const StatementItem& item : told.items) numbers.insert(item.number);
        for (const BrokenLine& line : told.broken) numbers.insert(line.number);
        EXPECT_EQ(numbers.size(), told.items.size() + told.broken.size());
        EXPECT_EQ(numbers.empty() ? 0 : *numbers.rbegin(), numbers.size());
    }
    void Print(std::string_view format) const {
        std::printf("%.*s: seed %llu, %d whole, %d with broken lines, %d refused\n",
                    static_cast<int>(format.size()), format.data(),
                    static_cast<unsigned long long>(kSeed), whole, with_broken, refused);
    }
};

/// Lines of a file, without what ends them.
std::vector<std::string> LinesOf(std::string_view bytes) {
    std::vector<std::string> lines;
    while (!bytes.empty()) {
        std::string& line = lines.emplace_back(bytes.substr(0, bytes.find('\n')));
        bytes.remove_prefix(std::min(bytes.size(), line.size() + 1));
        if (line.ends_with('\r')) line.pop_back();
    }
    return lines;
}

/// What items say, by the texts of their lines.
std::map<std::string, StatementItem> ByText(std::string_view bytes, const ToldFile& told) {
    const std::vector<std::string> lines = LinesOf(bytes);
    std::map<std::string, StatementItem> items;
    for (StatementItem item : told.items) {
        const std::string& line = lines.at(item.line - 1);
        item.number = item.line = 0;
        items.emplace(line, std::move(item));
    }
    return items;
}

/// Each line that is as it was is an item, and says what it said.
void CheckGoodLines(const std::map<std::string, StatementItem>& good, std::string_view bytes,
                    const ToldFile& told) {
    const auto items = ByText(bytes, told);
    for (const std::string& line : LinesOf(bytes)) {
        const auto was = good.find(line);
        if (was == good.end()) continue;
        const auto is = items.find(line);
        ASSERT_NE(is, items.end()) << line;
        ASSERT_EQ(is->second, was->second) << line;
    }
}

std::int64_t LinesIn(std::string_view bytes, std::size_t skip) {
    std::int64_t lines = 0;
    for (std::size_t number = 1; !bytes.empty(); ++number) {
        std::string_view line = bytes.substr(0, bytes.find('\n'));
        bytes.remove_prefix(std::min(bytes.size(), line.size() + 1));
        if (line.ends_with('\r')) line.remove_suffix(1);
        const bool blank = line.find_first_not_of(" \t") == std::string_view::npos;
        if (number > skip && !blank) ++lines;
    }
    return lines;
}

TEST(DamagedFilesTest, Csv) {
    constexpr std::string_view kLayout =
        "name: x\nencoding: utf_8\naccount: a\norder: oldest_first\n"
        "columns: {booked: 日, in: 入, out: 出, balance: 残, text: 文, references: [番]}\n";
    const CsvTemplate layout = CsvTemplate::Parse(kLayout).value();
    std::string good = "日,番,入,出,残,文\n";
    for (int i = 1; i <= 20; ++i) {
        good += "2026/11/" + std::to_string(i + 10) + ",K-" + std::to_string(i) + ",\"1,000\",,\"" +
                std::to_string(i) + ",000\",\"文 " + std::to_string(i) + "\"\r\n";
    }
    const auto make = [&](StatementSink sink) { return MakeCsvReader(layout, std::move(sink)); };
    const auto good_lines = ByText(good, ReadFile(make, good));
    ASSERT_EQ(good_lines.size(), 20u);
    Damage damage("\",\n\r0123456789-/ ");
    Outcomes outcomes;
    for (int i = 0; i < kRounds; ++i) {
        const std::string bytes = damage.Of(good);
        const ToldFile told = ReadFile(make, bytes, damage.Piece());
        outcomes.Note(told);
        if (!told.outcome.ok()) continue;
        EXPECT_EQ(told.summary.items + told.summary.broken_lines, LinesIn(bytes, 1)) << bytes;
        // The header says how many columns each line has.
        if (bytes.starts_with(good.substr(0, good.find("2026")))) {
            CheckGoodLines(good_lines, bytes, told);
        }
    }
    outcomes.Print("csv");
    EXPECT_GT(outcomes.with_broken, 100);
    EXPECT_GT(outcomes.refused, 100);
}

TEST(DamagedFilesTest, Zengin) {
    zengin::StatementRecords statement;
    zengin::NoticeRecords notice;
    statement.Header("0001", "004", "1", "0007654321", 1'000'000);
    notice.Header("0001", "004", "1", "7654321");
    for (int i = 1; i <= 10; ++i) {
        statement.Entry(i % 2 == 0, 100 * i, "ﾌﾘｺﾐ", "K" + std::to_string(i));
        notice.Transfer(100 * i, "ﾔﾏﾀﾞ", "K" + std::to_string(i), i == 7);
    }
    statement.Trailer();
    notice.Trailer(true);
    Damage damage("0123456789 \n89");
    Outcomes outcomes;
    const auto make = [](StatementSink sink) {
        return MakeZenginReader(zengin::StatementYears::kReiwa, std::move(sink));
    };
    for (const std::string& good : {statement.End("\n"), notice.End("\n")}) {
        const auto good_lines = ByText(good, ReadFile(make, good));
        ASSERT_EQ(good_lines.size(), 10u);
        for (int i = 0; i < kRounds; ++i) {
            const std::string bytes = damage.Of(good);
            const ToldFile told = ReadFile(make, bytes, damage.Piece());
            outcomes.Note(told);
            if (!told.outcome.ok()) continue;
            const auto records = std::ranges::count(bytes, '\n') + (bytes.ends_with('\n') ? 0 : 1);
            EXPECT_EQ(told.summary.items + told.summary.broken_lines, records - 3);
            // The header names the account of all.
            if (bytes.starts_with(good.substr(0, good.find('\n')))) {
                CheckGoodLines(good_lines, bytes, told);
            }
        }
    }
    outcomes.Print("zengin");
    EXPECT_GT(outcomes.with_broken, 100);
    EXPECT_GT(outcomes.refused, 100);
}

TEST(DamagedFilesTest, Camt) {
    const CamtText camt;
    std::string entries;
    for (int i = 1; i <= 10; ++i) {
        entries += camt.Entry("100", i % 2 == 0 ? "CRDT" : "DBIT",
                              "<AcctSvcrRef>K-" + std::to_string(i) + "</AcctSvcrRef>");
    }
    const std::string good = camt.File(camt.Statement("S-1", entries));
    Damage damage("<>/&;\"'= \n");
    Outcomes outcomes;
    for (int i = 0; i < kRounds; ++i) {
        const std::string bytes = damage.Of(good);
        const ToldFile told =
            ReadFile([](StatementSink sink) { return MakeCamtReader(std::move(sink)); }, bytes,
                     damage.Piece());
        outcomes.Note(told);
        if (!told.outcome.ok()) continue;
        // An element whose name was damaged alike at both ends, or put into a comment, is no entry.
        std::int64_t begun = 0;
        for (std::size_t at = bytes.find("<Ntry>"); at != std::string::npos;
             at = bytes.find("<Ntry>", at + 1)) {
            ++begun;
        }
        if (bytes.find("<!--") != std::string::npos) continue;
        EXPECT_LE(told.summary.items + told.summary.broken_lines + told.summary.not_booked,
                  begun + 1)
            << bytes;
        EXPECT_GE(told.summary.items + told.summary.broken_lines + told.summary.not_booked, begun)
            << bytes;
    }
    outcomes.Print("camt");
    EXPECT_GT(outcomes.with_broken, 100);
    EXPECT_GT(outcomes.refused, 100);
}

}  // namespace
}  // namespace kessai::statementfile
