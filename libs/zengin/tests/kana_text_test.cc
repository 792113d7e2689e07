#include "kessai/zengin/kana_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "kessai/testing/matchers.h"
#include "kessai/zengin/testing/jis_bytes.h"

namespace kessai::zengin {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::Refuses;

std::string Converted(std::string_view text, CharacterSet set = CharacterSet::kName) {
    const auto kana = KanaText::FromText(text, set);
    return kana.ok() ? kana->ToUtf8() : kana.status().ToString();
}

// Goal: whatever a person types as kana arrives as the bank has it.
// Method: every rule of the conversion once, over the whole syllabary.
TEST(KanaTextTest, ConvertsWhatPeopleType) {
    EXPECT_EQ(Converted("アイウエオカキクケコサシスセソタチツテトナニヌネノ"),
              "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉ");
    EXPECT_EQ(Converted("ハヒフヘホマミムメモヤユヨラリルレロワン"), "ﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝ");
    EXPECT_EQ(Converted("あいうえおかきくけこさしすせそたちつてとなにぬねの"),
              "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉ");
    EXPECT_EQ(Converted("ガギグゲゴザジズゼゾダヂヅデドバビブベボヴ"),
              "ｶﾞｷﾞｸﾞｹﾞｺﾞｻﾞｼﾞｽﾞｾﾞｿﾞﾀﾞﾁﾞﾂﾞﾃﾞﾄﾞﾊﾞﾋﾞﾌﾞﾍﾞﾎﾞｳﾞ");
    EXPECT_EQ(Converted("パピプペポぱぴぷぺぽ"), "ﾊﾟﾋﾟﾌﾟﾍﾟﾎﾟﾊﾟﾋﾟﾌﾟﾍﾟﾎﾟ");
    EXPECT_EQ(Converted("ァィゥェォャュョッヮヵヶっゃ"), "ｱｲｳｴｵﾔﾕﾖﾂﾜｶｹﾂﾔ");
    EXPECT_EQ(Converted("ｧｨｩｪｫｬｭｮｯｶﾞ"), "ｱｲｳｴｵﾔﾕﾖﾂｶﾞ");
    EXPECT_EQ(Converted("abcXYZａｂｃＸＹＺ０１２789"), "ABCXYZABCXYZ012789");
    EXPECT_EQ(Converted("カ）ヤマダ．（エイ－"), "ｶ)ﾔﾏﾀﾞ.(ｴｲ-");
    EXPECT_EQ(Converted("キヤノンマーケティング"), "ｷﾔﾉﾝﾏ-ｹﾃｲﾝｸﾞ");
    EXPECT_EQ(Converted("－‐‑–—―−ｰ"), "--------");
    EXPECT_EQ(Converted("か\u3099は\u309A"), "ｶﾞﾊﾟ");
    EXPECT_EQ(Converted("　やまだ　たろう "), "ﾔﾏﾀﾞ ﾀﾛｳ");
    EXPECT_EQ(Converted(""), "");
    EXPECT_EQ(Converted("　 "), "");
    EXPECT_EQ(Converted("￥「ヲ」／\\", CharacterSet::kEdi), "\\｢ｦ｣/\\");
}

// The abbreviations of companies' names that banks publish are kana with brackets.
TEST(KanaTextTest, KeepsTheAbbreviationsOfCompanies) {
    for (const char* name :
         {"カ）キヨウト", "キヨウト（カ", "キヨウト（カ）オオサカ（エイ", "ユ）アオバ",
          "ド）ミドリ", "シヤ）ニホン", "ザイ）ガク", "イ）サクラ", "トクヒ）ミライ"}) {
        EXPECT_THAT(KanaText::FromText(name), IsOk()) << name;
    }
    EXPECT_EQ(Converted("カ）キヨウト"), "ｶ)ｷﾖｳﾄ");
}

// Goal: what can't be carried is named by its place, and never dropped or replaced.
TEST(KanaTextTest, NamesTheFirstCharacterThatIsNotAllowed) {
    const struct {
        std::string text;
        const char* message;
    } cases[] = {
        {"ヤマ株", "character 3, 株 U+682A,"},
        {"ア・イ", "character 2, ・ U+30FB,"},
        {"ガ＆ギ&", "character 2, ＆ U+FF06,"},
        {"カヲル", "character 2, ヲ U+30F2,"},
        {"ｦ", "character 1, ｦ U+FF66,"},
        {"ヰ", "character 1, ヰ U+30F0,"},
        {"ヷ", "character 1, ヷ U+30F7,"},
        {"ア/イ", "character 2, / U+002F,"},
        {"ア,イ", "character 2, , U+002C,"},
        {"ｱ､", "character 2, ､ U+FF64,"},
        {"ア\tイ", "character 2, U+0009,"},
        {"😀", "character 1, 😀 U+1F600,"},
        {"ア\xFF", "character 2, which is no UTF-8,"},
        {"ア\xE3\x82", "character 2, which is no UTF-8,"},
        {"\xC0\x80", "character 1, which is no UTF-8,"},
        {"\xED\xA0\x80", "character 1, which is no UTF-8,"},
        {std::string("A\0B", 3), "character 2, U+0000,"},
    };
    for (const auto& example : cases) {
        const auto kana = KanaText::FromText(example.text);
        EXPECT_THAT(kana, Refuses(Code::kInvalidArgument, reason::kKanaNotAllowed));
        EXPECT_THAT(std::string(kana.status().message()), HasSubstr(example.message));
    }
}

// Goal: the two sets are those of the published table, byte by byte.
// Method: all 256 bytes against the characters written out.
TEST(KanaTextTest, PermitsExactlyThePublishedCharacters) {
    const std::string both = JisBytes(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ()-."
        "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝﾞﾟ");
    const std::string edi_only = JisBytes("/\\｢｣ｦ");
    for (int value = 0; value < 256; ++value) {
        const std::string byte(1, static_cast<char>(value));
        const bool name = value == ' ' || both.find(byte) != std::string::npos;
        const bool edi = name || edi_only.find(byte) != std::string::npos;
        const auto of_name = KanaText::FromBytes(byte, CharacterSet::kName);
        const auto of_edi = KanaText::FromBytes(byte, CharacterSet::kEdi);
        EXPECT_EQ(of_name.ok(), name) << value;
        EXPECT_EQ(of_edi.ok(), edi) << value;
        if (edi) {
            EXPECT_EQ(of_edi->Fits(CharacterSet::kName), name) << value;
        } else {
            EXPECT_THAT(of_edi, Refuses(Code::kInvalidArgument, reason::kKanaNotAllowed));
        }
    }
}

TEST(KanaTextTest, IsOneByteACharacter) {
    const KanaText kana = KanaText::FromText("ミズホ").value();
    EXPECT_EQ(kana.bytes(), "\xD0\xBD\xDE\xCE");
    EXPECT_EQ(kana.size(), 4u);
    EXPECT_EQ(kana.First(2).ToUtf8(), "ﾐｽ");
    EXPECT_EQ(kana.First(30), kana);
    EXPECT_EQ(KanaText::FromText("ヤマダ タロウ").value().First(5).ToUtf8(), "ﾔﾏﾀﾞ");
    EXPECT_EQ(KanaText::FromBytes("\xD0\xBD\xDE\xCE   ").value(), kana);
    EXPECT_TRUE(KanaText::FromBytes("    ").value().empty());
}

// Goal: text that was converted once is never changed again, and its bytes are what they seem.
// Method: random texts of permitted and of forbidden characters under a printed seed.
TEST(KanaTextTest, ConversionIsStable) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const std::u32string alphabet =
        U"アガぱゃッー－ 　a0Ｚｶﾞ（)．ヴ株・ヲ/,\u3099\U0001F600\u00E9ｦ｢";
    int converted = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        const std::size_t length = random() % 6;
        for (std::size_t at = 0; at < length; ++at) {
            const char32_t c = alphabet[random() % alphabet.size()];
            if (c < 0x80) {
                text += static_cast<char>(c);
            } else if (c < 0x800) {
                text += static_cast<char>(0xC0 | c >> 6);
            } else if (c < 0x10000) {
                text += static_cast<char>(0xE0 | c >> 12);
                text += static_cast<char>(0x80 | (c >> 6 & 0x3F));
            } else {
                text += static_cast<char>(0xF0 | c >> 18);
                text += static_cast<char>(0x80 | (c >> 12 & 0x3F));
                text += static_cast<char>(0x80 | (c >> 6 & 0x3F));
            }
            if (c >= 0x80) text += static_cast<char>(0x80 | (c & 0x3F));
        }
        for (const CharacterSet set : {CharacterSet::kName, CharacterSet::kEdi}) {
            const auto kana = KanaText::FromText(text, set);
            if (!kana.ok()) continue;
            ++converted;
            EXPECT_TRUE(kana->Fits(set)) << text;
            EXPECT_EQ(KanaText::FromText(kana->ToUtf8(), set).value(), *kana) << text;
            EXPECT_EQ(KanaText::FromBytes(kana->bytes(), set).value(), *kana) << text;
            EXPECT_EQ(JisBytes(kana->ToUtf8()), kana->bytes()) << text;
        }
    }
    EXPECT_GT(converted, 5'000);
}

}  // namespace
}  // namespace kessai::zengin
