#include "kessai/mysql/query.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <vector>

#include "kessai/mysql/error.h"
#include "kessai/testing/matchers.h"

namespace kessai::mysql {
namespace {

using testing::IsOk;
using testing::Refuses;

template <class... Args>
Result<std::string> Rendered(std::string_view text, const Args&... args) {
    std::string sql;
    const std::array<Argument, sizeof...(Args)> arguments{Argument(args)...};
    KESSAI_RETURN_IF_ERROR(Render(Query{"test.query", text}, arguments, sql));
    return sql;
}

std::string Literal(const Value& value) {
    return Rendered("?", value).value_or("refused");
}

using PaymentId = StrongId<struct PaymentIdTag>;

// Goal: each kind of value becomes the literal that MySQL reads back as the same value.
TEST(RenderTest, EachKindOfValueHasItsLiteral) {
    EXPECT_EQ(Literal(0), "0");
    EXPECT_EQ(Literal(-7), "-7");
    EXPECT_EQ(Literal(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
    EXPECT_EQ(Literal(std::numeric_limits<std::int64_t>::max()), "9223372036854775807");
    EXPECT_EQ(Literal(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
    EXPECT_EQ(Literal(std::uint8_t{200}), "200");
    EXPECT_EQ(Literal(std::int8_t{-1}), "-1");
    EXPECT_EQ(Literal(true), "1");
    EXPECT_EQ(Literal(false), "0");
    EXPECT_EQ(Literal("tea"), "'tea'");
    EXPECT_EQ(Literal(std::string("お茶")), "'お茶'");
    EXPECT_EQ(Literal(std::string_view()), "''");
    EXPECT_EQ(Literal(Bytes{std::string_view("\x00\xff'", 3)}), "x'00ff27'");
    EXPECT_EQ(Literal(Bytes{""}), "x''");
    EXPECT_EQ(Literal(std::nullopt), "NULL");
    EXPECT_EQ(Literal(std::optional<int>()), "NULL");
    EXPECT_EQ(Literal(std::optional<int>(5)), "5");
    EXPECT_EQ(Literal(std::optional<std::string>("x")), "'x'");
    EXPECT_EQ(Literal(BusinessDate::Parse("2026-01-09").value()), "'2026-01-09'");
    EXPECT_EQ(Literal(FromMicros(1'700'000'000'000'001)), "1700000000000001");
    EXPECT_EQ(Literal(PaymentId(42)), "42");
}

// Goal: what has no exact literal does not compile.
enum class Colour { kRed };
static_assert(!std::constructible_from<Value, double>);
static_assert(!std::constructible_from<Value, float>);
static_assert(!std::constructible_from<Value, int*>);
static_assert(!std::constructible_from<Value, std::nullptr_t>);
static_assert(!std::constructible_from<Value, char>);
static_assert(!std::constructible_from<Value, Colour>);
static_assert(!std::constructible_from<Value, StrongId<struct TextIdTag, std::string>>);
static_assert(!std::constructible_from<Value, std::optional<double>>);

// Goal: no text can end its literal, whatever its bytes are.
// Method: read the literal back as the server's scanner does, under both readings of a backslash.
TEST(RenderTest, NoTextEndsItsLiteral) {
    const auto read_back = [](std::string_view literal, bool backslash_escapes) {
        std::string text;
        EXPECT_EQ(literal.front(), '\'');
        std::size_t i = 1;
        for (; i < literal.size(); ++i) {
            if (literal[i] == '\\' && backslash_escapes) {
                ++i;
                text.push_back(literal[i] == '0' ? '\0' : literal[i]);
            } else if (literal[i] == '\'') {
                if (i + 1 < literal.size() && literal[i + 1] == '\'') {
                    text.push_back('\'');
                    ++i;
                } else {
                    break;
                }
            } else {
                text.push_back(literal[i]);
            }
        }
        EXPECT_EQ(i, literal.size() - 1) << "the literal ended before its end: " << literal;
        return text;
    };
    std::vector<std::string> texts = {
        "'",
        "''",
        "\\",
        "\\'",
        "'\\",
        "\\\\'",
        "' OR 1=1 -- ",
        "\\' OR 1=1 -- ",
        "x'; DROP TABLE t;",
        "?",
        "{rows}",
        "{keys}",
        "/*",
        "--",
        "#",
        "`",
        "\"",
        "%_",
        "\r\n\t\x1a",
        "あ'い\\う",
        std::string("\0", 1),
        std::string("a\0'b", 4),
        "\xf0\x9f\x8d\xb5'",
    };
    for (int byte = 0; byte < 0x80; ++byte) {
        const char c = static_cast<char>(byte);
        texts.push_back(std::string(1, c));
        texts.push_back(std::string("a") + c + "b");
        texts.push_back(std::string("\\") + c);
        texts.push_back(std::string("'") + c + "'");
        texts.push_back(std::string("あ") + c);
    }
    for (const std::string& text : texts) {
        const std::string literal = Literal(text);
        EXPECT_EQ(read_back(literal, /*backslash_escapes=*/true), text);
        // Under NO_BACKSLASH_ESCAPES (never set by us) the text differs, but it stays inside.
        read_back(literal, /*backslash_escapes=*/false);
    }
}

// Goal: what is not UTF-8 is refused before it is sent: it could be read in another way.
TEST(RenderTest, TextThatIsNotUtf8IsRefused) {
    const std::vector<std::string> malformed = {
        "\x80",
        "\xbf",
        "a\xff",
        "\xfe",
        "\xc0\xaf",
        "\xc1\xbf",
        "\xc2",
        "\xc2'",
        "\xe3\x81",
        "\xe3\x81'",
        "\xe0\x80\xaf",
        "\xe0\x9f\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x80\x80\xaf",
        "\xf0\x8f\xbf\xbf",
        "\xf0\x9f\x8d",
        "\xf0\x9f\x8d'",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xbf\x27",
        "\x81\x5c",
        "ok\xe3\x81\x82\xe3",
    };
    for (const std::string& text : malformed) {
        const Status refused(Code::kInvalidArgument, reason::kTextNotUtf8, "");
        EXPECT_EQ(Rendered("SELECT ?", text).status(), refused);
        RowList rows;
        rows.Add(1, text);
        EXPECT_EQ(Rendered("VALUES {rows}", rows).status(), refused);
        KeyList keys;
        keys.Add(text);
        keys.Add("fine");
        EXPECT_EQ(Rendered("IN ({keys})", keys).status(), refused);
        EXPECT_THAT(Rendered("SELECT ?", Bytes{text}), IsOk());
    }
    // The first and last of each length, and around the surrogates.
    for (const char* text :
         {"\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
          "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
        EXPECT_EQ(Literal(text), std::string("'") + text + "'");
    }
}

TEST(RenderTest, PlaceholdersTakeTheArgumentsInTheirOrder) {
    RowList rows;
    rows.Add(1, "a", std::nullopt);
    rows.Add(2, "b'", true);
    const KeyList keys(std::vector<int>{3, 4, 5});
    EXPECT_EQ(
        *Rendered("INSERT INTO t VALUES {rows} ON DUPLICATE KEY UPDATE x = ? + VALUES(x)", rows, 7),
        "INSERT INTO t VALUES (1,'a',NULL),(2,'b''',1) ON DUPLICATE KEY UPDATE x = 7 + "
        "VALUES(x)");
    EXPECT_EQ(*Rendered("SELECT 1 FROM t WHERE a = ? AND b IN ({keys}) AND c=?", "x", keys, -1),
              "SELECT 1 FROM t WHERE a = 'x' AND b IN (3,4,5) AND c=-1");
    EXPECT_EQ(*Rendered("SELECT 1"), "SELECT 1");
}

// Goal: a question mark that is data is not a placeholder.
TEST(RenderTest, QuotesAndCommentsAreNotSearched) {
    for (const std::string_view text :
         {"SELECT '?', \"?{rows}\", `?` FROM t", "SELECT 'it''s ?', '\\'?' FROM t",
          "SELECT 1 -- what?\n", "SELECT 1 # {keys} ?", "SELECT /* ? ; {x} */ 1", "SELECT 3-2, 4/2",
          "SELECT 1 --", "SELECT ';'"}) {
        EXPECT_EQ(Rendered(text).value_or("refused"), text);
    }
    EXPECT_EQ(*Rendered("SELECT 5--?", 3), "SELECT 5--3");
}

// Goal: a query that does not fit its arguments is refused before anything is sent.
TEST(RenderTest, MisfitsAreRefused) {
    const Status refused(Code::kInternal, reason::kQueryMalformed, "");
    const RowList no_rows;
    const KeyList no_keys;
    KeyList keys;
    keys.Add(1);
    EXPECT_EQ(Rendered("SELECT ?").status(), refused);
    EXPECT_EQ(Rendered("SELECT 1", 1).status(), refused);
    EXPECT_EQ(Rendered("SELECT ?", keys).status(), refused);
    EXPECT_EQ(Rendered("IN ({keys})", 1).status(), refused);
    EXPECT_EQ(Rendered("VALUES {rows}", keys).status(), refused);
    EXPECT_EQ(Rendered("VALUES {rows}", no_rows).status(), refused);
    EXPECT_EQ(Rendered("IN ({keys})", no_keys).status(), refused);
    EXPECT_EQ(Rendered("VALUES {row}", keys).status(), refused);
    EXPECT_EQ(Rendered("SELECT 'open").status(), refused);
    EXPECT_EQ(Rendered("SELECT /* open").status(), refused);
    EXPECT_EQ(Rendered("SELECT 1; DROP TABLE t").status(), refused);
}

TEST(RenderTest, ARefusalLeavesWhatWasThereBefore) {
    std::string sql = "before";
    EXPECT_THAT(Render(Query{"q", "SELECT ?, ?"}, std::array{Argument(1)}, sql),
                Refuses(Code::kInternal, reason::kQueryMalformed));
    EXPECT_EQ(sql, "before");
    EXPECT_THAT(Render(Query{"q", "SELECT ?"}, std::array{Argument("\xff")}, sql),
                Refuses(Code::kInvalidArgument, reason::kTextNotUtf8));
    EXPECT_EQ(sql, "before");
}

TEST(RowListTest, ClearedListsAreReused) {
    RowList rows;
    rows.Add("\xff", 1);
    rows.Clear();
    EXPECT_TRUE(rows.empty());
    EXPECT_EQ(rows.bytes(), 0u);
    rows.Add(1);
    EXPECT_EQ(*Rendered("{rows}", rows), "(1)");
    EXPECT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows.bytes(), 3u);
}

TEST(RowListDeathTest, RowsOfDifferentWidthsStopTheProcess) {
    RowList rows;
    rows.Add(1, 2);
    EXPECT_DEATH(rows.Add(1), "the same width");
}

}  // namespace
}  // namespace kessai::mysql
