#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "kessai/result/result.h"

struct sockaddr;

namespace kessai::net {

/// An IPv4 or IPv6 address. IPv4 is kept as IPv4-mapped IPv6, and a mapped address is IPv4: the two
/// ways to write one address are equal.
class IpAddress {
 public:
    IpAddress() = default;

    /// Refuses with INVALID_ARGUMENT ADDRESS_MALFORMED what is not a literal address.
    static Result<IpAddress> Parse(std::string_view text);
    /// Any other family gives "::".
    static IpAddress FromSockaddr(const sockaddr& address);

    bool is_v4() const;
    std::string ToString() const;
    const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }

    /// Whether the address is one of the public Internet: not loopback, private (RFC 1918, RFC
    /// 4193), link-local, shared (RFC 6598), multicast, documentation, benchmarking, reserved,
    /// unspecified, nor an IPv6 form (NAT64, 6to4, Teredo) that leads to such a one. After the IANA
    /// special-purpose registries.
    bool is_public() const;
    bool is_loopback() const;

    bool operator==(const IpAddress&) const = default;

 private:
    friend class IpNetwork;
    std::array<std::uint8_t, 16> bytes_{};
};

/// "192.0.2.0/24", "2001:db8::/32", or one address.
class IpNetwork {
 public:
    /// Refuses with INVALID_ARGUMENT NETWORK_MALFORMED; bits below the prefix must be zero.
    static Result<IpNetwork> Parse(std::string_view text);

    bool Contains(const IpAddress& address) const;
    std::string ToString() const;

 private:
    IpAddress base_;
    int prefix_bits_ = 128;  // of the 128-bit form
};

}  // namespace kessai::net

template <>
struct std::hash<kessai::net::IpAddress> {
    std::size_t operator()(const kessai::net::IpAddress& address) const noexcept;
};
