// Goal: what does not fit a page goes on to the next one.
// Method: the number of pages for known heights.

#include "kessai/pdf/flow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kessai/testing/matchers.h"

namespace kessai::pdf {
namespace {

class FlowTest : public ::testing::Test {
 protected:
    FlowTest()
        : document_(Font::Open(std::string(kIpaexGothicFile)).value(),
                    {.title = "t", .author = "a", .created = {}}) {}
    Document document_;
};

TEST_F(FlowTest, BeginsOnAPage) {
    const Flow flow(document_);
    EXPECT_EQ(document_.pages().size(), 1u);
}

TEST_F(FlowTest, ATableTakesAsManyPagesAsItNeeds) {
    Flow flow(document_, {.margin = 42, .foot = 24, .text_size = 10});
    // Rows and heads of 19 points on 733: a head and 37 rows each.
    const std::vector<Row> rows(100, Row{{"左", "1,000"}, false});
    flow.Table({{"一", 1, Align::kLeft}, {"二", 1, Align::kRight}}, rows);
    EXPECT_EQ(document_.pages().size(), 3u);
    EXPECT_OK(document_.Write().status());
}

// The last row before a sum goes on with it.
TEST_F(FlowTest, ASumIsNotAloneOnItsPage) {
    Flow flow(document_, {.margin = 42, .foot = 24, .text_size = 10});
    std::vector<Row> rows(37, Row{{"左", "1,000"}, false});
    rows.push_back({{"計", "37,000"}, true});
    flow.Table({{"一", 1, Align::kLeft}, {"二", 1, Align::kRight}}, rows);
    EXPECT_EQ(document_.pages().size(), 2u);
    // A head and two rows of 19 points, and what follows a table.
    EXPECT_DOUBLE_EQ(flow.y(), 42 + 3 * 19 + 5);
}

TEST_F(FlowTest, ALongCellMakesItsRowHigher) {
    Flow flow(document_, {.margin = 42, .foot = 24, .text_size = 10});
    const double before = flow.y();
    flow.Table({{"一", 1, Align::kLeft}, {"二", 1, Align::kRight}}, {{{"短", "1"}, false}});
    const double one_line = flow.y() - before;
    const double at = flow.y();
    std::string text;
    for (int i = 0; i < 40; ++i) text += "長";
    flow.Table({{"一", 1, Align::kLeft}, {"二", 1, Align::kRight}}, {{{text, "1"}, false}});
    EXPECT_DOUBLE_EQ(flow.y() - at - one_line, 13.5);
}

TEST_F(FlowTest, AHeadingIsNotTheLastLineOfItsPage) {
    Flow flow(document_);
    flow.MoveTo(kPageHeight - 42 - 24 - 20);
    flow.Heading("題");
    EXPECT_EQ(document_.pages().size(), 2u);
}

}  // namespace
}  // namespace kessai::pdf
