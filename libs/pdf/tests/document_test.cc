// Goal: a document is what was drawn, the same bytes each time, whatever else is written beside it.
// Method: small documents; the file's own words, and threads that write at once.

#include "kessai/pdf/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "kessai/testing/matchers.h"

namespace kessai::pdf {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::shared_ptr<const Font> TestFont() {
    static const auto font = Font::Open(std::string(kIpaexGothicFile)).value();
    return font;
}

Document MakeDocument(int pages) {
    Document document(
        TestFont(),
        {.title = "題名", .author = "決済", .created = FromMicros(1'790'000'000'000'000)});
    for (int i = 0; i < pages; ++i) {
        Page& page = document.AddPage();
        page.Fill({40, 40}, 100, 20, {0.9});
        page.Text({42, 52}, 10, "頁" + std::to_string(i));
        page.Text({kPageWidth - 40, 52}, 10, "右", Align::kRight);
        page.Line({40, 60}, {200, 60}, 0.5);
    }
    return document;
}

TEST(DocumentTest, IsAPdf) {
    ASSERT_OK_AND_ASSIGN(const std::string file, MakeDocument(2).Write());
    EXPECT_THAT(file, StartsWith("%PDF-1.5"));
    EXPECT_THAT(file, HasSubstr("%%EOF"));
    EXPECT_THAT(file, HasSubstr("/Count 2"));
}

TEST(DocumentTest, TheSameDocumentIsTheSameBytes) {
    ASSERT_OK_AND_ASSIGN(const std::string expected, MakeDocument(3).Write());
    std::vector<std::string> files(8);
    std::vector<std::thread> threads;
    for (std::string& file : files) {
        threads.emplace_back([&file] {
            for (int i = 0; i < 10; ++i) file = MakeDocument(3).Write().value();
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::string& file : files) EXPECT_EQ(file, expected);
}

TEST(DocumentTest, OnlyTheCharactersThatAreUsedAreInIt) {
    ASSERT_OK_AND_ASSIGN(const std::string file, MakeDocument(1).Write());
    EXPECT_GT(TestFont()->content().size(), 5'000'000u);
    EXPECT_LT(file.size(), 30'000u);
}

}  // namespace
}  // namespace kessai::pdf
