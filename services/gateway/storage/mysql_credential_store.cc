#include "storage/mysql_credential_store.h"

#include <string>
#include <utility>

#include "domain/text_rules.h"
#include "kessai/mysql/error.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/rows.h"
#include "kessai/mysql/session.h"

namespace kessai::gateway::storage {

namespace {

constexpr Duration kAcquireTimeout = std::chrono::seconds(1);

constexpr mysql::Query kFind{"api_credential.find", R"sql(
    SELECT api_key, merchant_id, secret_box, scopes, assumable_merchant_ids, allowed_networks,
           requests_per_second, revoked, created_at_us, updated_at_us
    FROM api_credential WHERE api_key = ?)sql"};
constexpr mysql::Query kOfMerchant{"api_credential.of_merchant", R"sql(
    SELECT api_key, merchant_id, secret_box, scopes, assumable_merchant_ids, allowed_networks,
           requests_per_second, revoked, created_at_us, updated_at_us
    FROM api_credential WHERE merchant_id = ? ORDER BY created_at_us, api_key LIMIT 1000)sql"};
constexpr mysql::Query kAdd{"api_credential.add", R"sql(
    INSERT INTO api_credential
        (api_key, merchant_id, secret_box, scopes, assumable_merchant_ids, allowed_networks,
         requests_per_second, revoked, created_at_us, updated_at_us)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?))sql"};
constexpr mysql::Query kRevoke{"api_credential.revoke", R"sql(
    UPDATE api_credential
    SET updated_at_us = IF(revoked = 1, updated_at_us, ?), revoked = 1
    WHERE api_key = ? AND merchant_id = ?)sql"};
constexpr mysql::Query kChangedSince{"api_credential.changed_since",
                                     "SELECT api_key FROM api_credential WHERE updated_at_us >= ? "
                                     "ORDER BY updated_at_us LIMIT 10000"};

std::string OwnerOf(std::string_view api_key) {
    return "credential:" + std::string(api_key);
}

template <class Visit>
void EachWord(std::string_view text, Visit visit) {
    while (!text.empty()) {
        const auto space = text.find(' ');
        if (space != 0) visit(text.substr(0, space));
        text = space == std::string_view::npos ? std::string_view{} : text.substr(space + 1);
    }
}

template <class Range, class ToText>
std::string Joined(const Range& range, ToText to_text) {
    std::string joined;
    for (const auto& entry : range) {
        if (!joined.empty()) joined += ' ';
        joined += to_text(entry);
    }
    return joined;
}

Result<domain::ApiCredential> Read(const mysql::Rows& rows, const domain::SecretBox& box) {
    domain::ApiCredential credential;
    credential.api_key = rows.Text(0);
    credential.merchant_id = rows.Int(1);
    KESSAI_ASSIGN_OR_RETURN(credential.secret,
                            box.Open(rows.Bytes(2), OwnerOf(credential.api_key)));
    EachWord(rows.Text(3), [&](std::string_view scope) { credential.scopes.emplace_back(scope); });
    EachWord(rows.Text(4), [&](std::string_view id) {
        if (const auto parsed = domain::ParseId(id)) {
            credential.assumable_merchant_ids.push_back(*parsed);
        }
    });
    Status malformed;
    EachWord(rows.Text(5), [&](std::string_view network) {
        auto parsed = net::IpNetwork::Parse(network);
        if (parsed.ok()) {
            credential.allowed_networks.push_back(*parsed);
        } else {
            malformed = parsed.status();  // never let anybody in because a row can't be read
        }
    });
    if (!malformed.ok()) {
        return Status(Code::kDataLoss, "CREDENTIAL_UNREADABLE", std::string(malformed.message()));
    }
    credential.requests_per_second = rows.Int(6);
    credential.revoked = rows.Bool(7);
    credential.created_at = rows.At(8);
    credential.updated_at = rows.At(9);
    return credential;
}

}  // namespace

Result<std::optional<domain::ApiCredential>> MysqlCredentialStore::Find(std::string_view api_key) {
    // The column is ASCII: what is not can't be a key, and must not reach a comparison.
    for (const char c : api_key) {
        if (c <= ' ' || c > '~') return std::optional<domain::ApiCredential>();
    }
    KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session->Select(kFind, api_key));
    if (!rows.Next()) return std::optional<domain::ApiCredential>();
    KESSAI_ASSIGN_OR_RETURN(domain::ApiCredential credential, Read(rows, box_));
    return std::optional(std::move(credential));
}

Result<std::vector<domain::ApiCredential>> MysqlCredentialStore::OfMerchant(
    std::int64_t merchant_id) {
    KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session->Select(kOfMerchant, merchant_id));
    std::vector<domain::ApiCredential> credentials;
    while (rows.Next()) {
        KESSAI_ASSIGN_OR_RETURN(domain::ApiCredential credential, Read(rows, box_));
        credentials.push_back(std::move(credential));
    }
    return credentials;
}

Status MysqlCredentialStore::Add(const domain::ApiCredential& credential) {
    KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, pool_.Acquire(kAcquireTimeout));
    const std::string box = box_.Seal(credential.secret, OwnerOf(credential.api_key));
    const std::string scopes =
        Joined(credential.scopes, [](const std::string& scope) { return scope; });
    const std::string assumable = Joined(credential.assumable_merchant_ids,
                                         [](std::int64_t id) { return std::to_string(id); });
    const std::string networks =
        Joined(credential.allowed_networks, [](const auto& network) { return network.ToString(); });
    return session
        ->Execute(kAdd, credential.api_key, credential.merchant_id, mysql::Bytes{box}, scopes,
                  assumable, networks, credential.requests_per_second, credential.revoked,
                  credential.created_at, credential.updated_at)
        .status();
}

Status MysqlCredentialStore::Revoke(std::int64_t merchant_id, std::string_view api_key,
                                    Instant now) {
    KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(const std::uint64_t matched,
                            session->Execute(kRevoke, now, api_key, merchant_id));
    if (matched == 0) {
        return {Code::kNotFound, "CREDENTIAL_UNKNOWN", "the merchant has no such key"};
    }
    return OkStatus();
}

Result<std::vector<std::string>> MysqlCredentialStore::ChangedSince(Instant since) {
    KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session->Select(kChangedSince, since));
    std::vector<std::string> keys;
    while (rows.Next()) keys.push_back(rows.Text(0));
    return keys;
}

}  // namespace kessai::gateway::storage
