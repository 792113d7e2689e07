// Goal: a template that cannot do what it says is refused when it is saved, at its place.
// Method: one good template; each test breaks one line of it and expects the reason and the place.
#include "kessai/filetemplate/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "kessai/testing/matchers.h"
#include "orders.h"

namespace kessai::filetemplate {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kGood = R"(source: orders
description: 売上
filters:
  - status in ('PAID', 'REFUNDED')
day: {time_zone: Asia/Tokyo, cut_off: "24:00"}
maps:
  st: {PAID: 取引完了, REFUNDED: 返金完了, FAILED: 取引失敗}
  status: {PAID: 取引完了, REFUNDED: 返金完了, FAILED: 取引失敗}
columns:
  - {name: 決済番号, value: id}
  - {name: 取引金額, value: amount, format: "0"}
header:
  - names
trailer:
  - [{value: "'計'"}, {value: file.rows}, {value: total(amount), format: "#,##0"}]
lines: {layout: delimited, delimiter: ",", quoting: needed, end: crlf}
text: {encoding: shift_jis, lacking: {replace: 〓}}
file:
  name: "orders_{merchant_id}_{from}_{to:%Y%m%d}_{part:000}.csv"
  when_empty: none
  split: {by: shop, rows: 1000, bytes: 10MiB}
  compression: zip
  archive: "orders_{merchant_id}_{date}.zip"
)";

constexpr std::string_view kFixed = R"(source: orders
columns:
  - {name: id, value: id, width: 20}
  - {name: amount, value: amount, width: 10, align: right, pad: "0"}
  - {name: status, value: status, width: 8}
  - {name: at, value: accepted_at, width: 25}
header: [names]
lines: {layout: fixed}
file: {name: f}
)";

Result<Template> Parse(std::string_view yaml) {
    return Template::Parse(yaml, {{Orders(), Schema{"others", {{"id"}}}}});
}

std::string Replace(std::string_view yaml, std::string_view from, std::string_view to) {
    std::string text(yaml);
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

struct Broken {
    std::string_view from;
    std::string_view to;
    std::string_view reason;
    std::string_view message;
};

void ExpectRefused(std::string_view yaml, const std::vector<Broken>& all) {
    for (const Broken& broken : all) {
        const auto parsed = Parse(Replace(yaml, broken.from, broken.to));
        EXPECT_THAT(parsed, testing::Refuses(Code::kInvalidArgument, broken.reason)) << broken.to;
        EXPECT_THAT(std::string(parsed.status().message()), HasSubstr(std::string(broken.message)))
            << broken.to;
    }
}

TEST(TemplateTest, TheGoodOnesAreTaken) {
    const auto good = Parse(kGood);
    ASSERT_OK(good);
    EXPECT_EQ(good->source(), "orders");
    EXPECT_EQ(good->split_field(), "shop");
    EXPECT_FALSE(good->makes_empty_files());
    EXPECT_TRUE(good->follows_business_date());
    // id, shop, status, amount.
    EXPECT_THAT(good->fields_used(), ::testing::ElementsAre(true, true, false, true, false, true,
                                                            false, false, false, false, false));
    EXPECT_OK(Parse("\xEF\xBB\xBF" + std::string(kGood)));
    EXPECT_OK(Parse(kFixed));
    const auto least = Parse("source: others\ncolumns: [{name: a, value: id}]\nfile: {name: f}");
    ASSERT_OK(least);
    EXPECT_TRUE(least->makes_empty_files());
    EXPECT_EQ(least->split_field(), "");
}

TEST(TemplateTest, TheDayEndsAtItsCutOff) {
    const BusinessDate day = BusinessDate::FromNumber(20200130).value();
    const Period whole = Parse(kGood)->PeriodOf(day);
    EXPECT_EQ(whole.from, day.StartsAt());
    EXPECT_EQ(whole.to, day.Next().StartsAt());
    const auto other =
        Parse(Replace(kGood, "Asia/Tokyo, cut_off: \"24:00\"", "-10:00, cut_off: \"15:30\""));
    ASSERT_OK(other);
    EXPECT_EQ(FormatUtc(other->PeriodOf(day).from), "2020-01-30T01:30:00Z");
    EXPECT_EQ(FormatUtc(other->PeriodOf(day).to), "2020-01-31T01:30:00Z");
    EXPECT_FALSE(other->follows_business_date());
}

TEST(TemplateTest, WhatIsNoTemplateIsRefused) {
    for (const char* yaml :
         {"", "- a", "text", "source: [", "a: b\n---\nc: d", "\t: x", "source: \xFF"}) {
        EXPECT_FALSE(Parse(yaml).ok()) << yaml;
        EXPECT_THAT(std::string(Parse(yaml).status().message()), StartsWith("line ")) << yaml;
    }
    EXPECT_EQ(Parse("source: orders\ncolumns: [").status().reason(), reason::kYamlMalformed);
    EXPECT_EQ(Parse("source: orders\nx: \xFF").status().message(),
              "line 2, column 1: the line is no UTF-8");
    // What yaml-cpp takes for endless documents.
    EXPECT_EQ(Parse(",").status().reason(), reason::kYamlMalformed);
    EXPECT_EQ(Parse(std::string(kTemplateBytesMax + 1, ' ')).status().reason(),
              reason::kYamlMalformed);
    EXPECT_EQ(Parse(std::string(100'000, '[')).status().reason(), reason::kYamlMalformed);
}

TEST(TemplateTest, KeysAreChecked) {
    ExpectRefused(
        kGood,
        {
            {"description", "describtion", reason::kKeyUnknown,
             "line 2, column 1: unknown key \"describtion\"; allowed are source, description"},
            {"description: 売上", "source: orders", reason::kKeyTwice,
             "line 2, column 1: \"source\" is there twice"},
            {"source: orders\n", "", reason::kKeyMissing, "the key source is missing"},
            {"source: orders", "source: payments", reason::kSourceUnknown,
             "line 1, column 9: there is no source \"payments\"; there are orders, others"},
            {"source: orders", "source: [orders]", reason::kValueInvalid, "a single value"},
            {"name: 取引金額", "name: 決済番号", reason::kKeyTwice,
             "line 11, column 5: a column \"決済番号\" is there already"},
            {"name: 取引金額, ", "", reason::kKeyMissing, "line 11, column 5: the key name"},
            {"value: id", "values: id", reason::kKeyUnknown, "line 10, column 18: unknown key"},
            {"value: id", "value: idd", reason::kFieldUnknown, "line 10, column 25: source orders"},
            {", value: id", "", reason::kKeyMissing, "line 10, column 5: the key value is missing"},
            {"value: id", "value: [id]", reason::kValueInvalid,
             "line 10, column 25: expected a single"},
            {"columns:\n", "columns: []\nx:\n", reason::kKeyUnknown, "unknown key \"x\""},
            {"status in ('PAID', 'REFUNDED')", "status in ('PAID', 'X')", reason::kEnumValueUnknown,
             "line 4, column 24: \"X\" is none of its values"},
            {"status in ('PAID', 'REFUNDED')", "amount", reason::kTypeWrong,
             "line 4, column 5: a filter is a condition, this is of type money"},
            {"PAID: 取引完了, REFUNDED: 返金完了", "PAID: 取引完了, PAID: 返金完了",
             reason::kKeyTwice, "line 7, column 20: \"PAID\" is there twice"},
            {"  st: ", "  状態: ", reason::kValueInvalid,
             "line 7, column 3: a map's name is lower"},
            {"format: \"0\"", "format: \"0.0\"", reason::kFormatInvalid, "line 11, column 42"},
            {"format: \"0\"", "width: 5", reason::kKeyTwice,
             "only lines of fixed length have a width"},
        });
}

TEST(TemplateTest, DaysTextAndLinesAreChecked) {
    ExpectRefused(
        kGood,
        {
            {"Asia/Tokyo", "Asia/Kyoto", reason::kZoneUnknown,
             "line 5, column 18: \"Asia/Kyoto\" is no time zone here; allowed are UTC"},
            {"24:00", "00:00", reason::kValueInvalid, "allowed are 00:01 to 24:00"},
            {"24:00", "24:01", reason::kValueInvalid, "\"24:01\" is no time"},
            {"\"24:00\"", "6am", reason::kValueInvalid, "\"6am\" is no time"},
            {"shift_jis", "euc-jp", reason::kValueInvalid,
             "line 17, column 18: \"euc-jp\" is not allowed here; allowed are utf-8"},
            {"replace: 〓", "replace: 🍣", reason::kValueInvalid,
             "one character that the encoding has"},
            {"replace: 〓", "replace: \",\"", reason::kValueInvalid, "no delimiter"},
            {"{replace: 〓}", "drop", reason::kValueInvalid, "allowed are refuse and {replace"},
            {"delimiter: \",\"", "delimiter: \"x\"", reason::kValueInvalid, "\"x\" is not allowed"},
            {"delimiter: \",\"", "delimiter: \"|\"", reason::kValueInvalid,
             "second byte of characters"},
            {"quoting: needed", "quoting: some", reason::kValueInvalid, "needed, always, never"},
            {"end: crlf", "end: cr", reason::kValueInvalid, "allowed are lf, crlf"},
            {"layout: delimited", "layout: fixed", reason::kKeyTwice,
             "fixed length have no delimiter"},
            {"name: 決済番号", "name: 決済🍣", reason::kTextNotEncodable,
             "line 10, column 12: the encoding"},
            {"'計'", "'🍣'", reason::kTextNotEncodable, "line 15, column 15: the encoding lacks"},
            {"取引失敗", "🍣", reason::kTextNotEncodable, "line 7, column 44: the encoding lacks"},
        });
}

TEST(TemplateTest, HeadersAndTrailersAreChecked) {
    ExpectRefused(
        kGood,
        {
            {"- names", "- columns", reason::kValueInvalid, "line 13, column 5: a line is names"},
            {"- names", "- [{value: file.rows}]", reason::kNotAvailableHere,
             "line 21, column 40: a header with counts or totals would change"},
            {"- names", "- [{value: total(amount)}]", reason::kNotAvailableHere,
             "line 21, column 40: a header with counts or totals"},
            {"- names", "- [{value: id}]", reason::kNotAvailableHere,
             "a header or trailer has no row"},
            {"value: file.rows", "value: id", reason::kNotAvailableHere, "line 15, column 30"},
            {"total(amount)", "total(id)", reason::kTypeWrong,
             "line 15, column 56: expected a number"},
            {"total(amount)", "total(total(amount))", reason::kNotAvailableHere, "fields of rows"},
            {"total(amount)", "total(file.rows)", reason::kNotAvailableHere, "fields of rows"},
        });
}

TEST(TemplateTest, FilesAreChecked) {
    ExpectRefused(
        kGood,
        {
            {"{part:000}", "{parts}", reason::kFieldUnknown,
             "line 19, column 51: {parts} is not known of a file; known are {merchant_id}"},
            {"_{part:000}", "", reason::kFileNameAmbiguous,
             "line 19, column 9: parts have to differ"},
            {"{part:000}", "{part:x}", reason::kFormatInvalid, "allowed are 0, "},
            {"{to:%Y%m%d}", "{to:%y}", reason::kFormatInvalid,
             "line 19, column 39: allowed are %Y"},
            {"{merchant_id}", "{merchant_id:0}", reason::kFormatInvalid, "a text has no format"},
            {"{from}", "{from", reason::kFieldUnknown, "is not known of a file"},
            {"orders_{merchant_id}_{from}", "a/b", reason::kValueInvalid,
             "line 19, column 11: a file's name holds no slash"},
            {"orders_{merchant_id}_{from}", ".b", reason::kValueInvalid, "begins with no dot"},
            {"when_empty: none", "when_empty: skip", reason::kValueInvalid,
             "allowed are file, none"},
            {"by: shop", "by: shops", reason::kFieldUnknown, "line 21, column 15: source orders"},
            {"by: shop", "by: amount", reason::kTypeWrong, "a field of type text, integer"},
            {"by: shop", "by: shop & id", reason::kTypeWrong, "a field of type text, integer"},
            {"rows: 1000", "rows: 1KiB", reason::kValueInvalid, "expected a number from 1"},
            {"rows: 1000", "rows: 0", reason::kValueInvalid, "expected a number from 1"},
            {"bytes: 10MiB", "bytes: many", reason::kValueInvalid, "a size in bytes such as"},
            {"compression: zip", "compression: lzh", reason::kValueInvalid, "none, gzip, zip"},
            {"compression: zip", "compression: gzip", reason::kKeyTwice, "only zip has an archive"},
            {"_{date}.zip", "_{part}.zip", reason::kNotAvailableHere, "belong to their names"},
        });
    EXPECT_EQ(Parse(Replace(Replace(kGood, "_{part:000}", ""), "by: shop, rows: 1000, bytes: 10MiB",
                            "by: shop"))
                  .status()
                  .reason(),
              reason::kFileNameAmbiguous);
    EXPECT_OK(Parse(Replace(Replace(kGood, "{part:000}", "{split}"),
                            "by: shop, rows: 1000, bytes: 10MiB", "by: shop")));
}

TEST(TemplateTest, TheWholeIsBounded) {
    std::string yaml = "source: orders\ncolumns:\n  - {name: c0, value: &a \"id";
    for (int i = 0; i < 100; ++i) yaml += "&id";
    yaml += "\"}\n";
    for (int i = 1; i < 500; ++i) yaml += "  - {name: c" + std::to_string(i) + ", value: *a}\n";
    const auto parsed = Parse(yaml + "file: {name: f}\n");
    EXPECT_EQ(parsed.status().reason(), reason::kExpressionTooLarge);
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr("more than 20000 operations"));
}

TEST(TemplateTest, WidthsAreChecked) {
    ExpectRefused(
        kFixed,
        {
            {"width: 20", "width: 19", reason::kWidthTooSmall,
             "line 3, column 34: values take up to 20 bytes, the width is 19"},
            {"width: 10", "width: 9", reason::kWidthTooSmall, "values take up to 10 bytes"},
            {"width: 10", "width: 10, format: \"#,##0\"", reason::kWidthTooSmall, "up to 13 bytes"},
            {"width: 8", "width: 7", reason::kWidthTooSmall, "up to 8 bytes"},
            {"width: 25", "width: 24", reason::kWidthTooSmall, "up to 25 bytes"},
            {"value: status, width: 8", "value: \"default(map(status, m), 'none')\", width: 3",
             reason::kMapUnknown, "there is no map \"m\""},
            {"name: at", "name: accepted_at_with_its_offset", reason::kWidthTooSmall,
             "line 6, column 5: the column's name takes 27 bytes, the width is 25"},
            {", width: 20", "", reason::kKeyMissing, "line 3, column 5: the key width is missing"},
            {"width: 20", "width: 0", reason::kValueInvalid, "expected a number from 1 to 10000"},
            {"align: right", "align: centre", reason::kValueInvalid, "allowed are left, right"},
            {"align: right", "align: left", reason::kValueInvalid, "zeros behind a value"},
            {"pad: \"0\"", "pad: \"あ\"", reason::kValueInvalid, "one printable ASCII character"},
            {"layout: fixed", "layout: fixed, quoting: always", reason::kKeyTwice,
             "have no quoting"},
        });
    EXPECT_OK(Parse(Replace(kFixed, "name: at", "name: いつ")));
}

TEST(TemplateTest, NamesNeedNoQuotesWhereThereAreNone) {
    const std::string yaml =
        "source: others\ncolumns: [{name: \"a,b\", value: id}]\nheader: [names]\n"
        "lines: {quoting: never}\nfile: {name: f}";
    EXPECT_EQ(
        Parse(yaml).status().message(),
        "line 2, column 11: without quotes, a name in the file holds no delimiter and no line "
        "end");
    EXPECT_OK(Parse(Replace(yaml, "never", "needed")));
}

/// Rows through a template: whole files, or a refusal with a reason of its own.
void WriteSome(const Template& made) {
    KeepingSink sink;
    Writer writer = made.counts_in_header() ? Writer::Counting(made, SomeContext())
                                            : Writer(made, SomeContext(), sink);
    Status status;
    for (const Order& order : {Order{.note = "寿司🍣,\"\n"}, Order{.status = 1, .amount = -1}}) {
        if (status.ok()) status = writer.Append(order.Values());
    }
    if (status.ok()) status = writer.Finish();
    if (!status.ok()) {
        EXPECT_THAT(std::string(status.reason()), StartsWith("FILE_"));
    }
}

// Goal: whatever somebody saves, the answer is a template or a place; and files, or a reason.
// Method: random damage to good templates; the seed is printed.
TEST(TemplateTest, DamageIsRefusedWithAPlaceOrTaken) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto below = [&random](std::size_t bound) { return random() % bound; };
    const std::string_view pieces = "'\"()[]{}:,-&|<>=!#%*?\\ \t\n\r@`~0aé決🍣\xFF\xE6";
    int taken = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string yaml(round % 3 == 0 ? kFixed : kGood);
        for (std::size_t edits = 1 + below(3); edits > 0; --edits) {
            const std::size_t at = below(yaml.size());
            switch (below(4)) {
                case 0:
                    yaml.erase(at, 1 + below(8));
                    break;
                case 1:
                    yaml.insert(at, pieces.substr(below(pieces.size()), 1 + below(3)));
                    break;
                case 2:
                    yaml.insert(at, yaml.substr(below(yaml.size()), below(40)));
                    break;
                default:
                    yaml[at] = pieces[below(pieces.size())];
            }
            if (yaml.empty()) yaml = "x";
        }
        const auto parsed = Parse(yaml);
        if (parsed.ok()) {
            ++taken;
            if (parsed->source() == Orders().source) WriteSome(*parsed);
            continue;
        }
        ASSERT_EQ(parsed.status().code(), Code::kInvalidArgument);
        ASSERT_THAT(std::string(parsed.status().message()), StartsWith("line ")) << yaml;
        ASSERT_THAT(std::string(parsed.status().reason()), StartsWith("TEMPLATE_")) << yaml;
    }
    EXPECT_GT(taken, 0);
}

}  // namespace
}  // namespace kessai::filetemplate
