#include "address_resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>

namespace kessai::rpc {
namespace {

bool IsPort(std::string_view text) {
    unsigned port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc() && end == text.data() + text.size() && port > 0 && port <= 65'535;
}

/// "1.2.3.4:5" or "[::1]:5".
bool Split(std::string_view text, HostPort* out) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return false;
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    if (host.front() == '[') {
        if (host.back() != ']') return false;
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return false;
    }
    if (host.empty() || !IsPort(port)) return false;
    *out = {std::string(host), std::string(port)};
    return true;
}

bool IsNumeric(const std::string& host) {
    unsigned char address[sizeof(in6_addr)];
    return ::inet_pton(AF_INET, host.c_str(), address) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), address) == 1;
}

std::string Format(const addrinfo& found, const std::string& port) {
    char text[INET6_ADDRSTRLEN] = "";
    if (found.ai_family == AF_INET) {
        const auto* address = reinterpret_cast<const sockaddr_in*>(found.ai_addr);
        ::inet_ntop(AF_INET, &address->sin_addr, text, sizeof text);
        return "ipv4:" + std::string(text) + ":" + port;
    }
    const auto* address = reinterpret_cast<const sockaddr_in6*>(found.ai_addr);
    ::inet_ntop(AF_INET6, &address->sin6_addr, text, sizeof text);
    return "ipv6:[" + std::string(text) + "]:" + port;
}

}  // namespace

Result<std::vector<HostPort>> ParseTarget(const std::string& target) {
    std::string_view rest = target;
    for (const std::string_view scheme : {"dns:///", "dns:", "ipv4:", "ipv6:"}) {
        if (rest.starts_with(scheme)) {
            rest.remove_prefix(scheme.size());
            break;
        }
    }
    std::vector<HostPort> hosts;
    while (true) {
        const auto comma = rest.find(',');
        HostPort host;
        if (!Split(rest.substr(0, comma), &host)) {
            return Status(Code::kInvalidArgument, "TARGET_MALFORMED",
                          "not host:port or dns:///host:port: " + target);
        }
        hosts.push_back(std::move(host));
        if (comma == std::string_view::npos) return hosts;
        rest.remove_prefix(comma + 1);
    }
}

bool AllNumeric(const std::vector<HostPort>& hosts) {
    return std::all_of(hosts.begin(), hosts.end(),
                       [](const HostPort& host) { return IsNumeric(host.host); });
}

Result<std::vector<std::string>> ResolveAddresses(const std::vector<HostPort>& hosts) {
    std::vector<std::string> addresses;
    for (const HostPort& host : hosts) {
        addrinfo hints{};
        hints.ai_family = AF_UNSPEC;
        hints.ai_socktype = SOCK_STREAM;
        addrinfo* found = nullptr;
        const int error = ::getaddrinfo(host.host.c_str(), nullptr, &hints, &found);
        const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, ::freeaddrinfo);
        if (error != 0) {
            return Status(Code::kUnavailable, "NAME_UNRESOLVED",
                          host.host + ": " + ::gai_strerror(error));
        }
        for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
            if (one->ai_family != AF_INET && one->ai_family != AF_INET6) continue;
            addresses.push_back(Format(*one, host.port));
        }
    }
    std::sort(addresses.begin(), addresses.end());
    addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
    return addresses;
}

}  // namespace kessai::rpc
