#include "kessai/zengin/bank_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <sstream>
#include <string>

#include "bank_table.h"
#include "kessai/testing/matchers.h"

namespace kessai::zengin {
namespace {

using testing::Refuses;
using ::testing::StartsWith;

TEST(BankDirectoryTest, FindsBanksAndBranches) {
    ASSERT_OK_AND_ASSIGN(const DirectoryEntry bank, FindBank("0001"));
    EXPECT_EQ(bank.kana.ToUtf8(), "ﾐｽﾞﾎ");
    EXPECT_EQ(bank.name, "みずほ");
    ASSERT_OK_AND_ASSIGN(const DirectoryEntry branch, FindBranch("0001", "001"));
    EXPECT_EQ(branch.kana.ToUtf8(), "ﾄｳｷﾖｳ");
    EXPECT_EQ(branch.name, "東京営業部");
    EXPECT_EQ(FindBank("0310").value().kana.ToUtf8(), "ｼﾞ-ｴﾑｵ-ｱｵｿﾞﾗﾈﾂﾄ");
    EXPECT_EQ(FindBank("9900").value().name, "ゆうちょ");
}

TEST(BankDirectoryTest, RefusesWhatIsNotThere) {
    EXPECT_THAT(FindBank("9999"), Refuses(Code::kNotFound, reason::kBankUnknown));
    EXPECT_THAT(FindBank("0000"), Refuses(Code::kNotFound, reason::kBankUnknown));
    EXPECT_THAT(FindBranch("9999", "001"), Refuses(Code::kNotFound, reason::kBankUnknown));
    EXPECT_THAT(FindBranch("0001", "000"), Refuses(Code::kNotFound, reason::kBranchUnknown));
    for (const char* malformed : {"", "1", "001", "00001", "000a", "ﾐ", "-001", "00 1"}) {
        EXPECT_THAT(FindBank(malformed),
                    Refuses(Code::kInvalidArgument, reason::kBankCodeMalformed))
            << malformed;
    }
    for (const char* malformed : {"", "1", "01", "0001", "00x"}) {
        EXPECT_THAT(FindBranch("0001", malformed),
                    Refuses(Code::kInvalidArgument, reason::kBranchCodeMalformed))
            << malformed;
    }
}

// Goal: the whole table can be used in a transfer file, and nothing of it is lost.
// Method: look up each row of the table, and count them against the directory's own counts.
TEST(BankDirectoryTest, EveryEntryFitsATransferFile) {
    const DirectoryEdition edition = EditionOfDirectory();
    EXPECT_THAT(std::string(edition.source), StartsWith("zengin-code 1.1.0."));
    std::istringstream table{std::string(internal::BankTable())};
    std::size_t banks = 0;
    std::size_t branches = 0;
    std::string bank;
    for (std::string row; std::getline(table, row);) {
        if (row.starts_with('#')) continue;
        const std::string code = row.substr(0, row.find('\t'));
        if (code.size() == 4) bank = code;
        const auto entry = code.size() == 4 ? FindBank(code) : FindBranch(bank, code);
        ASSERT_OK(entry) << bank << " " << row;
        ASSERT_EQ(code + '\t' + entry->kana.ToUtf8() + '\t' + std::string(entry->name), row);
        ASSERT_FALSE(entry->kana.empty() || entry->name.empty()) << bank << " " << row;
        ASSERT_LE(entry->kana.size(), 15u) << bank << " " << row;
        ++(code.size() == 4 ? banks : branches);
    }
    EXPECT_EQ(banks, edition.bank_count);
    EXPECT_EQ(branches, edition.branch_count);
    EXPECT_GT(banks, 1'000u);
    EXPECT_GT(branches, 25'000u);
}

}  // namespace
}  // namespace kessai::zengin
