#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/net/address.h"
#include "kessai/time/clock.h"

namespace kessai::gateway::domain {

/// What a partner signs its requests with, and what that lets it do.
struct ApiCredential {
    std::string api_key;
    /// The very text that signs; partners decode it as base64 for tokens only.
    std::string secret;
    /// Whom it acts for when a request names nobody.
    std::int64_t merchant_id = 0;
    /// Whom else it may act for (an agent's credential).
    std::vector<std::int64_t> assumable_merchant_ids;
    std::vector<std::string> scopes;
    /// Clients must have an address in one of them; empty: any.
    std::vector<net::IpNetwork> allowed_networks;
    /// 0: the configured default.
    std::int64_t requests_per_second = 0;
    bool revoked = false;
    Instant created_at{};
    Instant updated_at{};

    bool HasScope(std::string_view scope) const {
        return std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
    }
    bool MayActFor(std::int64_t merchant) const {
        return merchant == merchant_id ||
               std::find(assumable_merchant_ids.begin(), assumable_merchant_ids.end(), merchant) !=
                   assumable_merchant_ids.end();
    }
    bool AllowsClient(const net::IpAddress& client) const {
        return allowed_networks.empty() ||
               std::any_of(allowed_networks.begin(), allowed_networks.end(),
                           [&](const auto& network) { return network.Contains(client); });
    }
};

/// What a partner credential can be given.
namespace partner_scope {
/// Create, delete and read order codes and their payments.
inline constexpr std::string_view kCodes = "codes";
/// Read and cancel payments.
inline constexpr std::string_view kPayments = "payments";
/// Make and read refunds.
inline constexpr std::string_view kRefunds = "refunds";
/// List the merchant's files, and get links to them.
inline constexpr std::string_view kFiles = "files";
}  // namespace partner_scope

}  // namespace kessai::gateway::domain
