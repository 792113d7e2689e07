#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "kessai/testing/matchers.h"
#include "kessai/zengin/testing/jis_bytes.h"
#include "told_file.h"

namespace kessai::statementfile {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::Refuses;
using ::testing::SizeIs;

BusinessDate Day(std::string_view text) {
    return BusinessDate::Parse(text).value();
}

/// In and out in columns of their own, balances, totals.
constexpr std::string_view kBank = R"(name: bank
encoding: utf_8
skip_lines: 1
account: "0001-004-1-7654321"
date: yyyy/M/d
columns:
  booked: 取引日
  in: お預入れ
  out: お引出し
  balance: 残高
  counterparty: 相手
  text: 摘要
  references: [番号]
totals: {marker: 合計, in: お預入れ, out: お引出し, count: 残高}
)";
constexpr std::string_view kHeader = "取引日,番号,お引出し,お預入れ,残高,相手,摘要\n";

std::string Good() {
    return "口座の明細\n" + std::string(kHeader) +
           "2026/11/29,K-1,,\"1,000\",\"101,000\",ヤマダ,振込\n"
           "2026/11/30,K-2,\"25,300\",,\"75,700\",,\"手数料, 込み\"\n"
           "2026/11/30,,,300,\"76,000\",スズキ,\"\"\"急\"\"\"\n"
           "合計,,\"25,300\",\"1,300\",3,,\n";
}

ToldFile Read(std::string_view layout, std::string_view bytes,
              std::size_t piece = std::string_view::npos) {
    return ReadFile(
        [&](StatementSink sink) {
            return MakeCsvReader(CsvTemplate::Parse(layout).value(), std::move(sink));
        },
        bytes, piece);
}

std::string Replaced(std::string text, std::string_view what, std::string_view by) {
    const std::size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), by);
}

// Goal: every column becomes the item's field, and how the file is cut into pieces changes nothing.
TEST(CsvReaderTest, AFileIsRead) {
    for (const std::size_t piece : {1, 3, 50, 100'000}) {
        const ToldFile told = Read(kBank, Good(), piece);
        ASSERT_THAT(told.outcome, IsOk());
        ASSERT_THAT(told.items, SizeIs(3));
        EXPECT_EQ(told.items[0], (StatementItem{.number = 1,
                                                .line = 3,
                                                .account = "0001-004-1-7654321",
                                                .booked = Day("2026-11-29"),
                                                .value_date = Day("2026-11-29"),
                                                .amount = Yen(1'000),
                                                .references = {{"番号", "K-1"}},
                                                .counterparty = "ヤマダ",
                                                .text = "振込"}));
        EXPECT_EQ(told.items[1].amount, Yen(-25'300));
        EXPECT_EQ(told.items[1].text, "手数料, 込み");
        EXPECT_THAT(told.items[2].references, IsEmpty());
        EXPECT_EQ(told.items[2].text, "\"急\"");
        ASSERT_THAT(told.summary.statements, SizeIs(1));
        const StatementSummary& summary = told.summary.statements[0];
        EXPECT_EQ(summary.opening, Yen(100'000));
        EXPECT_EQ(summary.closing, Yen(76'000));
        EXPECT_EQ(summary.first, Day("2026-11-29"));
        EXPECT_EQ(summary.last, Day("2026-11-30"));
        EXPECT_EQ(summary.movements, (Movements{2, Yen(1'300), 1, Yen(25'300)}));
        EXPECT_TRUE(summary.counts_checked && summary.sums_checked && summary.balance_checked);
    }
}

TEST(CsvReaderTest, TheFileIsKnownByItsBytes) {
    const std::string bytes = "取引日,金額\n2026/11/30,5\n";
    constexpr std::string_view kLayout =
        "name: x\nencoding: utf_8\naccount: a\n"
        "columns: {booked: 取引日, amount: 金額}\n";
    const ToldFile once = Read(kLayout, bytes, 1);
    const ToldFile again = Read(kLayout, bytes);
    ASSERT_THAT(once.outcome, IsOk());
    // As sha256sum has it.
    EXPECT_EQ(once.summary.sha256,
              "256733f333fc6cf303c56b63bae70f79a318c40e9273a2ef602295d7ca64b6db");
    EXPECT_EQ(once.summary, again.summary);
    EXPECT_NE(once.summary.sha256, Read(kLayout, bytes + "\n").summary.sha256);
}

TEST(CsvReaderTest, ABrokenLineIsToldAndTheRestGoesOn) {
    const struct {
        std::string_view what;
        std::string_view by;
        std::string_view reason;
        std::string_view says;
        std::optional<Money> amount;
    } broken[] = {
        {"2026/11/30,K-2", "2026/11/31,K-2", reason::kDateMalformed, "column 取引日", Yen(-25'300)},
        {"2026/11/30,K-2", ",K-2", reason::kFieldMissing, "column 取引日", Yen(-25'300)},
        {"\"25,300\",,", "\"25,30\",,", reason::kAmountMalformed, "column お引出し", {}},
        {"\"25,300\",,", "25300.5,,", reason::kAmountMalformed, "fraction", {}},
        {"\"25,300\",,", "99999999999999999999,,", reason::kAmountMalformed, "64 bits", {}},
        {"\"25,300\",,", "5,6,", reason::kAmountMalformed, "both have an amount", {}},
        {"\"25,300\",,", ",,", reason::kFieldMissing, "お預入れ", {}},
        {"\"75,700\"", "75x", reason::kAmountMalformed, "column 残高", Yen(-25'300)},
        {"K-2,", "K-2,,", reason::kColumnsWrong, "has 8 columns, not 7", {}},
        {"\"手数料, 込み\"", "\"手数料, 込み", reason::kQuoteMalformed, "not closed", {}},
        {"\"手数料, 込み\"", "\"手数料\"込み", reason::kQuoteMalformed, "column 7", {}},
    };
    for (const auto& [what, by, reason, says, amount] : broken) {
        const ToldFile told = Read(kBank, Replaced(Good(), what, by));
        ASSERT_THAT(told.outcome, IsOk()) << by;
        EXPECT_THAT(told.items, SizeIs(2));
        EXPECT_EQ(told.items[1].number, 3u);
        ASSERT_THAT(told.broken, SizeIs(1));
        EXPECT_EQ(told.broken[0].number, 2u);
        EXPECT_EQ(told.broken[0].line, 4u);
        EXPECT_THAT(told.broken[0].why, Refuses(Code::kInvalidArgument, reason)) << by;
        EXPECT_THAT(std::string(told.broken[0].why.message()), HasSubstr(says));
        EXPECT_EQ(told.broken[0].amount, amount) << by;
        EXPECT_EQ(told.summary.statements[0].unread, amount ? 0 : 1);
        EXPECT_FALSE(told.summary.statements[0].balance_checked);
    }
}

TEST(CsvReaderTest, ALineTooLongIsBroken) {
    const ToldFile told = Read(kBank, Replaced(Good(), "K-2", std::string(100'000, 'x')), 4096);
    ASSERT_THAT(told.outcome, IsOk());
    EXPECT_THAT(told.items, SizeIs(2));
    ASSERT_THAT(told.broken, SizeIs(1));
    EXPECT_THAT(told.broken[0].why, Refuses(Code::kInvalidArgument, reason::kLineTooLong));
}

// Goal: what makes the whole file untrustworthy refuses it by name, with the place and the numbers.
TEST(CsvReaderTest, RefusesTheFile) {
    const struct {
        std::string bytes;
        std::string_view reason;
        std::string_view says;
    } bad[] = {
        {"", reason::kFileIncomplete, "the file is empty"},
        {"口座の明細\n", reason::kFileIncomplete, "before its header"},
        {Replaced(Good(), "番号", "No"), reason::kColumnMissing, "no column \"番号\""},
        {Replaced(Good(), "摘要\n", "摘要,番号\n"), reason::kColumnMissing, "two columns \"番号\""},
        {Replaced(Good(), "番号,", "\"番号,"), reason::kFileMalformed, "the header"},
        {Replaced(Good(), "\"76,000\"", "\"76,001\""), reason::kTotalsWrong,
         "line 5: the balance is 76001 JPY, the line before makes 76000 JPY"},
        {Replaced(Good(), "\"1,300\"", "\"1,301\""), reason::kTotalsWrong,
         "line 6, in: the sum is 1301, the lines sum to 1300"},
        {Replaced(Good(), "\"25,300\",\"1,3", "\"25,299\",\"1,3"), reason::kTotalsWrong,
         "line 6, out"},
        {Replaced(Good(), ",3,,", ",4,,"), reason::kTotalsWrong, "the count is 4, the lines are 3"},
        {Replaced(Good(), ",3,,", ",x,,"), reason::kFileMalformed, "line 6, the totals"},
        {Good().substr(0, Good().find("合計")), reason::kFileIncomplete, "合計"},
        {Good() + "2026/11/30,,,1,2,,\n", reason::kFileMalformed, "line 7 is behind the totals"},
        {Replaced(Good(), "ヤマダ", "\x83\x84"), reason::kEncodingWrong, "line 3 is not UTF-8"},
        {"\xFF\xFE" + Good(), reason::kEncodingWrong, "UTF-16"},
    };
    for (const auto& [bytes, reason, says] : bad) {
        const ToldFile told = Read(kBank, bytes);
        ASSERT_THAT(told.outcome, Refuses(Code::kInvalidArgument, reason)) << says;
        EXPECT_THAT(std::string(told.outcome.message()), HasSubstr(std::string(says)));
    }
    EXPECT_THAT(Read(kBank, "\xEF\xBB\xBF" + Good()).outcome, IsOk());
}

// Goal: totals hold with a broken line as far as they can: no known sum is above them.
TEST(CsvReaderTest, TotalsWithABrokenLine) {
    const std::string broken = Replaced(Good(), "\"25,300\",,", "x,,");
    EXPECT_THAT(Read(kBank, broken).outcome, IsOk());
    EXPECT_THAT(Read(kBank, Replaced(broken, "\"1,300\"", "\"1,299\"")).outcome,
                Refuses(Code::kInvalidArgument, reason::kTotalsWrong));
    EXPECT_THAT(Read(kBank, Replaced(broken, ",3,,", ",2,,")).outcome,
                Refuses(Code::kInvalidArgument, reason::kTotalsWrong));
}

/// One amount with a sign beside it, by position, newest first, several accounts.
constexpr std::string_view kNetwork = R"(name: network
encoding: shift_jis
header: false
delimiter: tab
date: yyyyMMdd
order: newest_first
number: {units: [円]}
sign: {in: [入], out: [出, 手]}
not_booked: [取消]
columns: {account: "#1", booked: "#2", value_date: "#3", sign: "#4", amount: "#5", balance: "#6",
          status: "#7", references: ["#8"]}
)";
/// 入, 出, 円, 取消 in Shift_JIS.
const std::string kIn = "\x93\xFC";
const std::string kOut = "\x8F\x6F";
const std::string kYenSign = "\x89\x7E";
const std::string kCancelled = "\x8E\xE6\x8F\xC1";

std::string NetworkFile() {
    return "A\t20261130\t20261201\t" + kIn + "\t1,000" + kYenSign + "\t4,500\t\t" +
           zengin::JisBytes("ﾃｽﾄ1") + "\r\n" + "B\t20261130\t\t" + kOut + "\t7\t-7\t\tX\r\n" +
           "A\t20261129\t\t" + kIn + "\t1\t0\t" + kCancelled + "\t\r\n" + "A\t20261129\t\t" + kOut +
           "\t500\t3,500\t\t\r\n\r\n";
}

TEST(CsvReaderTest, ShiftJisByPositionNewestFirst) {
    const ToldFile told = Read(kNetwork, NetworkFile(), 5);
    ASSERT_THAT(told.outcome, IsOk());
    ASSERT_THAT(told.items, SizeIs(3));
    EXPECT_EQ(told.items[0].amount, Yen(1'000));
    EXPECT_EQ(told.items[0].value_date, Day("2026-12-01"));
    EXPECT_THAT(told.items[0].references, ElementsAre(Reference{"#8", "ﾃｽﾄ1"}));
    EXPECT_EQ(told.items[1].amount, Yen(-7));
    EXPECT_EQ(told.items[2].amount, Yen(-500));
    EXPECT_EQ(told.summary.not_booked, 1);
    ASSERT_THAT(told.summary.statements, SizeIs(2));
    EXPECT_EQ(told.summary.statements[0].account, "A");
    EXPECT_EQ(told.summary.statements[0].opening, Yen(4'000));
    EXPECT_EQ(told.summary.statements[0].closing, Yen(4'500));
    EXPECT_EQ(told.summary.statements[1].closing, Yen(-7));
    EXPECT_THAT(Read(kNetwork, Replaced(NetworkFile(), "3,500", "3,501")).outcome,
                Refuses(Code::kInvalidArgument, reason::kTotalsWrong));
}

TEST(CsvReaderTest, SignsThatAreNoneOfTheTemplates) {
    const ToldFile told = Read(kNetwork, Replaced(NetworkFile(), kOut + "\t500", "?\t500"));
    ASSERT_THAT(told.outcome, IsOk());
    ASSERT_THAT(told.broken, SizeIs(1));
    EXPECT_THAT(told.broken[0].why, Refuses(Code::kInvalidArgument, reason::kSignUnknown));
}

TEST(CsvReaderTest, Utf8UnderATemplateOfShiftJisIsRefused) {
    std::string bytes = NetworkFile();
    bytes = Replaced(bytes, kCancelled, "取消");
    // The rest without Shift_JIS.
    for (const auto& [from, to] : {std::pair{kYenSign, std::string("")},
                                   {kIn, "入金"},
                                   {kOut, "出金"},
                                   {kIn, "入金"},
                                   {kOut, "出金"}}) {
        bytes = Replaced(bytes, from, to);
    }
    bytes = Replaced(bytes, zengin::JisBytes("ﾃｽﾄ1"), "T");
    EXPECT_THAT(Read(kNetwork, bytes).outcome,
                Refuses(Code::kInvalidArgument, reason::kEncodingWrong));
    EXPECT_THAT(Read(kNetwork, "\xEF\xBB\xBF" + NetworkFile()).outcome,
                Refuses(Code::kInvalidArgument, reason::kEncodingWrong));
}

TEST(CsvReaderTest, AmountsAsTheyAreWritten) {
    constexpr std::string_view kLayout =
        "name: x\nencoding: utf_8\naccount: a\nheader: false\ndelimiter: ;\n"
        "number: {units: [円, ¥]}\ncolumns: {booked: '#1', amount: '#2'}\n";
    const struct {
        std::string_view text;
        std::optional<std::int64_t> yen;
    } amounts[] = {
        {"0", 0},
        {"12", 12},
        {"+12", 12},
        {"-12", -12},
        {"△1,234", -1'234},
        {"▲1234", -1'234},
        {"−5", -5},
        {"(5)", -5},
        {"¥1,234,567", 1'234'567},
        {"1,234円", 1'234},
        {"-¥5", -5},
        {"¥-5", -5},
        {"5.00", 5},
        {" 5 ", 5},
        {"9223372036854775807", INT64_MAX},
        {"", {}},
        {"-", {}},
        {"1,23", {}},
        {"1234,567", {}},
        {",123", {}},
        {"1.", {}},
        {"1.5", {}},
        {"1 2", {}},
        {"--1", {}},
        {"(-5)", {}},
        {"５", {}},
        {"1e3", {}},
        {"9223372036854775808", {}},
    };
    for (const auto& [text, yen] : amounts) {
        const ToldFile told = Read(kLayout, "2026/11/30;" + std::string(text) + "\n");
        ASSERT_THAT(told.outcome, IsOk());
        ASSERT_EQ(told.items.size(), yen ? 1u : 0u) << text;
        if (yen) {
            EXPECT_EQ(told.items[0].amount, Yen(*yen)) << text;
        }
    }
}

TEST(CsvReaderTest, WhatTheSinkRefusesTheReaderRefuses) {
    const auto reader = MakeCsvReader(
        CsvTemplate::Parse(kBank).value(),
        {.item = [](StatementItem&&) { return Status(Code::kUnavailable, "GONE", "gone"); },
         .broken = [](BrokenLine&&) { return OkStatus(); }});
    EXPECT_THAT(reader->Take(Good()), Refuses(Code::kUnavailable, "GONE"));
    EXPECT_THAT(reader->Take("x"), Refuses(Code::kFailedPrecondition, reason::kReaderClosed));
    EXPECT_THAT(reader->Finish(), Refuses(Code::kFailedPrecondition, reason::kReaderClosed));
}

}  // namespace
}  // namespace kessai::statementfile
