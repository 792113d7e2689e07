#include "transport/statement_result_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "kessai/testing/matchers.h"
#include "kessai/zengin/testing/statement_records.h"

namespace kessai::payout::transport {
namespace {

using ::testing::HasSubstr;
using testing::Refuses;

const zengin::Account kOurs{"0001", "004", zengin::AccountType::kOrdinary, "7654321", {}};

StatementResultFormat Format() {
    return {zengin::StatementYears::kReiwa, kOurs};
}

void Ours(zengin::StatementRecords& records) {
    records.Header("0001", "004", "1", "0007654321", 1'000'000);
}

TEST(StatementResultFormatTest, CreditsOfWhatDidNotArriveAreTaken) {
    zengin::StatementRecords records;
    records.Header("0001", "004", "1", "0001111111", 0);
    // Of another account.
    records.Entry(true, 1, "ﾌﾘｺﾐﾌﾉｳ", "00000000000000000005");
    records.Trailer();
    Ours(records);
    records.Entry(false, 25'300, "ｿｳｺﾞｳﾌﾘｺﾐ", "");
    records.Entry(true, 300, "ﾌﾘｺﾐﾌﾉｳ", "00000000000000001043");
    // A payment to us, and one that we called back ourselves, whose debit is none of ours.
    records.Entry(true, 77, "ﾌﾘｺﾐ", "ｾｲｷﾕｳ12");
    records.Entry(false, 5, "ｸﾐﾓﾄﾞｼ", "");
    records.Entry(true, 25'000, "ｸﾐﾓﾄﾞｼ", "00000000011000000002");
    records.Trailer();
    ASSERT_OK_AND_ASSIGN(const app::ResultFile file, Format().Read(records.End("\n")));
    ASSERT_EQ(file.results.size(), 2u);
    EXPECT_EQ(file.results[0].transfer.value(), 1043);
    EXPECT_EQ(file.results[0].outcome, domain::TransferState::kReturned);
    EXPECT_FALSE(file.results[0].settled_before);
    EXPECT_EQ(file.results[0].amount, 300);
    EXPECT_EQ(file.results[0].reason, "TRANSFER_IMPOSSIBLE");
    EXPECT_EQ(file.results[1].transfer.value(), 11'000'000'002);
    EXPECT_EQ(file.results[1].reason, "RECALLED");
    EXPECT_EQ(file.returned, (app::ImportedResults::Sums{2, 25'300}));
    EXPECT_EQ(file.settled, (app::ImportedResults::Sums{}));
    EXPECT_EQ(file.failed, (app::ImportedResults::Sums{}));
}

// Goal: nothing that came back is passed over because it cannot be told whose it is.
TEST(StatementResultFormatTest, ACreditWithoutOurDigitsIsRefused) {
    for (const char* edi : {"", "1043", "0000000000000000104A", "00000000000000000000",
                            "99999999999999999999", "-0000000000000001043", "ﾃﾞﾝﾋﾟﾖｳ"}) {
        zengin::StatementRecords records;
        Ours(records);
        records.Entry(true, 300, "ﾌﾉｳ", edi);
        records.Trailer();
        const auto read = Format().Read(records.End());
        ASSERT_THAT(read, Refuses(Code::kInvalidArgument, "RESULT_LINE_INVALID")) << edi;
        EXPECT_THAT(std::string(read.status().message()), HasSubstr("record 2: a credit of 300"));
    }
}

TEST(StatementResultFormatTest, AFileThatIsNoStatementOfOursIsRefused) {
    zengin::StatementRecords records;
    records.Header("0001", "004", "1", "0001111111", 0);
    records.Trailer();
    const std::string other = records.End();
    EXPECT_THAT(Format().Read(other), Refuses(Code::kInvalidArgument, "RESULT_LINE_INVALID"));
    EXPECT_OK(StatementResultFormat(zengin::StatementYears::kReiwa, std::nullopt).Read(other));
    const auto read = Format().Read("transfer_id,outcome,amount,reason\n");
    ASSERT_THAT(read, Refuses(Code::kInvalidArgument, "RESULT_LINE_INVALID"));
    EXPECT_THAT(std::string(read.status().message()), HasSubstr("RECORD_LENGTH_WRONG"));
}

}  // namespace
}  // namespace kessai::payout::transport
