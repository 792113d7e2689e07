// Goal: a command line is understood wholly or refused by name. Method: lines right and wrong.

#include "load/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "load/json_line.h"

namespace kessai::load {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Arguments, TakesEachByName) {
    Arguments arguments({"payments", "--rate", "1.5", "--seconds=7", "--json", "--set", "a=b",
                         "--set=c=d", "--rates", "1,2.5,300"});
    EXPECT_EQ(arguments.Word(), "payments");
    EXPECT_EQ(arguments.Real("--rate", 9, 0, 10), 1.5);
    EXPECT_EQ(arguments.Integer("--seconds", 9, 0, 10), 7);
    EXPECT_TRUE(arguments.Flag("--json"));
    EXPECT_FALSE(arguments.Flag("--quick"));
    EXPECT_THAT(arguments.Texts("--set"), ElementsAre("a=b", "c=d"));
    EXPECT_THAT(arguments.Reals("--rates", 0, 1e6), ElementsAre(1, 2.5, 300));
    EXPECT_EQ(arguments.Text("--name", "none"), "none");
    EXPECT_EQ(arguments.Integer("--other", 4, 0, 10), 4);
    EXPECT_EQ(arguments.Word(), "");
    EXPECT_TRUE(arguments.Finish().ok());
}

TEST(Arguments, RefusesByName) {
    const auto refusal = [](std::vector<std::string> values, auto take) {
        Arguments arguments(std::move(values));
        take(arguments);
        return arguments.Finish().ToString();
    };
    const auto rate = [](Arguments& arguments) { arguments.Real("--rate", 1, 0, 10); };
    const auto count = [](Arguments& arguments) { arguments.Integer("--count", 1, 0, 10); };
    EXPECT_THAT(refusal({"--rate", "11"}, rate), HasSubstr("--rate"));
    EXPECT_THAT(refusal({"--rate", "nan"}, rate), HasSubstr("--rate"));
    EXPECT_THAT(refusal({"--rate", "1x"}, rate), HasSubstr("--rate"));
    EXPECT_THAT(refusal({"--rate"}, rate), HasSubstr("needs a value"));
    EXPECT_THAT(refusal({"--rate", "--json"}, rate), HasSubstr("needs a value"));
    EXPECT_THAT(refusal({"--count", "1.5"}, count), HasSubstr("--count"));
    EXPECT_THAT(refusal({"--count", "-1"}, count), HasSubstr("--count"));
    EXPECT_THAT(refusal({"--cuont", "1"}, count), HasSubstr("'--cuont' is not known"));
}

TEST(JsonLine, WritesOneObject) {
    JsonLine line;
    line.Text("a", "q\"b\\c\n").Integer("n", -5).Real("r", 1.0 / 3).Bool("t", true).Null("z");
    line.Real("i", 1.0 / 0.0).Raw("o", JsonLine().Unsigned("u", 7).Object());
    EXPECT_EQ(line.Object(),
              R"({"a":"q\"b\\c ","n":-5,"r":0.333,"t":true,"z":null,"i":null,"o":{"u":7}})");
    EXPECT_EQ(JsonLine().Object(), "{}");
}

}  // namespace
}  // namespace kessai::load
