#include "kessai/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <vector>

#include "kessai/result/check.h"

namespace kessai::net {

namespace {
constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

const std::vector<IpNetwork>& SpecialNetworks() {
    static const std::vector<IpNetwork> networks = [] {
        std::vector<IpNetwork> parsed;
        for (const char* text :
             {// IPv4
              "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
              "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
              "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
              // IPv6: what is not global unicast (2000::/3), and special parts of it
              "::/3", "4000::/2", "8000::/1", "2001::/23", "2001:db8::/32", "3fff::/20"}) {
            auto network = IpNetwork::Parse(text);
            KESSAI_CHECK(network.ok(), text);
            parsed.push_back(*network);
        }
        return parsed;
    }();
    return networks;
}
}  // namespace

Result<IpAddress> IpAddress::Parse(std::string_view text) {
    const std::string copy(text);
    IpAddress address;
    in_addr v4{};
    if (inet_pton(AF_INET, copy.c_str(), &v4) == 1 && copy.size() == text.size() &&
        copy.find('\0') == std::string::npos) {
        std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes_.begin());
        std::memcpy(address.bytes_.data() + 12, &v4, 4);
        return address;
    }
    if (copy.find('\0') == std::string::npos &&
        inet_pton(AF_INET6, copy.c_str(), address.bytes_.data()) == 1) {
        return address;
    }
    return Status(Code::kInvalidArgument, "ADDRESS_MALFORMED", "not an IP address");
}

IpAddress IpAddress::FromSockaddr(const sockaddr& from) {
    IpAddress address;
    if (from.sa_family == AF_INET) {
        std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes_.begin());
        std::memcpy(address.bytes_.data() + 12,
                    &reinterpret_cast<const sockaddr_in&>(from).sin_addr, 4);
    } else if (from.sa_family == AF_INET6) {
        std::memcpy(address.bytes_.data(), &reinterpret_cast<const sockaddr_in6&>(from).sin6_addr,
                    16);
    }
    return address;
}

bool IpAddress::is_v4() const {
    return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes_.begin());
}

std::string IpAddress::ToString() const {
    char text[INET6_ADDRSTRLEN];
    if (is_v4()) {
        inet_ntop(AF_INET, bytes_.data() + 12, text, sizeof(text));
    } else {
        inet_ntop(AF_INET6, bytes_.data(), text, sizeof(text));
    }
    return text;
}

bool IpAddress::is_loopback() const {
    if (is_v4()) return bytes_[12] == 127;
    return std::all_of(bytes_.begin(), bytes_.end() - 1, [](auto byte) { return byte == 0; }) &&
           bytes_[15] == 1;
}

bool IpAddress::is_public() const {
    const auto embedded_v4 = [this](std::size_t at) {
        IpAddress inner;
        std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), inner.bytes_.begin());
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at), 4, inner.bytes_.begin() + 12);
        return inner;
    };
    constexpr std::array<std::uint8_t, 12> kNat64{0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};
    if (!is_v4()) {
        if (std::equal(kNat64.begin(), kNat64.end(), bytes_.begin())) {
            return embedded_v4(12).is_public();
        }
        if (bytes_[0] == 0x20 && bytes_[1] == 0x02) return embedded_v4(2).is_public();  // 6to4
    }
    return std::none_of(SpecialNetworks().begin(), SpecialNetworks().end(),
                        [this](const IpNetwork& network) { return network.Contains(*this); });
}

Result<IpNetwork> IpNetwork::Parse(std::string_view text) {
    const Status malformed(Code::kInvalidArgument, "NETWORK_MALFORMED", "not an IP network");
    IpNetwork network;
    const auto slash = text.find('/');
    auto base = IpAddress::Parse(text.substr(0, slash));
    if (!base.ok()) return malformed;
    network.base_ = *base;
    if (slash == std::string_view::npos) return network;

    const auto digits = text.substr(slash + 1);
    const bool v4 = text.substr(0, slash).find(':') == std::string_view::npos;
    int bits = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (error != std::errc{} || end != digits.data() + digits.size() || bits < 0 ||
        bits > (v4 ? 32 : 128)) {
        return malformed;
    }
    network.prefix_bits_ = v4 ? bits + 96 : bits;
    for (int bit = network.prefix_bits_; bit < 128; ++bit) {
        if ((network.base_.bytes_[static_cast<std::size_t>(bit / 8)] & (0x80 >> (bit % 8))) != 0) {
            return malformed;
        }
    }
    return network;
}

bool IpNetwork::Contains(const IpAddress& address) const {
    // "::/3" and its like are about IPv6: an IPv4 address is not in them, though its mapped form
    // is.
    if (prefix_bits_ < 96 && address.is_v4()) return false;
    const auto whole = static_cast<std::size_t>(prefix_bits_ / 8);
    if (!std::equal(base_.bytes_.begin(), base_.bytes_.begin() + static_cast<std::ptrdiff_t>(whole),
                    address.bytes_.begin())) {
        return false;
    }
    const int rest = prefix_bits_ % 8;
    return rest == 0 || ((base_.bytes_[whole] ^ address.bytes_[whole]) >> (8 - rest)) == 0;
}

std::string IpNetwork::ToString() const {
    const bool v4 = base_.is_v4() && prefix_bits_ >= 96;
    return base_.ToString() + "/" + std::to_string(v4 ? prefix_bits_ - 96 : prefix_bits_);
}

}  // namespace kessai::net

std::size_t std::hash<kessai::net::IpAddress>::operator()(
    const kessai::net::IpAddress& address) const noexcept {
    std::uint64_t high;
    std::uint64_t low;
    std::memcpy(&high, address.bytes().data(), 8);
    std::memcpy(&low, address.bytes().data() + 8, 8);
    std::uint64_t x = high * 0x9e3779b97f4a7c15ULL ^ low;
    x ^= x >> 29;
    x *= 0xbf58476d1ce4e5b9ULL;
    return x ^ (x >> 32);
}
