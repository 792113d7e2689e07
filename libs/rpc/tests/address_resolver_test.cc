// Goal: a stream's client finds the addresses that its target means, and says what it can't use.
// Method: targets of every form; names that every machine has, and one that none has.
#include "address_resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kessai::rpc {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

std::vector<std::string> Hosts(const std::string& target) {
    std::vector<std::string> hosts;
    const auto parsed = ParseTarget(target).value();
    for (const HostPort& host : parsed) {
        hosts.push_back(host.host + " " + host.port);
    }
    return hosts;
}

TEST(AddressResolverTest, ReadsTargets) {
    EXPECT_THAT(Hosts("dns:///payment.kessai.svc.cluster.local.:7443"),
                ElementsAre("payment.kessai.svc.cluster.local. 7443"));
    EXPECT_THAT(Hosts("payment:7443"), ElementsAre("payment 7443"));
    EXPECT_THAT(Hosts("10.0.0.1:1,10.0.0.2:65535"), ElementsAre("10.0.0.1 1", "10.0.0.2 65535"));
    EXPECT_THAT(Hosts("ipv4:127.0.0.1:5"), ElementsAre("127.0.0.1 5"));
    EXPECT_THAT(Hosts("ipv6:[::1]:5"), ElementsAre("::1 5"));
    EXPECT_TRUE(AllNumeric(ParseTarget("[::1]:5,127.0.0.1:5").value()));
    EXPECT_FALSE(AllNumeric(ParseTarget("127.0.0.1:5,localhost:5").value()));
}

TEST(AddressResolverTest, RefusesWhatIsNoTarget) {
    for (const char* target : {"", "payment", "payment:", ":7443", "payment:0", "payment:65536",
                               "payment:http", "a:1,", ",a:1", "::1:5", "[::1:5", "dns:///"}) {
        EXPECT_EQ(ParseTarget(target).status().reason(), "TARGET_MALFORMED") << target;
    }
}

TEST(AddressResolverTest, ResolvesEachAddressOnce) {
    const auto twice = ParseTarget("127.0.0.1:7,127.0.0.1:7,127.0.0.1:6,[::1]:7").value();
    EXPECT_THAT(ResolveAddresses(twice).value(),
                ElementsAre("ipv4:127.0.0.1:6", "ipv4:127.0.0.1:7", "ipv6:[::1]:7"));
    EXPECT_THAT(ResolveAddresses(ParseTarget("localhost:7").value()).value(),
                Contains("ipv4:127.0.0.1:7"));
    // RFC 2606: never a name.
    const auto none = ResolveAddresses(ParseTarget("payment.invalid.:7").value());
    EXPECT_EQ(none.status().reason(), "NAME_UNRESOLVED");
}

}  // namespace
}  // namespace kessai::rpc
