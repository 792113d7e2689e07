#include "kessai/statementfile/csv_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "kessai/testing/matchers.h"

namespace kessai::statementfile {
namespace {

using ::testing::HasSubstr;
using testing::Refuses;

constexpr std::string_view kSmallest = R"(name: small
encoding: utf_8
account: "0001-004-1-7654321"
columns:
  booked: 取引日
  amount: 金額
)";

TEST(CsvTemplateTest, DefaultsAreThoseOfTheReadme) {
    ASSERT_OK_AND_ASSIGN(const CsvTemplate layout, CsvTemplate::Parse(kSmallest));
    EXPECT_EQ(layout.delimiter, ',');
    EXPECT_TRUE(layout.has_header);
    EXPECT_EQ(layout.columns.booked.name, "取引日");
    EXPECT_EQ(layout.columns.booked.position, 0u);
    EXPECT_FALSE(layout.columns.in.given());
    EXPECT_EQ(layout.date.pattern(), "yyyy/MM/dd");
    EXPECT_EQ(layout.currency, Currency::Jpy());
}

TEST(CsvTemplateTest, ReadsEveryKey) {
    ASSERT_OK_AND_ASSIGN(const CsvTemplate layout, CsvTemplate::Parse(R"(name: all
encoding: shift_jis
delimiter: tab
skip_lines: 3
header: false
column_count: 9
currency: JPY
date: yyyyMMdd
order: newest_first
number: {thousands: "'", decimal: ",", units: [円, ¥]}
sign: {in: [入], out: [出]}
not_booked: [取消]
columns:
  account: "#1"
  booked: "#2"
  value_date: "#3"
  amount: "#4"
  sign: "#5"
  balance: "#6"
  counterparty: "#7"
  text: "#8"
  status: "#9"
  references: ["#7", "#8"]
totals: {marker: 合計, count: "#2", net: "#4"}
)"));
    EXPECT_EQ(layout.encoding, TextEncoding::kShiftJis);
    EXPECT_EQ(layout.delimiter, '\t');
    EXPECT_EQ(layout.skip_lines, 3u);
    EXPECT_EQ(layout.columns.sign.position, 5u);
    EXPECT_EQ(layout.columns.references[1].position, 8u);
    EXPECT_EQ(layout.totals.marker_at.position, 1u);
    EXPECT_EQ(layout.order, LineOrder::kNewestFirst);
}

// Goal: a template that can't be meant is refused, and the message says where and what.
TEST(CsvTemplateTest, RefusesWithThePlace) {
    const std::string good(kSmallest);
    const auto without = [&](std::string_view line) {
        std::string yaml = good;
        return yaml.erase(yaml.find(line), line.size());
    };
    const struct {
        std::string yaml;
        std::string_view says;
    } bad[] = {
        {"", "missing key name"},
        {"name: [", "template:1: not YAML"},
        {good + "  amonut: x\n", "template:7: unknown key columns.amonut (did you mean"},
        {good + "  booked: x\n", "template:7: key columns.booked is repeated"},
        {good + "encoding: utf_8\n", "template:7: key encoding is repeated"},
        {without("encoding: utf_8\n"), "missing key encoding"},
        {without("  booked: 取引日\n"), "missing key columns.booked"},
        {without("account: \"0001-004-1-7654321\"\n"), "account, or columns.account"},
        {good + "  account: x\n", "account, or columns.account"},
        {without("  amount: 金額\n"), "columns.amount, or columns.in and columns.out"},
        {good + "  in: x\n", "columns.amount, or columns.in and columns.out"},
        {good + "  sign: x\n", "columns.sign needs the values"},
        {good + "sign: {in: [a]}\n", "columns.sign needs the values"},
        {good + "  sign: x\nsign: {in: [a], out: [a]}\n", "both have \"a\""},
        {good + "  status: x\n", "columns.status needs the values"},
        {good + "not_booked: [x]\n", "columns.status needs the values"},
        {good + "  text: \"#0\"\n", "columns.text: \"#0\" is no position"},
        {good + "  text: \"#x\"\n", "columns.text: \"#x\" is no position"},
        {good + "  references: [\"#999\"]\n", "columns.references: \"#999\" is no position"},
        {good + "header: false\n", "without a header"},
        {good + "date: yyyy/MM\n", "date: \"yyyy/MM\" needs one year"},
        {good + "delimiter: ab\n", "delimiter: expected one character"},
        {good + "delimiter: '\"'\n", "delimiter: expected one character"},
        {good + "currency: USD\n", "currency: the only currency handled"},
        {good + "skip_lines: -1\n", "template:7: skip_lines"},
        {good + "encoding2: ebcdic\n", "unknown key encoding2"},
        {"encoding: ebcdic\n", "template:1: encoding: expected one of utf_8, shift_jis, euc_jp"},
        {good + "number: {thousands: '.'}\n", "number.thousands and number.decimal are the same"},
        {good + "totals: {marker: x}\n", "totals.marker needs one of"},
        {good + "totals: {count: x}\n", "totals.marker needs one of"},
    };
    for (const auto& [yaml, says] : bad) {
        const auto read = CsvTemplate::Parse(yaml);
        ASSERT_FALSE(read.ok()) << says;
        EXPECT_EQ(read.status().code(), Code::kInvalidArgument);
        EXPECT_THAT(std::string(read.status().message()), HasSubstr(std::string(says)));
    }
}

}  // namespace
}  // namespace kessai::statementfile
