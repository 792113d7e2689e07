// Goal: a link opens one file of one merchant until its time is over, and nothing that was not
// signed does; ranges mean what RFC 9110 says. Method: every part of a good link is changed; ranges
// of the RFC and those that break its grammar.

#include "domain/file_links.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "domain/byte_range.h"
#include "domain/secret_box.h"
#include "domain/sha256.h"
#include "kessai/testing/matchers.h"

namespace kessai::gateway::domain {
namespace {

using namespace std::chrono_literals;
using testing::IsOk;
using ::testing::Not;
using testing::Refuses;

const Instant kNow = FromMicros(1'795'000'000'000'000);

struct Query {
    std::string merchant, expires, signature;
};

Query QueryOf(const std::string& url) {
    const auto value = [&](const std::string& name) {
        const std::size_t at = url.find(name + "=") + name.size() + 1;
        return url.substr(at, url.find('&', at) - at);
    };
    return {value("merchant"), value("expires"), value("signature")};
}

class FileLinksTest : public ::testing::Test {
 protected:
    Status Check(const FileLinks& links, std::int64_t file_id, const Query& query,
                 Instant now = kNow) const {
        return links.Check(file_id, query.merchant, query.expires, query.signature, now).status();
    }

    const std::string key_ = std::string(32, 'a'), other_key_ = std::string(32, 'b');
    const FileLinks links_{{.base_url = "https://api.example"}, {key_}};
};

TEST_F(FileLinksTest, OpenTheirFileUntilTheyExpire) {
    const auto link = links_.Fresh(77, 501, kNow, kNow);
    ASSERT_TRUE(link.has_value());
    EXPECT_EQ(link->expires_at, kNow + 2h);
    const std::string url = links_.Url(*link);
    EXPECT_THAT(url, ::testing::MatchesRegex("https://api\\.example/v2/files/77/content\\?"
                                             "merchant=501&expires=1795007200&"
                                             "signature=[0-9a-f]{64}"));
    const Query query = QueryOf(url);
    const auto checked = links_.Check(77, query.merchant, query.expires, query.signature, kNow);
    ASSERT_THAT(checked, IsOk());
    EXPECT_EQ(checked->merchant_id, 501);
    EXPECT_EQ(checked->file_id, 77);
    EXPECT_THAT(Check(links_, 77, query, kNow + 2h - 1us), IsOk());
    EXPECT_THAT(Check(links_, 77, query, kNow + 2h),
                Refuses(Code::kFailedPrecondition, reason::kFileLinkExpired));
}

TEST_F(FileLinksTest, ThatWereChangedAreNoneOfOurs) {
    const Query good = QueryOf(links_.Url(*links_.Fresh(77, 501, kNow, kNow)));
    const auto is_invalid = Refuses(Code::kPermissionDenied, reason::kFileLinkInvalid);
    EXPECT_THAT(Check(links_, 78, good), is_invalid);
    for (const Query& bad :
         {Query{"502", good.expires, good.signature}, Query{"", good.expires, good.signature},
          Query{"0501", good.expires, good.signature}, Query{"501x", good.expires, good.signature},
          Query{"501", "1795007201", good.signature}, Query{"501", "", good.signature},
          Query{"501", "9223372036854775807", good.signature}, Query{"501", "-1", good.signature},
          Query{"501", good.expires, ""}, Query{"501", good.expires, good.signature.substr(1)},
          Query{"501", good.expires, good.signature + "0"},
          Query{"501", good.expires, std::string(64, '0')}}) {
        EXPECT_THAT(Check(links_, 77, bad), is_invalid)
            << bad.merchant << " " << bad.expires << " " << bad.signature;
        // Whether it would have expired is not told of what was never signed.
        EXPECT_THAT(Check(links_, 77, bad, kNow + 24h), is_invalid);
    }
    std::string flipped = good.signature;
    flipped[40] = flipped[40] == '0' ? '1' : '0';
    EXPECT_THAT(Check(links_, 77, {"501", good.expires, flipped}), is_invalid);
}

TEST_F(FileLinksTest, KeysMayRotate) {
    const Query query = QueryOf(links_.Url(*links_.Fresh(77, 501, kNow, kNow)));
    EXPECT_THAT(Check(FileLinks({}, {other_key_, key_}), 77, query), IsOk());
    EXPECT_THAT(Check(FileLinks({}, {other_key_}), 77, query),
                Refuses(Code::kPermissionDenied, reason::kFileLinkInvalid));
}

TEST_F(FileLinksTest, EndWithTheFilesAvailability) {
    const auto late = links_.Fresh(77, 501, kNow - 7 * 24h + 10min, kNow);
    ASSERT_TRUE(late.has_value());
    EXPECT_EQ(late->expires_at, kNow + 10min);
    EXPECT_FALSE(links_.Fresh(77, 501, kNow - 7 * 24h, kNow).has_value());
    EXPECT_EQ(links_.AvailableUntil(kNow), kNow + 7 * 24h);
}

TEST(KeysForTest, AreOfTheirPurposeAndOfEachKey) {
    const auto box = SecretBox::Create({std::string(64, 'a'), std::string(64, 'b')}).value();
    const auto keys = box.KeysFor("file links");
    ASSERT_EQ(keys.size(), 2);
    EXPECT_EQ(keys[0].size(), 32);
    EXPECT_NE(keys[0], keys[1]);
    EXPECT_NE(keys[0], box.KeysFor("another")[0]);
    EXPECT_NE(ToHex(keys[0]), std::string(64, 'a'));
    EXPECT_EQ(keys, box.KeysFor("file links"));
}

TEST(Sha256Test, IsThatOfTheStandard) {
    // FIPS 180-4's and RFC 4231's examples.
    EXPECT_EQ(ToHex(Sha256::Of("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(ToHex(HmacSha256("Jefe", "what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

using Kind = ByteRange::Kind;

TEST(ByteRangeTest, MeansWhatTheRfcSays) {
    const auto part = [](std::uint64_t first, std::uint64_t last) {
        return ByteRange{Kind::kPart, first, last};
    };
    EXPECT_EQ(ReadRange("bytes=0-499", 10'000), part(0, 499));
    EXPECT_EQ(ReadRange("bytes=500-999", 10'000), part(500, 999));
    EXPECT_EQ(ReadRange("bytes=9500-", 10'000), part(9'500, 9'999));
    EXPECT_EQ(ReadRange("bytes=-500", 10'000), part(9'500, 9'999));
    EXPECT_EQ(ReadRange("bytes=-20000", 10'000), part(0, 9'999));
    EXPECT_EQ(ReadRange("bytes=0-0", 10'000), part(0, 0));
    EXPECT_EQ(ReadRange("bytes=9999-99999999999999999999999", 10'000), part(9'999, 9'999));
    EXPECT_EQ(ReadRange(" Bytes = 1-2 ", 10'000), part(1, 2));
}

TEST(ByteRangeTest, BeyondTheEndIsNoRange) {
    for (const char* field :
         {"bytes=10000-", "bytes=10000-10001", "bytes=-0", "bytes=99999999999999999999999-"}) {
        EXPECT_EQ(ReadRange(field, 10'000).kind, Kind::kUnsatisfiable) << field;
    }
    EXPECT_EQ(ReadRange("bytes=0-", 0).kind, Kind::kUnsatisfiable);
    EXPECT_EQ(ReadRange("bytes=-5", 0).kind, Kind::kUnsatisfiable);
}

TEST(ByteRangeTest, WhatIsMalformedOrManyIsAll) {
    for (const char* field :
         {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=1-b", "bytes=5-4", "bytes=+1-2",
          "items=0-1", "bytes=0-1,5-6", "bytes 0-1", "bytes=1", "bytes=1-2-3", "bytes=0x1-2"}) {
        EXPECT_EQ(ReadRange(field, 10'000), (ByteRange{Kind::kAll, 0, 9'999})) << field;
    }
    EXPECT_EQ(ReadRange("", 0), ByteRange{});
}

}  // namespace
}  // namespace kessai::gateway::domain
