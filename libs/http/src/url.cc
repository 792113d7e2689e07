#include <algorithm>
#include <charconv>

#include "kessai/http/client.h"
#include "kessai/net/address.h"

namespace kessai::http {

Result<Url> Url::Parse(std::string_view text) {
    const auto malformed = [](const char* why) {
        return Status(Code::kInvalidArgument, "URL_MALFORMED", why);
    };
    if (text.size() > 2'048) return malformed("longer than 2048 bytes");
    for (const char c : text) {
        if (c <= ' ' || c >= 127) return malformed("a character that has to be escaped");
    }
    Url url;
    if (text.starts_with("https://")) {
        text.remove_prefix(8);
    } else if (text.starts_with("http://")) {
        text.remove_prefix(7);
        url.tls = false;
        url.port = 80;
    } else {
        return malformed("neither http:// nor https://");
    }
    if (text.find('#') != std::string_view::npos) return malformed("a fragment");
    if (text.find('\\') != std::string_view::npos) return malformed("a backslash");
    const auto end = text.find_first_of("/?");
    std::string_view authority = text.substr(0, end);
    if (end != std::string_view::npos) {
        url.target = text.substr(end);
        if (url.target.front() == '?') url.target.insert(0, "/");
    }
    if (authority.find('@') != std::string_view::npos) return malformed("a user");

    std::string_view host;
    std::string_view port;
    if (authority.starts_with('[')) {
        const auto close = authority.find(']');
        if (close == std::string_view::npos) return malformed("an open bracket");
        host = authority.substr(1, close - 1);
        if (auto literal = net::IpAddress::Parse(host);
            !literal.ok() || host.find(':') == std::string_view::npos) {
            return malformed("brackets around what is no IPv6 address");
        }
        port = authority.substr(close + 1);
        if (!port.empty() && port.front() != ':') return malformed("something after the bracket");
        if (!port.empty()) port.remove_prefix(1);
    } else {
        const auto colon = authority.find(':');
        host = authority.substr(0, colon);
        if (colon != std::string_view::npos) port = authority.substr(colon + 1);
        const bool named = std::all_of(host.begin(), host.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '-' || c == '.' || c == '_';
        });
        if (host.empty() || host.size() > 253 || !named) return malformed("no host name");
    }
    if (authority.ends_with(':')) return malformed("an empty port");
    if (!port.empty()) {
        unsigned number = 0;
        const auto [last, error] = std::from_chars(port.data(), port.data() + port.size(), number);
        if (error != std::errc{} || last != port.data() + port.size() || number == 0 ||
            number > 65'535) {
            return malformed("no port number");
        }
        url.port = static_cast<std::uint16_t>(number);
    }
    url.host = host;
    std::transform(url.host.begin(), url.host.end(), url.host.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return url;
}

std::string Url::Authority() const {
    std::string authority = host.find(':') == std::string::npos ? host : "[" + host + "]";
    if (port != (tls ? 443 : 80)) authority += ":" + std::to_string(port);
    return authority;
}

std::string Url::ToString() const {
    return (tls ? "https://" : "http://") + Authority() + target;
}

}  // namespace kessai::http
