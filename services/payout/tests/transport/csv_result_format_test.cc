#include "transport/csv_result_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "kessai/testing/matchers.h"

namespace kessai::payout::transport {
namespace {

using testing::Refuses;

const std::string kFine =
    "transfer_id,outcome,amount,reason\n"
    "1042,SETTLED,25000,\n"
    "1043,FAILED,300,ACCOUNT_CLOSED\n"
    "1044,RETURNED,70,E-1\n"
    "TOTAL,SETTLED,1,25000\n"
    "TOTAL,FAILED,1,300\n"
    "TOTAL,RETURNED,1,70\n";

std::string With(const std::string& from, const std::string& to) {
    std::string text = kFine;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(CsvResultFormatTest, AFileIsRead) {
    std::string crlf;
    for (const char c : kFine) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
    for (const std::string& text : {kFine, crlf}) {
        ASSERT_OK_AND_ASSIGN(const app::ResultFile file, CsvResultFormat().Read(text));
        ASSERT_EQ(file.results.size(), 3u);
        EXPECT_EQ(file.results[0].transfer.value(), 1042);
        EXPECT_EQ(file.results[0].outcome, domain::TransferState::kSettled);
        EXPECT_EQ(file.results[1].amount, 300);
        EXPECT_EQ(file.results[1].reason, "ACCOUNT_CLOSED");
        EXPECT_EQ(file.results[2].outcome, domain::TransferState::kReturned);
        EXPECT_EQ(file.settled, (app::ImportedResults::Sums{1, 25'000}));
        EXPECT_EQ(file.returned, (app::ImportedResults::Sums{1, 70}));
    }
}

// Goal: what is not as described is refused, with its line.
TEST(CsvResultFormatTest, AnythingElseIsRefused) {
    const std::pair<std::string, int> bad[] = {
        {"", 1},
        {"transfer_id,outcome,amount,reason", 1},
        {With("transfer_id,outcome", "id,outcome"), 1},
        {With("1042,", "01042,"), 2},
        {With("1042,", "-1,"), 2},
        {With("1042,", "+1,"), 2},
        {With("1042,", "0,"), 2},
        {With("1042,", ","), 2},
        {With("1042,", "x,"), 2},
        {With("1042,", "99999999999999999999,"), 2},
        {With("1042,SETTLED", "1042,settled"), 2},
        {With("1042,SETTLED", "1042,IN_TRANSIT"), 2},
        {With(",25000,\n", ",25000.5,\n"), 2},
        {With(",25000,\n", ",25 000,\n"), 2},
        {With(",25000,\n", ",25000,OK\n"), 2},
        {With(",25000,\n", ",25000\n"), 2},
        {With(",25000,\n", ",25000,,\n"), 2},
        {With("ACCOUNT_CLOSED", ""), 3},
        {With("ACCOUNT_CLOSED", "closed"), 3},
        {With("ACCOUNT_CLOSED", std::string(33, 'A')), 3},
        {With("TOTAL,FAILED,1,300\n", ""), 6},
        {With("TOTAL,FAILED,1,300", "TOTAL,FAILED,1,-300"), 6},
        {With("TOTAL,RETURNED,1,70\n", ""), 7},
        {With("TOTAL,RETURNED,1,70\n", "TOTAL,RETURNED,1,70"), 7},
        {With("TOTAL,RETURNED,1,70\n", "TOTAL,RETURNED,1,70\n1045,SETTLED,1,\n"), 7},
    };
    for (const auto& [text, line] : bad) {
        const auto read = CsvResultFormat().Read(text);
        ASSERT_THAT(read, Refuses(Code::kInvalidArgument, "RESULT_LINE_INVALID")) << text;
        EXPECT_THAT(std::string(read.status().message()),
                    ::testing::HasSubstr("line " + std::to_string(line) + ":"))
            << text;
    }
}

}  // namespace
}  // namespace kessai::payout::transport
