// Goal: literal addresses are read exactly, and none that leads inside counts as public.
// Method: tables of both kinds, among them other spellings of inside addresses.

#include "kessai/net/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kessai::net {
namespace {

IpAddress Ip(std::string_view text) {
    auto parsed = IpAddress::Parse(text);
    EXPECT_TRUE(parsed.ok()) << text;
    return parsed.value_or(IpAddress());
}

TEST(IpAddressTest, ReadsAndWrites) {
    EXPECT_EQ(Ip("192.0.2.1").ToString(), "192.0.2.1");
    EXPECT_EQ(Ip("2001:DB8::1").ToString(), "2001:db8::1");
    EXPECT_EQ(Ip("::ffff:192.0.2.1"), Ip("192.0.2.1"));
    EXPECT_TRUE(Ip("::ffff:192.0.2.1").is_v4());
    EXPECT_FALSE(Ip("::1").is_v4());
}

TEST(IpAddressTest, RefusesWhatIsNone) {
    for (const char* text : {"", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "0x7f.1", "::g",
                             "localhost", "1.2.3.4 ", "2130706433"}) {
        EXPECT_FALSE(IpAddress::Parse(text).ok()) << text;
    }
    EXPECT_FALSE(IpAddress::Parse(std::string_view("1.2.3.4\0x", 9)).ok());
}

TEST(IpAddressTest, KnowsThePublicInternet) {
    for (const char* text : {"8.8.8.8", "203.0.112.1", "172.32.0.1", "100.128.0.1", "2400:4070::1",
                             "2606:4700::1111", "64:ff9b::8.8.8.8", "2002:808:808::1"}) {
        EXPECT_TRUE(Ip(text).is_public()) << text;
    }
}

TEST(IpAddressTest, KnowsWhatLeadsInside) {
    for (const char* text : {"0.0.0.0",
                             "10.1.2.3",
                             "100.64.0.1",
                             "127.0.0.1",
                             "127.255.255.254",
                             "169.254.169.254",
                             "172.16.0.1",
                             "172.31.255.255",
                             "192.0.0.8",
                             "192.168.1.1",
                             "198.19.0.1",
                             "224.0.0.1",
                             "255.255.255.255",
                             "::",
                             "::1",
                             "::ffff:127.0.0.1",
                             "::127.0.0.1",
                             "fe80::1",
                             "fc00::1",
                             "fd12:3456::1",
                             "ff02::1",
                             "2001::1",
                             "2001:db8::1",
                             "64:ff9b::127.0.0.1",
                             "64:ff9b:1::1",
                             "2002:7f00:1::",
                             "2002:a00:1::1",
                             "fec0::1"}) {
        EXPECT_FALSE(Ip(text).is_public()) << text;
    }
}

TEST(IpNetworkTest, ContainsWhatItShould) {
    const auto contains = [](std::string_view network, std::string_view address) {
        auto parsed = IpNetwork::Parse(network);
        EXPECT_TRUE(parsed.ok()) << network;
        return parsed->Contains(Ip(address));
    };
    EXPECT_TRUE(contains("192.0.2.0/24", "192.0.2.255"));
    EXPECT_FALSE(contains("192.0.2.0/24", "192.0.3.0"));
    EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.129"));
    EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.127"));
    EXPECT_TRUE(contains("192.0.2.1", "::ffff:192.0.2.1"));
    EXPECT_TRUE(contains("0.0.0.0/0", "8.8.8.8"));
    EXPECT_FALSE(contains("0.0.0.0/0", "2400::1"));
    EXPECT_FALSE(contains("::/0", "8.8.8.8"));
    EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
    EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(IpNetworkTest, RefusesWhatIsNone) {
    for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/-1",
                             "10.0.0.0/8x", "::/129", "2001:db8::1/64"}) {
        EXPECT_FALSE(IpNetwork::Parse(text).ok()) << text;
    }
    EXPECT_EQ(IpNetwork::Parse("10.0.0.0/8")->ToString(), "10.0.0.0/8");
    EXPECT_EQ(IpNetwork::Parse("2001:db8::/32")->ToString(), "2001:db8::/32");
}

}  // namespace
}  // namespace kessai::net
