// Goal: an expression means what README.md says, and what can't be meant is refused where it
// stands. Method: each expression in a template of its own, over one row.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "kessai/filetemplate/writer.h"
#include "kessai/testing/matchers.h"
#include "orders.h"

namespace kessai::filetemplate {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// The value's place is line 7, column 26.
std::string YamlOf(const std::string& expression, const std::string& more = "") {
    return "source: orders\n"
           "maps:\n"
           "  status: {PAID: 取引完了, REFUNDED: 返金完了, FAILED: 取引失敗}\n"
           "  some: {PAID: paid}\n"
           "  method: {WALLET: 残高, POINT: ポイント, CARD: カード}\n"
           "  shop: {s-1: 本店, s-2: 支店}\n"
           "columns: [{name: c, value: " +
           expression + more + "}]\nfile: {name: f}\n";
}

/// What it is printed as; a refusal's text otherwise.
std::string EvalRow(const std::string& expression, const std::vector<Value>& row,
                    const std::string& more = "") {
    const auto parsed = Template::Parse(YamlOf('"' + expression + '"', more), {{Orders()}});
    if (!parsed.ok()) return parsed.status().ToString();
    KeepingSink sink;
    Writer writer(*parsed, SomeContext(), sink);
    if (const Status status = writer.Append(row); !status.ok()) return status.ToString();
    EXPECT_OK(writer.Finish());
    std::string line = sink.files.at(0).bytes;
    line.pop_back();
    return line;
}
std::string Eval(const std::string& expression, const Order& order = {},
                 const std::string& more = "") {
    return EvalRow(expression, order.Values(), more);
}

Status Refusal(const std::string& expression, const std::string& more = "") {
    return Template::Parse(YamlOf('"' + expression + '"', more), {{Orders()}}).status();
}

std::vector<Value> EmptyRow() {
    return std::vector<Value>(Orders().fields.size());
}

TEST(ExpressionTest, FieldsAndLiteralsOfEachType) {
    EXPECT_EQ(Eval("id"), "o-1");
    EXPECT_EQ(Eval("status"), "PAID");
    EXPECT_EQ(Eval("methods", {.methods = 0b101}), "\"WALLET,CARD\"");
    EXPECT_EQ(Eval("methods", {.methods = 0}), "\"\"");
    EXPECT_EQ(Eval("amount", {.amount = -480}), "-480");
    EXPECT_EQ(Eval("items"), "3");
    EXPECT_EQ(Eval("accepted_at"), "2020-01-30T10:53:25+09:00");
    EXPECT_EQ(Eval("day"), "2020-01-30");
    EXPECT_EQ(Eval("details", {.details = "{}"}), "{}");
    EXPECT_EQ(Eval("'it''s'"), "it's");
    EXPECT_EQ(Eval("-12"), "-12");
    EXPECT_EQ(Eval("file.merchant_id & '/' & file.part & '/' & file.version"), "m-1/1/1");
    EXPECT_EQ(Eval("file.from & ' ' & file.to"),
              "2020-01-30T00:00:00+09:00 2020-01-30T23:59:59+09:00");
}

TEST(ExpressionTest, EmptyValuesArePrintedAsNothing) {
    for (const Field& field : Orders().fields) {
        if (field.type == Type::kBoolean) continue;
        EXPECT_EQ(EvalRow(field.name, EmptyRow()), "\"\"") << field.name;
    }
    EXPECT_EQ(EvalRow("'<' & amount & status & accepted_at & '>'", EmptyRow()), "<>");
    EXPECT_EQ(EvalRow("negate(amount)", EmptyRow()), "\"\"");
    EXPECT_EQ(EvalRow("pad_left(items, 4, '0')", EmptyRow()), "\"\"");
}

TEST(ExpressionTest, ConditionsCompare) {
    const auto is = [](const std::string& condition, const Order& order = {}) {
        return Eval("if(" + condition + ", 'yes', 'no')", order);
    };
    EXPECT_EQ(is("status == 'PAID'"), "yes");
    EXPECT_EQ(is("'FAILED' == status"), "no");
    EXPECT_EQ(is("status != 'PAID'"), "no");
    EXPECT_EQ(is("status in ('FAILED', 'PAID')"), "yes");
    EXPECT_EQ(is("id in ('o-2', 'o-3')"), "no");
    EXPECT_EQ(is("items in (1, 3)"), "yes");
    EXPECT_EQ(is("amount < 0", {.amount = -1}), "yes");
    EXPECT_EQ(is("amount >= 1200"), "yes");
    EXPECT_EQ(is("amount > items"), "yes");
    EXPECT_EQ(is("id < 'o-2' and shop <= 's-1'"), "yes");
    EXPECT_EQ(is("accepted_at < file.from or accepted_at > file.to"), "no");
    EXPECT_EQ(is("day == file.date"), "yes");
    EXPECT_EQ(is("is_test"), "no");
    EXPECT_EQ(is("not is_test and not not (items == 3)"), "yes");
    EXPECT_EQ(is("is_test == (items == 4)"), "yes");
    // and binds closer than or.
    EXPECT_EQ(is("items == 3 or items == 4 and items == 5"), "yes");
    EXPECT_EQ(is("empty(note)"), "yes");
    EXPECT_EQ(is("empty(id)"), "no");
}

TEST(ExpressionTest, AnEmptyValueDiffersFromEachAndIsNeitherLessNorGreater) {
    const auto is = [](const std::string& condition) {
        return EvalRow("if(" + condition + ", 'yes', 'no')", EmptyRow());
    };
    EXPECT_EQ(is("amount == 0"), "no");
    EXPECT_EQ(is("amount != 0"), "yes");
    EXPECT_EQ(is("amount < 0"), "no");
    EXPECT_EQ(is("amount >= 0"), "no");
    EXPECT_EQ(is("status in ('PAID', 'FAILED', 'REFUNDED')"), "no");
    EXPECT_EQ(is("empty(amount)"), "yes");
    EXPECT_EQ(is("is_test"), "no");
}

TEST(ExpressionTest, Maps) {
    EXPECT_EQ(Eval("map(status, status)", {.status = 1}), "返金完了");
    EXPECT_EQ(Eval("map(methods, method)", {.methods = 0b111}), "\"残高,ポイント,カード\"");
    EXPECT_EQ(Eval("default(map(status, some), '-')", {.status = 2}), "-");
    EXPECT_EQ(Eval("default(map(status, some), status)", {.status = 2}), "FAILED");
    EXPECT_EQ(Eval("default(map(shop, shop), shop)", {.shop = "s-2"}), "支店");
    EXPECT_EQ(Eval("default(map(shop, shop), shop)", {.shop = "s-3"}), "s-3");
    EXPECT_EQ(Eval("if(map(status, some) == 'paid', 1, 0)"), "1");
}

TEST(ExpressionTest, Functions) {
    EXPECT_EQ(Eval("if(status == 'REFUNDED', negate(amount), amount)", {.status = 1}), "-1200");
    EXPECT_EQ(Eval("abs(amount)", {.amount = -480}), "480");
    EXPECT_EQ(Eval("currency(amount)"), "JPY");
    EXPECT_EQ(Eval("format(amount, '#,##0') & '円'"), "\"1,200円\"");
    EXPECT_EQ(Eval("format(accepted_at, '%Y/%m/%d')"), "2020/01/30");
    EXPECT_EQ(Eval("substring('決済サービス', 3, 4)"), "サービス");
    EXPECT_EQ(Eval("substring(id, 2, 99)"), "-1");
    EXPECT_EQ(Eval("substring(id, 9, 1) & '.'"), ".");
    EXPECT_EQ(Eval("substring(items, 1, 1)", {.items = 42}), "4");
    EXPECT_EQ(Eval("pad_left(items, 5, '0')"), "00003");
    EXPECT_EQ(Eval("pad_right('決済', 4, '　') & '|'"), "決済　　|");
    EXPECT_EQ(Eval("pad_left('12345', 3, '0')"), "12345");
    EXPECT_EQ(EvalRow("default(note, 'none')", EmptyRow()), "none");
    EXPECT_EQ(EvalRow("default(amount, 'none')", EmptyRow()), "none");
    EXPECT_EQ(Eval("default(amount, 'none')"), "1200");
    EXPECT_EQ(EvalRow("default(default(amount, items), 'none') & '!'", EmptyRow()),
              "INVALID_ARGUMENT TEMPLATE_TYPE_WRONG: line 7, column 53: expected type money as in "
              "the other case, or a text in one of them, this is of type integer");
    // A text without characters is not an empty value.
    EXPECT_EQ(Eval("default(note, 'none') & '.'"), ".");
}

TEST(ExpressionTest, ColumnsHaveFormats) {
    EXPECT_EQ(Eval("amount", {}, ", format: \"+#,##0\""), "\"+1,200\"");
    EXPECT_EQ(Eval("accepted_at", {}, ", format: \"%Y%m%d%H%M%S\""), "20200130105325");
    EXPECT_EQ(Eval("if(is_test, accepted_at, file.from)", {}, ", format: \"%H時\""), "00時");
}

TEST(ExpressionTest, NumbersDoNotWrap) {
    const Order least{.amount = std::numeric_limits<std::int64_t>::min()};
    EXPECT_THAT(Eval("'x' & negate(amount)", least),
                StartsWith("OUT_OF_RANGE FILE_VALUE_OUT_OF_RANGE: row 1, column 1 (c): "));
    EXPECT_THAT(Eval("abs(amount)", least), StartsWith("OUT_OF_RANGE"));
    const Order far{.accepted_at = FromMicros(std::numeric_limits<std::int64_t>::max())};
    EXPECT_THAT(Eval("accepted_at", far), StartsWith("OUT_OF_RANGE"));
    const Order early{.accepted_at = FromMicros(std::numeric_limits<std::int64_t>::min())};
    EXPECT_THAT(Eval("accepted_at", early), StartsWith("OUT_OF_RANGE"));
}

std::string Times(int count, std::string_view text) {
    std::string all;
    for (int i = 0; i < count; ++i) all += text;
    return all;
}

struct Bad {
    std::string expression;
    std::string_view reason;
    std::string place_and_words;
};

TEST(ExpressionTest, RefusesWithThePlace) {
    const std::vector<Bad> all = {
        {"", reason::kExpressionMalformed, "column 29: expected a field, a literal or a function"},
        {"amout", reason::kFieldUnknown,
         "column 29: source orders has no field \"amout\"; it has id, "},
        {"id & amout", reason::kFieldUnknown, "column 34: source orders has no field"},
        {"'決済' & amout", reason::kFieldUnknown, "column 36: source orders has no field"},
        {"file.owner", reason::kFieldUnknown, "known are file.merchant_id, "},
        {"upper(id)", reason::kFunctionUnknown,
         "column 29: there is no function \"upper\"; there are abs"},
        {"if(is_test, 1)", reason::kArgumentsWrong,
         "column 29: it is if(condition, then, otherwise)"},
        {"id id", reason::kExpressionMalformed,
         "column 32: the expression should end before \"id\""},
        {"(id", reason::kExpressionMalformed, "column 32: expected \")\", not the end"},
        {"id &", reason::kExpressionMalformed, "not the end"},
        {"id + 1", reason::kExpressionMalformed, "column 32: + U+002B has no meaning"},
        {"'open", reason::kExpressionMalformed, "column 29: a text without its closing quote"},
        {"99999999999999999999", reason::kExpressionMalformed,
         "column 29: a number has at most 64"},
        {"and", reason::kExpressionMalformed, "not \"and\""},
        {"is_test", reason::kTypeWrong, "a condition is not printed by itself"},
        {"'a' & is_test", reason::kTypeWrong, "column 35: a condition is not printed"},
        {"if(items, 1, 2)", reason::kTypeWrong,
         "column 32: expected a condition, this is of type integer"},
        {"if(is_test and id, 1, 2)", reason::kTypeWrong, "column 44: expected a condition"},
        {"if(not id, 1, 2)", reason::kTypeWrong, "expected a condition, this is of type text"},
        {"if(is_test, items, amount)", reason::kTypeWrong, "column 48: expected type integer"},
        {"if(id == items, 1, 2)", reason::kTypeWrong, "compare with type text"},
        {"if(details == 'x', 1, 2)", reason::kTypeWrong, "compare with type JSON"},
        {"if(details == details, 1, 2)", reason::kTypeWrong, "something that can be compared"},
        {"if(status < 'PAID', 1, 2)", reason::kTypeWrong, "something that has an order"},
        {"if(status == 'PAYED', 1, 2)", reason::kEnumValueUnknown,
         "column 42: \"PAYED\" is none of its values: PAID, REFUNDED, FAILED"},
        {"if(status in ('PAID', 'X'), 1, 2)", reason::kEnumValueUnknown,
         "column 51: \"X\" is none"},
        {"if(id in (shop), 1, 2)", reason::kTypeWrong, "a literal in the list"},
        {"if(id in (1), 1, 2)", reason::kTypeWrong, "compare with type text"},
        {"negate(id)", reason::kTypeWrong, "column 36: expected a number"},
        {"currency(items)", reason::kTypeWrong, "expected money"},
        {"substring(id, 0, 1)", reason::kArgumentsWrong, "column 43: a number from 1 to 100000"},
        {"substring(id, items, 1)", reason::kTypeWrong, "a literal number"},
        {"pad_left(id, 5, 'ab')", reason::kArgumentsWrong, "column 45: one character as a text"},
        {"pad_left(id, 5000, ' ')", reason::kArgumentsWrong, "a number from 0 to 1000"},
        {"pad_left(details, 5, ' ')", reason::kTypeWrong, "expected a text"},
        {"format(id, '0')", reason::kFormatInvalid, "column 40: only numbers, instants and dates"},
        {"format(items, '0.0')", reason::kFormatInvalid, "column 43: \"0.0\" is no format here"},
        {"format(items, id)", reason::kTypeWrong, "the format as a text literal"},
        {"map(status, none)", reason::kMapUnknown, "column 41: there is no map \"none\""},
        {"map(status, 'some')", reason::kExpressionMalformed, "expected the name of a map"},
        {"map(status, some)", reason::kMapIncomplete,
         "column 41: the map has no text for REFUNDED, FAILED"},
        {"map(methods, status)", reason::kEnumValueUnknown,
         "the map has \"FAILED\", which is none of"},
        {"map(shop, shop)", reason::kMapIncomplete, "a text may be none of the map's"},
        {"map(items, shop)", reason::kTypeWrong, "an enum or a text"},
        {"total(amount)", reason::kNotAvailableHere,
         "column 29: a total is for headers and trailers"},
        {"file.rows", reason::kNotAvailableHere, "for headers and trailers"},
        {std::string(40, '(') + "id" + std::string(40, ')'), reason::kExpressionTooLarge,
         "more than 32"},
        {"if(" + Times(40, "not ") + "is_test, 1, 2)", reason::kExpressionTooLarge, "more than 32"},
        {"'" + std::string(5'000, 'x') + "'", reason::kExpressionTooLarge, "at most 4096 bytes"},
        {"id" + Times(200, "&id"), reason::kExpressionTooLarge, "too many parts"},
    };
    for (const Bad& bad : all) {
        const Status status = Refusal(bad.expression);
        EXPECT_THAT(status, testing::Refuses(Code::kInvalidArgument, bad.reason)) << bad.expression;
        EXPECT_THAT(std::string(status.message()), StartsWith("line 7, ")) << bad.expression;
        EXPECT_THAT(std::string(status.message()), HasSubstr(bad.place_and_words))
            << bad.expression;
    }
}

TEST(ExpressionTest, FormatsAreRefusedWhereTheyStand) {
    const Status status = Refusal("amount", ", format: \"%Y\"");
    EXPECT_EQ(status.reason(), reason::kFormatInvalid);
    EXPECT_THAT(std::string(status.message()),
                StartsWith("line 7, column 47: \"%Y\" is no format"));
    EXPECT_EQ(Refusal("id", ", format: \"0\"").reason(), reason::kFormatInvalid);
    EXPECT_EQ(Refusal("day", ", format: \"%H\"").reason(), reason::kFormatInvalid);
}

}  // namespace
}  // namespace kessai::filetemplate
