// Goal: the characters of Shift_JIS are those that merchants' programs read, and what is not among
// them is found.
// Method: against the C library's own converter, and by the characters that are known for trouble.
#include "encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iconv.h>

#include <map>

namespace kessai::filetemplate::internal {
namespace {

std::string Utf8Of(char32_t character) {
    std::string text;
    const auto tail = [&](int shift) {
        text += static_cast<char>(0x80 | (character >> shift & 0x3F));
    };
    if (character < 0x80) {
        text += static_cast<char>(character);
    } else if (character < 0x800) {
        text += static_cast<char>(0xC0 | character >> 6);
        tail(0);
    } else if (character < 0x10000) {
        text += static_cast<char>(0xE0 | character >> 12);
        tail(6);
        tail(0);
    } else {
        text += static_cast<char>(0xF0 | character >> 18);
        tail(12);
        tail(6);
        tail(0);
    }
    return text;
}

/// The C library's, of one text; empty if it has none.
class Iconv {
 public:
    Iconv(const char* to, const char* from) : handle_(iconv_open(to, from)) {}
    ~Iconv() { iconv_close(handle_); }
    Iconv(const Iconv&) = delete;

    std::string operator()(std::string text) {
        std::string out(4 * text.size(), '\0');
        char* in = text.data();
        char* to = out.data();
        std::size_t in_left = text.size();
        std::size_t out_left = out.size();
        if (iconv(handle_, &in, &in_left, &to, &out_left) != 0) {
            iconv(handle_, nullptr, nullptr, nullptr, nullptr);
            return {};
        }
        out.resize(out.size() - out_left);
        return out;
    }

 private:
    iconv_t handle_;
};

std::string Bytes(std::uint16_t code) {
    std::string bytes;
    if (code > 0xFF) bytes += static_cast<char>(code >> 8);
    return bytes + static_cast<char>(code & 0xFF);
}

std::string Encode(std::string_view utf8, const std::optional<std::string>& replacement = {},
                   Encoding encoding = Encoding::kShiftJis) {
    Encoder encoder;
    EXPECT_TRUE(encoder.Init(encoding, replacement));
    std::string bytes(utf8.size(), '\0');
    const auto encoded = encoder.Encode(utf8, bytes.data());
    if (encoded.outcome == Encoder::Outcome::kLacking) {
        return "lacking at " + std::to_string(encoded.at);
    }
    if (encoded.outcome == Encoder::Outcome::kMalformed) {
        return "malformed at " + std::to_string(encoded.at);
    }
    bytes.resize(static_cast<std::size_t>(encoded.end - bytes.data()));
    return bytes;
}

TEST(EncodingTest, EveryCharacterComesBackAsItself) {
    const std::map<char32_t, char32_t> twins = {{U'\u301C', U'\uFF5E'}, {U'\u2016', U'\u2225'},
                                                {U'\u2212', U'\uFF0D'}, {U'\u00A2', U'\uFFE0'},
                                                {U'\u00A3', U'\uFFE1'}, {U'\u00AC', U'\uFFE2'},
                                                {U'\u2014', U'\u2015'}};
    Iconv decode("UTF-8", "CP932");
    int characters = 0;
    for (char32_t character = 0x80; character < 0x20000; ++character) {
        const std::uint16_t code = ShiftJisOf(character);
        if (code == 0) continue;
        ++characters;
        const auto twin = twins.find(character);
        EXPECT_EQ(decode(Bytes(code)), Utf8Of(twin == twins.end() ? character : twin->second))
            << std::hex << code;
    }
    // JIS X 0208, what else NEC's row 13 and IBM's extensions have, half-width kana, the twins.
    EXPECT_EQ(characters, 6'879 + 74 + 373 + 63 + 7);
}

TEST(EncodingTest, WhatTheCLibraryHasWeHaveToo) {
    Iconv encode("CP932", "UTF-8");
    int differing = 0;
    for (char32_t character = 0x80; character < 0x10000; ++character) {
        const bool surrogate = character >= 0xD800 && character <= 0xDFFF;
        const bool user_defined = character >= 0xE000 && character <= 0xF8FF;
        // The C library writes these as \ and ~.
        if (surrogate || user_defined || character == U'¥' || character == U'‾') continue;
        const std::string theirs = encode(Utf8Of(character));
        if (theirs.empty()) continue;
        const std::uint16_t code = ShiftJisOf(character);
        if (code == 0 || Bytes(code) != theirs) {
            ADD_FAILURE() << "U+" << std::hex << static_cast<unsigned>(character);
            ASSERT_LT(++differing, 20);
        }
    }
}

TEST(EncodingTest, CharactersKnownForTrouble) {
    EXPECT_EQ(Encode("〜"), "\x81\x60");  // wave dash, of other systems
    EXPECT_EQ(Encode("～"), "\x81\x60");  // fullwidth tilde, of Windows
    EXPECT_EQ(Encode("−－"), "\x81\x7C\x81\x7C");
    EXPECT_EQ(Encode("ｱﾊﾟｰﾄ｡"), "\xB1\xCA\xDF\xB0\xC4\xA1");
    // Whose second byte is a backslash, and a vertical bar.
    EXPECT_EQ(Encode("表ソ能"), "\x95\x5C\x83\x5C\x94\x5C");
    EXPECT_EQ(Encode("ポ"), "\x83\x7C");
    EXPECT_EQ(Encode("①㈱Ⅳ髙﨑"), "\x87\x40\x87\x8A\x87\x57\xFB\xFC\xFA\xB1");
    EXPECT_EQ(Encode("a\\~"), "a\\~");
}

TEST(EncodingTest, WhatIsLackingIsPlacedOrReplaced) {
    EXPECT_EQ(Encode("寿司🍣"), "lacking at 6");
    EXPECT_EQ(Encode("𠮷野家"), "lacking at 0");
    EXPECT_EQ(Encode("¥100"), "lacking at 0");
    EXPECT_EQ(Encode("한글"), "lacking at 0");
    EXPECT_EQ(Encode("a\uE000"), "lacking at 1");
    EXPECT_EQ(Encode("寿司🍣!", "〓"), "\x8E\xF5\x8E\x69\x81\xAC!");
    EXPECT_EQ(Encode("🍣é", "?"), "??");
    EXPECT_EQ(Encode("🍣é", {}, Encoding::kUtf8), "🍣é");
}

TEST(EncodingTest, MalformedTextIsPlaced) {
    for (const Encoding encoding : {Encoding::kUtf8, Encoding::kShiftJis}) {
        for (const char* bad : {"\x80", "\xE6\xB1", "\xED\xA0\x80", "\xC0\xAF", "\xF5\x80\x80\x80",
                                "\xF0\x80\x80\x80", "\xFF"}) {
            EXPECT_EQ(Encode("決済 0123456789" + std::string(bad), {}, encoding),
                      "malformed at 17");
        }
    }
}

TEST(EncodingTest, AReplacementIsOneCharacterOfTheEncoding) {
    Encoder encoder;
    for (const char* bad : {"", "ab", "🍣", "\xFF"}) {
        EXPECT_FALSE(encoder.Init(Encoding::kShiftJis, bad)) << bad;
    }
}

TEST(EncodingTest, CharactersAreCountedAndShown) {
    EXPECT_EQ(CharactersIn("a決🍣"), 3u);
    EXPECT_EQ(BytesOfCharacters("a決🍣", 0), 0u);
    EXPECT_EQ(BytesOfCharacters("a決🍣", 2), 4u);
    EXPECT_EQ(BytesOfCharacters("a決🍣", 9), 8u);
    EXPECT_EQ(ShowCharacter("🍣!"), "🍣 U+01F363");
    EXPECT_EQ(ShowCharacter("\n"), "U+000A");
}

}  // namespace
}  // namespace kessai::filetemplate::internal
