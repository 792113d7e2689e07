#include "kessai/zengin/bank_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "kessai/testing/matchers.h"

namespace kessai::zengin {
namespace {

using testing::Refuses;
using ::testing::StartsWith;

std::string Digits(int number, int count) {
    const std::string digits = std::to_string(number);
    return std::string(static_cast<std::size_t>(count) - digits.size(), '0') + digits;
}

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
// Method: ask for every number that there can be, count what is found against the table's own
// counts.
TEST(BankDirectoryTest, EveryEntryFitsATransferFile) {
    const DirectoryEdition edition = EditionOfDirectory();
    EXPECT_THAT(std::string(edition.source), StartsWith("zengin-code 1.1.0."));
    std::size_t banks = 0;
    std::size_t branches = 0;
    for (int bank = 0; bank < 10'000; ++bank) {
        const std::string bank_code = Digits(bank, 4);
        const auto found = FindBank(bank_code);
        if (!found.ok()) continue;
        ++banks;
        ASSERT_LE(found->kana.size(), 15u) << bank_code;
        ASSERT_FALSE(found->name.empty()) << bank_code;
        for (int branch = 0; branch < 1'000; ++branch) {
            const auto office = FindBranch(bank_code, Digits(branch, 3));
            if (!office.ok()) continue;
            ++branches;
            ASSERT_LE(office->kana.size(), 15u) << bank_code << branch;
            ASSERT_FALSE(office->kana.empty() || office->name.empty()) << bank_code << branch;
        }
    }
    EXPECT_EQ(banks, edition.bank_count);
    EXPECT_EQ(branches, edition.branch_count);
    EXPECT_GT(banks, 1'000u);
    EXPECT_GT(branches, 25'000u);
}

}  // namespace
}  // namespace kessai::zengin
