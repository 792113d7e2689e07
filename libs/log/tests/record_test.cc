#include "record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

namespace kessai::log::internal {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr Instant kTime{std::chrono::microseconds(1'795'309'323'000'004)};

std::string Line(Fields fields, const Context& context = {}) {
    std::string line;
    Render(line, kTime, Level::kInfo, "payment", context, "payment.completed", fields);
    return line;
}
json Parsed(Fields fields, const Context& context = {}) {
    const std::string line = Line(fields, context);
    EXPECT_EQ(line.back(), '\n');
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    return json::parse(line);
}

/// An id as StrongId is, without that library.
struct Id {
    std::int64_t number;
    std::int64_t value() const { return number; }
    bool is_none() const { return number == 0; }
};

// Goal: a line has exactly the documented form.
TEST(RecordTest, IsTheDocumentedLine) {
    Context context;
    std::fill(context.trace_id.begin(), context.trace_id.end(), 'a');
    std::fill(context.span_id.begin(), context.span_id.end(), 'b');
    context.SetRequestId("r-1");
    EXPECT_EQ(Line({{"payment_id", Id{12}}, {"took", std::chrono::milliseconds(3)}}, context),
              "{\"ts\":\"2026-11-22T01:02:03.000004Z\",\"level\":\"info\",\"service\":\"payment\","
              "\"event\":\"payment.completed\",\"trace_id\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
              "\"span_id\":\"bbbbbbbbbbbbbbbb\",\"request_id\":\"r-1\",\"payment_id\":12,"
              "\"took_us\":3000}\n");
}

// Goal: each type of value shows as itself.
TEST(RecordTest, ShowsEveryTypeOfValue) {
    const Status status(Code::kNotFound, "PAYMENT_UNKNOWN", "no payment 12");
    const std::string text = "text";
    const json line = Parsed({{"text", text},
                              {"literal", "x"},
                              {"view", std::string_view("y")},
                              {"small", static_cast<std::int8_t>(-5)},
                              {"least", std::numeric_limits<std::int64_t>::min()},
                              {"most", std::numeric_limits<std::uint64_t>::max()},
                              {"ratio", 0.5},
                              {"infinite", std::numeric_limits<double>::infinity()},
                              {"yes", true},
                              {"at", kTime},
                              {"waited_us", Duration(7)},
                              {"status", status}});
    EXPECT_EQ(line["text"], "text");
    EXPECT_EQ(line["literal"], "x");
    EXPECT_EQ(line["view"], "y");
    EXPECT_EQ(line["small"], -5);
    EXPECT_EQ(line["least"], std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(line["most"], std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(line["ratio"], 0.5);
    EXPECT_TRUE(line["infinite"].is_null());
    EXPECT_EQ(line["yes"], true);
    EXPECT_EQ(line["at"], "2026-11-22T01:02:03.000004Z");
    EXPECT_EQ(line["waited_us"], 7);
    EXPECT_EQ(line["status"], "NOT_FOUND PAYMENT_UNKNOWN: no payment 12");
}

// Goal: no secret and no full account number reaches a line.
TEST(RecordTest, MasksSecretsAndAccountNumbers) {
    const std::string line = Line({{"password", Secret("hunter2")},
                                   {"account", AccountNumber("00012345678")},
                                   {"short", AccountNumber("1234567")},
                                   {"empty", AccountNumber("")}});
    EXPECT_THAT(line, Not(HasSubstr("hunter2")));
    EXPECT_THAT(line, Not(HasSubstr("1234")));
    const json parsed = json::parse(line);
    EXPECT_EQ(parsed["password"], "***");
    EXPECT_EQ(parsed["account"], "***5678");
    EXPECT_EQ(parsed["short"], "***");
    EXPECT_EQ(parsed["empty"], "***");
}

// Goal: data cannot forge the fields that a line has by itself.
TEST(RecordTest, ReservedNamesStayOurs) {
    const std::string line = Line({{"service", "evil"}, {"level", "x"}, {"ts", 1}});
    EXPECT_THAT(line, HasSubstr("\"service\":\"payment\""));
    EXPECT_THAT(line, HasSubstr("\"service_\":\"evil\",\"level_\":\"x\",\"ts_\":1"));
}

// Goal: data cannot begin a new line, end a string, or break the encoding.
TEST(RecordTest, EscapesWhatJsonCannotHold) {
    const json line = Parsed({{"a\"b", "\"\\\n\r\t\x01\x7f"},
                              {"kanji", "決済😀"},
                              {"broken",
                               "a\xff"
                               "b\xc3(\xe2\x82"
                               "c\xed\xa0\x80\xf5"},
                              {"overlong", "\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf"}});
    EXPECT_EQ(line["a\"b"], "\"\\\n\r\t\x01\x7f");
    EXPECT_EQ(line["kanji"], "決済😀");
    EXPECT_EQ(line["broken"], "a\ufffdb\ufffd(\ufffd\ufffdc\ufffd\ufffd\ufffd\ufffd");
}

// Goal: any bytes at all give one line of valid JSON within the bound.
// Method: random texts of random lengths; the seed is printed.
TEST(RecordTest, AnyBytesGiveOneValidLine) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    for (int round = 0; round < 2'000; ++round) {
        std::string name(random() % 40, '\0');
        std::string value(random() % (round % 50 == 0 ? 20'000 : 60), '\0');
        for (char& c : name) c = static_cast<char>(random());
        for (char& c : value) c = static_cast<char>(random());
        const std::string line = Line({{name, value}, {"other", value}});
        EXPECT_LE(line.size(), kLineBytesMax);
        EXPECT_EQ(line.find('\n'), line.size() - 1);
        EXPECT_TRUE(json::accept(line)) << line;
    }
}

// Goal: long texts and many fields are cut, and the line says so.
TEST(RecordTest, BoundsTheLine) {
    const std::string text(100'000, 'x');
    const json one = Parsed({{"text", text}});
    EXPECT_LT(one["text"].get<std::string>().size(), kTextBytesMax + 8);
    EXPECT_THAT(one["text"].get<std::string>(), HasSubstr("…"));
    const std::string line =
        Line({{"a", text}, {"b", text}, {"c", text}, {"d", text}, {"e", text}});
    EXPECT_LE(line.size(), kLineBytesMax);
    const json many = json::parse(line);
    EXPECT_EQ(many["cut"], true);
    EXPECT_TRUE(many.contains("c"));
    EXPECT_FALSE(many.contains("e"));
}

}  // namespace
}  // namespace kessai::log::internal
