#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "app/deliver_webhooks.h"
#include "app/rate_limiter.h"
#include "domain/file_links.h"
#include "kessai/config/schema.h"
#include "kessai/http/server.h"
#include "kessai/kafka/connection.h"
#include "kessai/mysql/pool.h"
#include "kessai/redis/options.h"
#include "kessai/rpc/tls.h"
#include "kessai/time/clock.h"
#include "transport/partner_api.h"

namespace kessai::gateway {

struct HttpsOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 7443;
    std::string cert_file;
    std::string key_file;
    /// Without TLS, behind a proxy on the same machine or in tests.
    bool plain = false;
    int loops = 1;
    Duration reload_every = std::chrono::seconds(30);
    http::ServerLimits limits;
    std::vector<std::string> trusted_proxies;
    bool take_traceparent = true;
    std::uint32_t log_one_in = 1;
    Duration slow_after = std::chrono::seconds(1);
};

struct UpstreamOptions {
    std::string payment;
    std::string payout;
    std::string reconciliation;
    /// The name in their certificates; empty: the target's host.
    std::string payment_server_name;
    std::string payout_server_name;
    std::string reconciliation_server_name;
    /// More services to send single routes to: name → target.
    std::map<std::string, std::string> others;
    /// Which: route → name.
    std::map<std::string, std::string> routes;
    int open_commands_max = 16'384;
    Duration gather = std::chrono::milliseconds(1);
};

struct IssuerOptions {
    std::string issuer;
    std::string audience;
    std::string jwks_url;
    Duration life_max = std::chrono::hours(24);
};

struct DevIssuerOptions {
    bool enabled = false;
    std::string key_file;
    std::string issuer = "https://dev-issuer.kessai.invalid";
    Duration token_life = std::chrono::hours(12);
};

struct LimitOptions {
    double address_per_second = 2'000;
    double address_burst = 4'000;
    double credential_per_second = 1'000;
    double credential_burst = 2'000;
    double user_per_second = 20;
    double user_burst = 60;
    /// Of a bank's result file.
    std::size_t result_bytes_max = std::size_t{3} << 20;
};

struct WebhookOptions {
    app::DeliveryOptions delivery;
    std::vector<std::string> retry_waits{"1s",  "5s", "30s", "2m", "10m",
                                         "30m", "1h", "3h",  "6h", "12h"};
    bool allow_private_addresses = false;
    bool order_amount_as_text = true;
    std::string ca_file;
    Duration keep = std::chrono::hours(24 * 30);
};

struct FileOptions {
    domain::FileLinks::Options links{.base_url = "https://localhost:7443"};
    /// Contents that are sent at once.
    std::size_t downloads_max = 32;
    std::size_t downloads_per_merchant_max = 8;
};

/// The gateway's own keys; the libraries' sections are composed in.
struct Options {
    std::string environment = "development";
    HttpsOptions https;
    UpstreamOptions upstreams;
    rpc::TlsFiles tls;
    std::string internal_token_key_file;
    mysql::PoolOptions mysql;
    redis::Options redis;
    kafka::ConnectionOptions kafka;
    std::string secrets_key;
    std::string secrets_previous_key;
    IssuerOptions app_auth;
    IssuerOptions operator_auth;
    std::map<std::string, std::string> roles;
    std::string issuers_ca_file;
    DevIssuerOptions dev_issuer;
    LimitOptions limits;
    transport::PartnerApiOptions partner;
    WebhookOptions webhooks;
    FileOptions files;
    int worker_threads = 8;
    std::size_t worker_queue_max = 2'000;

    Options();
};

void Describe(config::Schema& schema, Options& options);

}  // namespace kessai::gateway
