// Goal: a text is known to be printable, and how wide it is, before it is on paper.
// Method: Debian's IPAex Gothic, whose Japanese characters are one em wide.

#include "kessai/pdf/font.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kessai/testing/matchers.h"
#include "kessai/testing/temp_dir.h"

namespace kessai::pdf {
namespace {

using ::testing::ElementsAre;

class FontTest : public ::testing::Test {
 protected:
    FontTest() : font_(Font::Open(std::string(kIpaexGothicFile)).value()) {}
    std::shared_ptr<const Font> font_;
};

TEST_F(FontTest, WidthsAreThoseOfTheFont) {
    EXPECT_DOUBLE_EQ(font_->WidthOf("決済", 10), 20);
    EXPECT_DOUBLE_EQ(font_->WidthOf("", 10), 0);
    EXPECT_LT(font_->WidthOf("iii", 10), font_->WidthOf("WWW", 10));
    // Digits are alike, so that columns of numbers stand below each other.
    EXPECT_DOUBLE_EQ(font_->WidthOf("1111", 10), font_->WidthOf("8888", 10));
}

TEST_F(FontTest, WhatIsMissingIsNamedOrMarked) {
    EXPECT_OK(font_->CheckPrintable("決済 Kessai ～・（）￥"));
    EXPECT_EQ(font_->CheckPrintable("a🍣").reason(), reason::kNotPrintable);
    // Not UTF-8: a lone byte, one cut off, a surrogate, an overlong form.
    for (const char* text : {"\x80", "\xE6\xB1", "\xED\xA0\x80", "\xC0\xAF"}) {
        EXPECT_EQ(font_->CheckPrintable(text).reason(), reason::kNotPrintable);
    }
    EXPECT_EQ(font_->Printable("寿司🍣二貫"), "寿司〓二貫");
    EXPECT_EQ(font_->Printable("\xFF!"), "〓!");
}

TEST_F(FontTest, LinesBreakAnywhereButWithinWordsAndNumbers) {
    EXPECT_THAT(font_->Wrap("決済手数料", 10, 30), ElementsAre("決済手", "数料"));
    EXPECT_THAT(font_->Wrap("番号123456", 10, 45), ElementsAre("番号", "123456"));
    EXPECT_THAT(font_->Wrap("", 10, 45), ElementsAre(""));
    // A run that fills a line alone is broken all the same.
    const auto lines = font_->Wrap(std::string(40, '8'), 10, 50);
    EXPECT_GT(lines.size(), 3u);
    std::string all;
    for (const std::string& line : lines) {
        EXPECT_LE(font_->WidthOf(line, 10), 50);
        all += line;
    }
    EXPECT_EQ(all, std::string(40, '8'));
}

TEST(FontFileTest, WhatIsNoFontIsRefused) {
    EXPECT_EQ(Font::Open("/nowhere/font.ttf").status().reason(), reason::kFontUnreadable);
    const testing::TempDir directory;
    EXPECT_EQ(Font::Open(directory.Write("font.ttf", "no font")).status().reason(),
              reason::kFontUnreadable);
}

}  // namespace
}  // namespace kessai::pdf
