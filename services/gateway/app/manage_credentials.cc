#include "app/manage_credentials.h"

#include <algorithm>
#include <utility>

#include "domain/opa_signature.h"
#include "domain/secret_box.h"

namespace kessai::gateway::app {

namespace {

constexpr std::size_t kNetworksMax = 100;
constexpr std::size_t kAssumableMax = 1'000;

/// "ak_" and 24 letters and digits: some 142 bits.
std::string FreshKey() {
    static constexpr std::string_view kAlphabet =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::string key = "ak_";
    while (key.size() < 27) {
        for (const char c : domain::RandomBytes(32)) {
            const auto byte = static_cast<unsigned char>(c);
            // Bytes beyond the largest multiple would favour some letters.
            if (byte < 248 && key.size() < 27) key.push_back(kAlphabet[byte % kAlphabet.size()]);
        }
    }
    return key;
}

}  // namespace

const std::vector<std::string>& PartnerScopes() {
    static const std::vector<std::string> scopes{
        std::string(domain::partner_scope::kCodes), std::string(domain::partner_scope::kPayments),
        std::string(domain::partner_scope::kRefunds), std::string(domain::partner_scope::kFiles)};
    return scopes;
}

Result<domain::ApiCredential> IssueCredential::Run(const CredentialWish& wish) {
    domain::ApiCredential credential;
    credential.merchant_id = wish.merchant_id;
    credential.scopes = wish.scopes.empty() ? PartnerScopes() : wish.scopes;
    for (const auto& scope : credential.scopes) {
        const auto& known = PartnerScopes();
        if (std::find(known.begin(), known.end(), scope) == known.end()) {
            return Status(Code::kInvalidArgument, "SCOPE_UNKNOWN", "there is no scope " + scope);
        }
    }
    if (wish.allowed_networks.size() > kNetworksMax ||
        wish.assumable_merchant_ids.size() > kAssumableMax) {
        return Status(Code::kInvalidArgument, "FIELD_INVALID", "a list is too long");
    }
    for (const auto& network : wish.allowed_networks) {
        KESSAI_ASSIGN_OR_RETURN(const auto parsed, net::IpNetwork::Parse(network));
        credential.allowed_networks.push_back(parsed);
    }
    credential.assumable_merchant_ids = wish.assumable_merchant_ids;
    credential.requests_per_second = wish.requests_per_second;
    credential.api_key = FreshKey();
    credential.secret = domain::Base64Encode(domain::RandomBytes(32));
    credential.created_at = credential.updated_at = clock_.Now();
    KESSAI_RETURN_IF_ERROR(store_.Add(credential));
    return credential;
}

}  // namespace kessai::gateway::app
