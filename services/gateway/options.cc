#include "options.h"

#include "kessai/http/client.h"
#include "kessai/kafka/config.h"
#include "kessai/mysql/config.h"
#include "kessai/net/address.h"
#include "kessai/rpc/config.h"
#include "transport/routes.h"

namespace kessai::gateway {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

Status Invalid(std::string why) {
    return {Code::kInvalidArgument, config::kConfigInvalid, std::move(why)};
}

void DescribeHttps(config::Schema schema, HttpsOptions& https) {
    schema.Text("host", &https.host, {.description = "Address to listen on"});
    schema.Int("port", &https.port,
               {.description = "Port to listen on; 0 takes a free one", .min = 0, .max = 65'535});
    schema.File("cert_file", &https.cert_file,
                {.description = "PEM file of the certificate chain that callers are shown; read "
                                "again when it changes"});
    schema.File("key_file", &https.key_file, {.description = "Its private key"});
    schema.Bool("plain", &https.plain,
                {.description = "Speak HTTP without TLS: only behind a proxy that does it"});
    schema.Int(
        "loops", &https.loops,
        {.description = "Threads that serve connections; one fills a core", .min = 1, .max = 64});
    schema.Time("reload_every", &https.reload_every,
                {.description = "How often a changed certificate is looked for",
                 .min = seconds(1),
                 .max = hours(24)});
    schema.TextList("trusted_proxies", &https.trusted_proxies,
                    {.description = "Networks of proxies whose X-Forwarded-For says who the client "
                                    "is"});
    schema.Bool("take_traceparent", &https.take_traceparent,
                {.description = "Continue a caller's trace, instead of always beginning our own"});
    http::ServerLimits& limits = https.limits;
    schema.Size("header_bytes_max", &limits.header_bytes_max,
                {.description = "Largest header of a request", .min = 1'024, .max = 1'048'576});
    schema.Int("connections_max", &limits.connections_max,
               {.description = "Connections open at once", .min = 1, .max = 1'000'000});
    schema.Int("connections_per_address_max", &limits.connections_per_address_max,
               {.description = "Of them from one address", .min = 1, .max = 1'000'000});
    schema.Int("handshakes_max", &limits.handshakes_max,
               {.description = "TLS handshakes at once, a thread", .min = 1, .max = 100'000});
    schema.Int("requests_per_connection_max", &limits.requests_per_connection_max,
               {.description = "After so many a connection is ended", .min = 1});
    schema.Int("requests_in_flight_max", &limits.requests_in_flight_max,
               {.description = "Requests being handled at once; more are answered 503",
                .min = 1,
                .max = 1'000'000});
    schema.Size("buffered_bytes_max", &limits.buffered_bytes_max,
                {.description = "Bytes of bodies being received at once, in all",
                 .min = 65'536,
                 .max = std::uint64_t{64} << 30});
    schema.Time(
        "handshake_timeout", &limits.handshake_timeout,
        {.description = "For the TLS handshake", .min = milliseconds(100), .max = minutes(5)});
    schema.Time("header_timeout", &limits.header_timeout,
                {.description = "From a request's first byte to the end of its header",
                 .min = milliseconds(100),
                 .max = minutes(5)});
    schema.Time("transfer_grace", &limits.transfer_grace,
                {.description = "For a body or an answer, beside the time of the slowest rate",
                 .min = milliseconds(100),
                 .max = minutes(5)});
    schema.Size("transfer_bytes_per_second_min", &limits.transfer_bytes_per_second_min,
                {.description = "Slowest rate that a client may send or read at, a second",
                 .min = 1,
                 .max = 1'048'576});
    schema.Time(
        "idle_timeout", &limits.idle_timeout,
        {.description = "How long a connection may wait for its next request; longer than a "
                        "load balancer's in front",
         .min = seconds(1),
         .max = hours(1)});
    schema.Int("access_log_one_in", &https.log_one_in,
               {.description = "Of the requests that went well and quickly one in so many is "
                               "logged; all others always",
                .min = 1,
                .max = 1'000'000});
    schema.Time("slow_after", &https.slow_after,
                {.description = "A request that takes longer is logged always",
                 .min = milliseconds(1),
                 .max = minutes(5)});
}

void DescribeUpstreams(config::Schema schema, UpstreamOptions& upstreams) {
    schema.Text("payment", &upstreams.payment,
                {.description = "gRPC target of the payment service: dns:///name:port, host:port",
                 .required = true});
    schema.Text("payout", &upstreams.payout,
                {.description = "gRPC target of the payout service", .required = true});
    schema.Text("reconciliation", &upstreams.reconciliation,
                {.description = "gRPC target of the reconciliation service", .required = true});
    schema.Text(
        "payment_server_name", &upstreams.payment_server_name,
        {.description = "Name in payment's certificates, where it isn't the target's host"});
    schema.Text("payout_server_name", &upstreams.payout_server_name,
                {.description = "The same of payout"});
    schema.Text("reconciliation_server_name", &upstreams.reconciliation_server_name,
                {.description = "The same of reconciliation"});
    schema.TextMap(
        "others", &upstreams.others,
        {.description = "More services that single routes can be sent to: name to target"});
    schema.TextMap(
        "routes", &upstreams.routes,
        {.description = "Routes that go to one of those: route's name to service's name. "
                        "It must speak the contract of the service it stands in for"});
    schema.Int("open_commands_max", &upstreams.open_commands_max,
               {.description = "Commands open at once on the stream to payment",
                .min = 1,
                .max = 1'000'000});
    schema.Time("gather", &upstreams.gather,
                {.description = "While commands keep coming, a message is begun at most so often",
                 .max = milliseconds(50)});
}

void DescribeIssuer(config::Schema schema, IssuerOptions& issuer) {
    schema.Text(
        "issuer", &issuer.issuer,
        {.description = "The issuer whose tokens are taken, as their iss says; empty: none"});
    schema.Text("audience", &issuer.audience, {.description = "What their aud must hold"});
    schema.Text("jwks_url", &issuer.jwks_url,
                {.description = "Where the issuer's keys are (https); fetched in the background"});
    schema.Time("token_life_max", &issuer.life_max,
                {.description = "Tokens that live longer are refused",
                 .min = minutes(1),
                 .max = hours(24 * 30)});
}

void DescribeLimits(config::Schema schema, LimitOptions& limits) {
    const auto rate = [&](const char* what, double* per_second, double* burst, const char* help) {
        schema.Real(std::string(what) + ".requests_per_second", per_second,
                    {.description = help, .unit = "requests/s", .min = 0, .max = 1e7});
        schema.Real(std::string(what) + ".burst", burst,
                    {.description = "What may come at once after a pause",
                     .unit = "requests",
                     .min = 1,
                     .max = 1e7});
    };
    rate("per_address", &limits.address_per_second, &limits.address_burst,
         "Requests from one client address, over all gateways; 0: no limit");
    rate("per_credential", &limits.credential_per_second, &limits.credential_burst,
         "Requests of one API credential, where it has no rate of its own; 0: no limit");
    rate("per_user", &limits.user_per_second, &limits.user_burst,
         "Requests of one app user; 0: no limit");
    schema.Size(
        "result_bytes_max", &limits.result_bytes_max,
        {.description = "Largest result file of a bank; payout's transfers.result_bytes_max "
                        "bounds it too",
         .min = 1'024,
         .max = 64 << 20});
}

void DescribeWebhooks(config::Schema schema, WebhookOptions& webhooks) {
    app::DeliveryOptions& delivery = webhooks.delivery;
    schema.Int("in_flight_max", &delivery.in_flight_max,
               {.description = "Attempts at once, in all", .min = 1, .max = 100'000});
    schema.Int("per_endpoint_max", &delivery.per_endpoint_max,
               {.description = "Attempts at once to one endpoint", .min = 1, .max = 1'000});
    schema.Int("failing_after", &delivery.failing_after,
               {.description = "After so many failures in a row an endpoint gets one attempt at a "
                               "time",
                .min = 1,
                .max = 1'000});
    schema.Time("attempt_timeout", &delivery.attempt_timeout,
                {.description = "For an attempt, from the name's resolution to the answer",
                 .min = milliseconds(100),
                 .max = minutes(1)});
    schema.Time("poll_every", &delivery.poll_every,
                {.description = "How often due deliveries are looked for",
                 .min = milliseconds(10),
                 .max = minutes(1)});
    schema.TextList("retry_waits", &webhooks.retry_waits,
                    {.description = "Waits after the first, second, … failed attempt; after the "
                                    "last a delivery is dead, until an operator sends it again"});
    schema.Bool(
        "allow_private_addresses", &webhooks.allow_private_addresses,
        {.description = "Deliver to private and loopback addresses, and over http; only for "
                        "development"});
    schema.Bool("order_amount_as_text", &webhooks.order_amount_as_text,
                {.description = "order_amount as \"12345\", as the contract's examples, instead of "
                                "12345"});
    schema.File(
        "ca_file", &webhooks.ca_file,
        {.description = "Authorities that endpoints' certificates are verified with; empty: "
                        "the system's"});
    schema.Time("keep", &webhooks.keep,
                {.description = "How long finished deliveries are kept",
                 .min = hours(1),
                 .max = hours(24 * 3650)});
}

void DescribeFiles(config::Schema schema, FileOptions& files) {
    schema.Text(
        "base_url", &files.links.base_url,
        {.description = "What links to files begin with: where partners reach this gateway, "
                        "https://host or https://host:port"});
    schema.Time("link_life", &files.links.life,
                {.description = "How long a link to a file is good",
                 .min = minutes(1),
                 .max = hours(24 * 7)});
    schema.Time(
        "available_for", &files.links.available_for,
        {.description = "How long after a file was made, or announced again, there are links "
                        "to it",
         .min = hours(1),
         .max = hours(24 * 365)});
    schema.Int(
        "downloads_max", &files.downloads_max,
        {.description = "Files that are sent at once; each holds 4 MiB", .min = 1, .max = 10'000});
    schema.Int("downloads_per_merchant_max", &files.downloads_per_merchant_max,
               {.description = "And to one merchant", .min = 1, .max = 10'000});
}

}  // namespace

Options::Options() {
    app_auth.audience = "kessai-app";
    operator_auth.audience = "kessai-operator";
    roles = {
        {"admin",
         "merchant:read merchant:write credential:read credential:write webhook:read webhook:write "
         "day:read day:close day:release plan:write payout:read recon:read recon:write "
         "transfer:write transfer:approve adjustment:write adjustment:approve dlq:read dlq:write "
         "event:republish file:read file:write"},
        {"finance",
         "merchant:read day:read day:close day:release plan:write payout:read recon:read "
         "recon:write transfer:write transfer:approve adjustment:write adjustment:approve "
         "file:read "
         "file:write"},
        {"support",
         "merchant:read credential:read webhook:read webhook:write payout:read file:read"},
        {"sre",
         "day:read payout:read recon:read webhook:read dlq:read dlq:write event:republish "
         "file:read"},
        {"viewer", "merchant:read day:read payout:read recon:read webhook:read dlq:read file:read"},
    };
    mysql.sessions_max = 16;
}

void Describe(config::Schema& schema, Options& options) {
    schema.Text("service.environment", &options.environment,
                {.description = "\"production\" forbids what is for development only"});
    DescribeHttps(schema.Under("https"), options.https);
    DescribeUpstreams(schema.Under("upstreams"), options.upstreams);
    schema.Section("tls", options.tls);
    schema.File("internal_token.key_file", &options.internal_token_key_file,
                {.description = "Key ring that internal tokens are signed with", .required = true});
    schema.Section("mysql", options.mysql);
    schema.Section("redis", options.redis);
    schema.Section("kafka", options.kafka);
    schema.Secret("secrets.key", &options.secrets_key,
                  {.description = "Key of the secrets in the database, 64 hexadecimal digits: "
                                  "openssl rand -hex 32",
                   .max_length = 64,
                   .required = true});
    schema.Secret("secrets.previous_key", &options.secrets_previous_key,
                  {.description = "The key before it, while there are secrets sealed with it",
                   .max_length = 64});
    DescribeIssuer(schema.Under("app_auth"), options.app_auth);
    DescribeIssuer(schema.Under("operator_auth"), options.operator_auth);
    schema.TextMap(
        "operator_auth.roles", &options.roles,
        {.description = "What each role of operators may do: scopes with spaces between"});
    schema.File("issuers.ca_file", &options.issuers_ca_file,
                {.description = "Authorities that the issuers' certificates are verified with; "
                                "empty: the system's"});
    schema.Bool("dev_issuer.enabled", &options.dev_issuer.enabled,
                {.description = "Give tokens to anybody who asks; only for development"});
    schema.File(
        "dev_issuer.key_file", &options.dev_issuer.key_file,
        {.description = "PEM file of its P-256 key, so that gateways share it; empty: a key "
                        "of this process"});
    schema.Text("dev_issuer.issuer", &options.dev_issuer.issuer,
                {.description = "What its tokens say in iss"});
    schema.Time("dev_issuer.token_life", &options.dev_issuer.token_life,
                {.description = "How long its tokens live", .min = seconds(1), .max = hours(24)});
    DescribeLimits(schema.Under("limits"), options.limits);
    schema.Text(
        "partner.code_url_template", &options.partner.code_url_template,
        {.description = "The url of an order code, and what its QR image holds; {codeId} is "
                        "replaced"});
    schema.Text("partner.code_deeplink_template", &options.partner.code_deeplink_template,
                {.description = "The deep link of an order code; {url} is replaced"});
    DescribeWebhooks(schema.Under("webhooks"), options.webhooks);
    DescribeFiles(schema.Under("files"), options.files);
    schema.Int(
        "workers.threads", &options.worker_threads,
        {.description = "Threads for work that waits for the database", .min = 1, .max = 256});
    schema.Int("workers.queue_max", &options.worker_queue_max,
               {.description = "Work that may wait for them", .min = 1, .max = 100'000});

    schema.Check([&options]() -> Status {
        if (options.environment == "production" && options.dev_issuer.enabled) {
            return Invalid("dev_issuer.enabled must not be set in production");
        }
        if (options.environment == "production" && options.webhooks.allow_private_addresses) {
            return Invalid("webhooks.allow_private_addresses must not be set in production");
        }
        return OkStatus();
    });
    schema.Check([&options]() -> Status {
        const auto url = http::Url::Parse(options.files.links.base_url + "/v2/files");
        if (!url.ok() || url->target != "/v2/files") {
            return Invalid("files.base_url must be like https://host or https://host:port");
        }
        if (options.environment == "production" && !url->tls) {
            return Invalid("files.base_url must begin with https:// in production");
        }
        return OkStatus();
    });
    schema.Check([&options]() -> Status {
        if (options.https.plain) return OkStatus();
        if (options.https.cert_file.empty() || options.https.key_file.empty()) {
            return Invalid(
                "https.cert_file and https.key_file are needed, unless https.plain is set");
        }
        return OkStatus();
    });
    schema.Check([&options]() -> Status {
        for (const auto& network : options.https.trusted_proxies) {
            if (!net::IpNetwork::Parse(network).ok()) {
                return Invalid("https.trusted_proxies: " + network + " is no network");
            }
        }
        for (const auto& wait : options.webhooks.retry_waits) {
            if (!config::ParseDuration(wait).ok()) {
                return Invalid("webhooks.retry_waits: " + wait + " is no time");
            }
        }
        for (const IssuerOptions* issuer : {&options.app_auth, &options.operator_auth}) {
            if (!issuer->issuer.empty() && !http::Url::Parse(issuer->jwks_url).ok()) {
                return Invalid("an issuer needs a jwks_url");
            }
        }
        return OkStatus();
    });
    schema.Check([&options]() -> Status {
        for (const auto& [route, name] : options.upstreams.routes) {
            bool known = false;
            for (const auto& spec : transport::AllRoutes()) {
                known =
                    known || (spec.name == route && spec.upstream != transport::Upstream::kGateway);
            }
            if (!known) {
                return Invalid("upstreams.routes: " + route + " is no route to a service");
            }
            if (!options.upstreams.others.contains(name)) {
                return Invalid("upstreams.routes: " + name + " is not in upstreams.others");
            }
        }
        return OkStatus();
    });
    // A worker's session each, the consumers' two each, the relay's, the leases' and the
    // background's.
    schema.Check([&options]() -> Status {
        const int needed = options.worker_threads + 8;
        if (options.mysql.sessions_max >= needed) return OkStatus();
        return Invalid("mysql.sessions_max must be at least " + std::to_string(needed) +
                       " for workers.threads and the background tasks");
    });
}

}  // namespace kessai::gateway
