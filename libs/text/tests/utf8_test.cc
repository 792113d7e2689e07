#include "kessai/text/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace kessai::text {
namespace {

TEST(Utf8Test, CharactersOfEachLengthAreTaken) {
    using namespace std::string_view_literals;
    std::string_view text = "A\0é€😀z"sv;
    for (const char32_t character : U"A\0é€😀z"sv) EXPECT_EQ(TakeCharacter(text), character);
    EXPECT_TRUE(text.empty());
}

// Goal: what RFC 3629 does not permit is no character, and stays where it is.
TEST(Utf8Test, MalformedBytesAreLeft) {
    for (const char* bytes :
         {"\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x80\x80", "\xE3\x81", "\xE3\x81(",
          "\xED\xA0\x80", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
        std::string_view text = bytes;
        EXPECT_EQ(TakeCharacter(text), kMalformedCharacter);
        EXPECT_EQ(text, bytes);
    }
}

}  // namespace
}  // namespace kessai::text
