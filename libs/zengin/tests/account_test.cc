#include "kessai/zengin/account.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kessai/testing/matchers.h"
#include "kessai/zengin/bank_directory.h"

namespace kessai::zengin {
namespace {

using ::testing::HasSubstr;
using testing::Refuses;

constexpr AccountFields kGood{"0001", "001", 1, "0123456", "ヤマダ　タロウ"};

TEST(AccountTest, TakesAnAccountThatCanBe) {
    ASSERT_OK_AND_ASSIGN(const Account account, CheckAccount(kGood));
    EXPECT_EQ(account.bank_code, "0001");
    EXPECT_EQ(account.branch_code, "001");
    EXPECT_EQ(account.type, AccountType::kOrdinary);
    EXPECT_EQ(account.number, "0123456");
    EXPECT_EQ(account.holder.ToUtf8(), "ﾔﾏﾀﾞ ﾀﾛｳ");
    for (const int type : {2, 4}) {
        AccountFields fields = kGood;
        fields.type = type;
        ASSERT_OK_AND_ASSIGN(const Account other, CheckAccount(fields));
        EXPECT_EQ(static_cast<int>(other.type), type);
    }
}

// Goal: each thing that can be wrong has its own name.
// Method: break a good account in one place at a time.
TEST(AccountTest, NamesWhatIsWrong) {
    const auto with = [](auto change) {
        AccountFields fields = kGood;
        change(fields);
        return CheckAccount(fields);
    };
    const auto invalid = [](std::string_view reason) {
        return Refuses(Code::kInvalidArgument, reason);
    };
    EXPECT_THAT(with([](auto& f) { f.bank_code = "9999"; }),
                Refuses(Code::kNotFound, reason::kBankUnknown));
    EXPECT_THAT(with([](auto& f) { f.branch_code = "000"; }),
                Refuses(Code::kNotFound, reason::kBranchUnknown));
    EXPECT_THAT(with([](auto& f) { f.bank_code = "1"; }), invalid(reason::kBankCodeMalformed));
    EXPECT_THAT(with([](auto& f) { f.branch_code = "1"; }), invalid(reason::kBranchCodeMalformed));
    for (const int type : {0, 3, 5, 9, -1, 257}) {
        EXPECT_THAT(with([&](auto& f) { f.type = type; }), invalid(reason::kAccountTypeUnknown));
    }
    for (const char* number : {"", "123456", "12345678", "012345a", "0000000", " 123456"}) {
        EXPECT_THAT(with([&](auto& f) { f.number = number; }),
                    invalid(reason::kAccountNumberMalformed))
            << number;
    }
    EXPECT_THAT(with([](auto& f) { f.holder = "　"; }), invalid(reason::kAccountHolderMissing));
    const auto kanji = with([](auto& f) { f.holder = "ヤマダ太郎"; });
    EXPECT_THAT(kanji, invalid(reason::kKanaNotAllowed));
    EXPECT_THAT(std::string(kanji.status().message()), HasSubstr("account holder: character 4"));
    EXPECT_THAT(with([](auto& f) { f.holder = "ガガガガガガガガガガガガガガガ"; }),
                testing::IsOk());
    EXPECT_THAT(with([](auto& f) { f.holder = "ガガガガガガガガガガガガガガガア"; }),
                invalid(reason::kNameTooLong));
}

}  // namespace
}  // namespace kessai::zengin
