#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "kessai/testing/matchers.h"
#include "kessai/zengin/testing/notice_records.h"
#include "kessai/zengin/testing/statement_records.h"
#include "told_file.h"

namespace kessai::statementfile {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::Refuses;
using ::testing::SizeIs;

constexpr std::size_t kRecordSize = 200;

BusinessDate Day(std::string_view text) {
    return BusinessDate::Parse(text).value();
}

ToldFile Read(std::string_view bytes, std::size_t piece = std::string_view::npos) {
    return ReadFile(
        [](StatementSink sink) {
            return MakeZenginReader(zengin::StatementYears::kReiwa, std::move(sink));
        },
        bytes, piece);
}

std::string Good() {
    zengin::StatementRecords records;
    records.Header("0001", "004", "1", "0007654321", 1'000'000);
    records.Entry(/*credit=*/false, 25'300, "ｿｳｺﾞｳﾌﾘｺﾐ", "");
    records.Entry(/*credit=*/true, 300, "ﾌﾘｺﾐﾌﾉｳ", "00000000010000001043");
    records.Trailer();
    records.Header("0005", "001", "2", "1234567890", 0);
    records.Trailer();
    return records.End();
}

std::string WithAt(std::string bytes, std::size_t number, std::size_t position,
                   std::string_view text) {
    return bytes.replace((number - 1) * kRecordSize + position - 1, text.size(), text);
}

TEST(ZenginReaderTest, AStatementIsRead) {
    const ToldFile told = Read(Good(), 333);
    ASSERT_THAT(told.outcome, IsOk());
    ASSERT_THAT(told.items, SizeIs(2));
    EXPECT_EQ(told.items[1], (StatementItem{.number = 2,
                                            .line = 3,
                                            .account = "0001-004-1-7654321",
                                            .booked = Day("2026-11-30"),
                                            .value_date = Day("2026-11-30"),
                                            .amount = Yen(300),
                                            .references = {{"EDI情報", "00000000010000001043"},
                                                           {"照会番号", "00000002"}},
                                            .counterparty = "ﾔﾏﾀﾞ ﾀﾛｳ",
                                            .text = "ﾌﾘｺﾐﾌﾉｳ"}));
    EXPECT_EQ(told.items[0].amount, Yen(-25'300));
    ASSERT_THAT(told.summary.statements, SizeIs(2));
    EXPECT_EQ(told.summary.statements[0].opening, Yen(1'000'000));
    EXPECT_EQ(told.summary.statements[0].closing, Yen(975'000));
    EXPECT_TRUE(told.summary.statements[0].balance_checked);
    EXPECT_EQ(told.summary.statements[1].account, "0005-001-2-1234567890");
}

TEST(ZenginReaderTest, ANoticeIsRead) {
    zengin::NoticeRecords records;
    records.Header("0001", "004", "1", "7654321");
    records.Transfer(1'200, "ﾔﾏﾀﾞ ﾀﾛｳ", "INV-1");
    records.Transfer(1'200, "ﾔﾏﾀﾞ ﾀﾛｳ", "INV-1", /*cancelled=*/true);
    records.Trailer(true);
    const ToldFile told = Read(records.End("\n"));
    ASSERT_THAT(told.outcome, IsOk());
    ASSERT_THAT(told.items, SizeIs(2));
    EXPECT_EQ(told.items[0].account, "0001-004-1-7654321");
    EXPECT_EQ(told.items[0].amount, Yen(1'200));
    EXPECT_EQ(told.items[1].amount, Yen(-1'200));
    EXPECT_TRUE(told.items[1].is_reversal);
    EXPECT_EQ(told.summary.statements[0].opening, std::nullopt);
    EXPECT_FALSE(told.summary.statements[0].balance_checked);
    EXPECT_TRUE(told.summary.statements[0].sums_checked);
}

TEST(ZenginReaderTest, ABrokenRecordIsTold) {
    const ToldFile told = Read(WithAt(Good(), 2, 10, "081399"));
    ASSERT_THAT(told.outcome, IsOk());
    ASSERT_THAT(told.broken, SizeIs(1));
    EXPECT_EQ(told.broken[0].line, 2u);
    EXPECT_EQ(told.broken[0].number, 1u);
    EXPECT_THAT(told.broken[0].why, Refuses(Code::kInvalidArgument, reason::kRecordMalformed));
    EXPECT_THAT(std::string(told.broken[0].why.message()), HasSubstr("勘定日"));
    EXPECT_EQ(told.broken[0].amount, Yen(-25'300));
    ASSERT_THAT(told.items, SizeIs(1));
    EXPECT_EQ(told.items[0].number, 2u);
}

// Goal: a file that can't be trusted as a whole is refused by a name of this library.
TEST(ZenginReaderTest, RefusesTheFile) {
    const std::string utf8 = [] {
        std::string text = Good();
        return text.replace(26, 5, "ﾐｽﾞﾎ");
    }();
    const struct {
        std::string bytes;
        std::string_view reason;
        std::string_view says;
    } bad[] = {
        {"", reason::kFileIncomplete, "before its end"},
        {Good().substr(0, 4 * kRecordSize), reason::kFileIncomplete, "before its end"},
        {WithAt(Good(), 4, 8, "0000000000301"), reason::kTotalsWrong, "301"},
        {WithAt(Good(), 4, 2, "000002"), reason::kTotalsWrong, "入金件数"},
        {WithAt(Good(), 4, 41, "00000000975001"), reason::kTotalsWrong, "975000"},
        {WithAt(Good(), 1, 2, "04"), reason::kFormatUnsupported, "04"},
        {WithAt(Good(), 1, 4, "1"), reason::kEncodingWrong, "EBCDIC"},
        {"\xF1\xF0\xF3", reason::kEncodingWrong, "EBCDIC"},
        {"\xEF\xBB\xBF" + Good(), reason::kEncodingWrong, "UTF-8"},
        {utf8, reason::kEncodingWrong, "UTF-8"},
        {WithAt(Good(), 1, 5, "081399"), reason::kFileMalformed, "作成日"},
        {WithAt(Good(), 3, 1, "9"), reason::kFileMalformed, "not in its place"},
    };
    for (const auto& [bytes, reason, says] : bad) {
        const ToldFile told = Read(bytes);
        ASSERT_THAT(told.outcome, Refuses(Code::kInvalidArgument, reason)) << says;
        if (reason != reason::kFormatUnsupported) {
            EXPECT_THAT(std::string(told.outcome.message()), HasSubstr(std::string(says)));
        }
    }
}

TEST(ZenginReaderTest, WhatTheSinkRefusesTheReaderRefuses) {
    const auto reader = MakeZenginReader(
        zengin::StatementYears::kReiwa,
        {.item = [](StatementItem&&) { return Status(Code::kUnavailable, "GONE", "gone"); },
         .broken = [](BrokenLine&&) { return OkStatus(); }});
    EXPECT_THAT(reader->Take(Good()), Refuses(Code::kUnavailable, "GONE"));
}

}  // namespace
}  // namespace kessai::statementfile
