// Goal: URLs, queries and escapes are read one way only.
// Method: tables of good and bad spellings.

#include "kessai/http/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kessai/http/client.h"

namespace kessai::http {
namespace {

TEST(MessageTest, DecodesEscapes) {
    std::string decoded;
    EXPECT_TRUE(PercentDecode("a%20b%2Fc+d", decoded));
    EXPECT_EQ(decoded, "a b/c+d");
    for (const char* broken : {"%", "%2", "%2g", "a%zz"}) {
        EXPECT_FALSE(PercentDecode(broken, decoded)) << broken;
    }
    EXPECT_EQ(PercentEncode("https://a/b?c=d é"), "https%3A%2F%2Fa%2Fb%3Fc%3Dd%20%C3%A9");
}

TEST(MessageTest, FindsFieldsAndQueryValues) {
    const std::vector<Field> fields{{"Content-Type", "a"}, {"X-ASSUME-MERCHANT", ""}, {"x", "1"}};
    Request request;
    request.fields = fields;
    request.query = "a=1&b=%41&a=2&c&=x&d=";
    EXPECT_EQ(request.Header("content-type"), "a");
    EXPECT_EQ(request.Header("X-Assume-Merchant"), "");
    EXPECT_EQ(request.Header("missing"), "");
    EXPECT_EQ(request.QueryValue("a"), "1");
    EXPECT_EQ(request.QueryValue("b"), "A");
    EXPECT_TRUE(request.HasQueryValue("c"));
    EXPECT_TRUE(request.HasQueryValue("d"));
    EXPECT_FALSE(request.HasQueryValue("e"));
}

TEST(UrlTest, ReadsWhatIsOne) {
    const auto parse = [](const char* text) { return Url::Parse(text)->ToString(); };
    EXPECT_EQ(parse("https://Example.COM"), "https://example.com/");
    EXPECT_EQ(parse("https://example.com:443/a?b=c"), "https://example.com/a?b=c");
    EXPECT_EQ(parse("http://example.com:8080?x"), "http://example.com:8080/?x");
    EXPECT_EQ(parse("https://[2001:db8::1]:8443/"), "https://[2001:db8::1]:8443/");
    EXPECT_EQ(Url::Parse("http://[::1]/")->host, "::1");
    EXPECT_EQ(Url::Parse("http://127.0.0.1:81/")->port, 81);
}

TEST(UrlTest, RefusesWhatIsNone) {
    for (const char* text : {"",
                             "example.com",
                             "ftp://example.com/",
                             "https://",
                             "https:///a",
                             "https://a b/",
                             "https://user@host/",
                             "https://user:pw@host/",
                             "https://host:0/",
                             "https://host:65536/",
                             "https://host:/",
                             "https://host:8x/",
                             "https://[::1",
                             "https://[1.2.3.4]/",
                             "https://[::1]x/",
                             "https://host/#frag",
                             "https://host\\@evil/",
                             "https://ho%73t/",
                             "https://host/\r\nX: y",
                             "https://h\xc3\xb6st/"}) {
        EXPECT_EQ(Url::Parse(text).status().reason(), "URL_MALFORMED") << text;
    }
    EXPECT_FALSE(Url::Parse("https://a/" + std::string(3'000, 'x')).ok());
}

}  // namespace
}  // namespace kessai::http
