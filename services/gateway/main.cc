#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "app/app_user.h"
#include "app/authenticate_bearer.h"
#include "app/authenticate_operator.h"
#include "app/authenticate_partner.h"
#include "app/deliver_webhooks.h"
#include "app/periodic.h"
#include "app/webhook_directory.h"
#include "domain/file_links.h"
#include "domain/secret_box.h"
#include "kessai/auth/key_ring.h"
#include "kessai/auth/token.h"
#include "kessai/config/schema.h"
#include "kessai/http/client.h"
#include "kessai/http/server.h"
#include "kessai/inbox/consumer.h"
#include "kessai/inbox/dead_letter_desk.h"
#include "kessai/lease/lease_table.h"
#include "kessai/lease/leased_ids.h"
#include "kessai/log/log.h"
#include "kessai/mysql/migration.h"
#include "kessai/mysql/telemetry.h"
#include "kessai/net/run.h"
#include "kessai/net/tls.h"
#include "kessai/outbox/outbox_table.h"
#include "kessai/outbox/relay.h"
#include "kessai/redis/async_client.h"
#include "kessai/rpc/telemetry.h"
#include "kessai/rpc/worker_pool.h"
#include "kessai/runtime/main.h"
#include "options.h"
#include "storage/leased_ids.h"
#include "storage/migrations.h"
#include "storage/mysql_credential_store.h"
#include "storage/mysql_user_directory.h"
#include "storage/mysql_webhook_store.h"
#include "transport/api_wrapper.h"
#include "transport/app_api.h"
#include "transport/dead_letter_api.h"
#include "transport/dev_issuer_api.h"
#include "transport/file_event_consumer.h"
#include "transport/grpc_payment_gateway.h"
#include "transport/http_telemetry.h"
#include "transport/http_webhook_sender.h"
#include "transport/jwks_source.h"
#include "transport/operator_api.h"
#include "transport/operator_books_api.h"
#include "transport/operator_file_api.h"
#include "transport/operator_ledger_api.h"
#include "transport/operator_outside_api.h"
#include "transport/operator_repair_api.h"
#include "transport/operator_statement_api.h"
#include "transport/operator_transfer_api.h"
#include "transport/partner_api.h"
#include "transport/partner_files_api.h"
#include "transport/payment_event_consumer.h"
#include "transport/public_pages.h"
#include "transport/redis_nonce_memory.h"
#include "transport/redis_rate_limiter.h"
#include "transport/routes.h"

namespace kessai::gateway {
namespace {

using transport::PerLoop;

constexpr std::string_view kDeadLetters = "gateway.payment-events.dlq.v1";
constexpr std::string_view kFileDeadLetters = "gateway.reconciliation-events.dlq.v1";
constexpr int kDeadLetterPartitions = 3;
constexpr int kEventPartitions = 12;
constexpr std::size_t kFileThreads = 4;
constexpr Duration kFollowChangesEvery = std::chrono::seconds(2);

Status Migrate(const Options& options, runtime::Context&) {
    mysql::ConnectOptions connect = options.mysql.connect;
    connect.read_timeout = std::chrono::minutes(30);
    KESSAI_ASSIGN_OR_RETURN(const auto session, mysql::Session::Connect(connect));
    const mysql::MigrationSet sets[] = {lease::Migrations(), outbox::Migrations(),
                                        inbox::Migrations(), storage::Migrations()};
    mysql::MigrationReport report;
    KESSAI_RETURN_IF_ERROR(mysql::Migrate(*session, sets, &report));
    for (const std::string& step : report.applied) log::Info("migrated", {{"step", step}});
    return OkStatus();
}

// The database, and what is kept in it
// ---------------------------------------------------------------

struct Storage {
    mysql::Pool& pool;
    storage::LeasedIds& ids;
    app::CredentialStore& credentials;
    app::UserDirectory& users;
    app::WebhookStore& webhooks;
    app::ChangeDeliveries& change_deliveries;
    const domain::FileLinks& file_links;
};

Result<Storage> BuildStorage(const Options& options, runtime::Context& context) {
    const Clock& clock = context.clock();
    auto& queries = context.Own(std::make_unique<mysql::QueryTelemetry>(context.metrics()));
    auto& pool = context.Own(std::make_unique<mysql::Pool>(options.mysql, clock, &queries));
    context.Keep(mysql::ExposePool(context.metrics(), pool));
    context.Add({.name = "mysql", .stop = [&pool] { pool.Close(); }});

    std::vector<std::string> keys{options.secrets_key};
    if (!options.secrets_previous_key.empty()) keys.push_back(options.secrets_previous_key);
    KESSAI_ASSIGN_OR_RETURN(auto made_box, domain::SecretBox::Create(keys));
    const auto& box = context.Own(std::make_unique<domain::SecretBox>(std::move(made_box)));

    auto& leased =
        context.Own(std::make_unique<lease::LeasedIds>(pool, clock, [](const Status& why) {
            log::Warn("gateway.no_worker_number", {{"status", why}});
        }));
    context.Add({.name = "ids",
                 .start = [&leased]() -> Status {
                     leased.Start();
                     return OkStatus();
                 },
                 .ready = [&leased] { return leased.Ready(); },
                 .stop = [&leased] { leased.Stop(); }});
    auto& ids = context.Own(std::make_unique<storage::LeasedIds>(leased));
    return Storage{pool,
                   ids,
                   context.Own(std::make_unique<storage::MysqlCredentialStore>(pool, box)),
                   context.Own(std::make_unique<storage::MysqlUserDirectory>(pool, ids, clock)),
                   context.Own(std::make_unique<storage::MysqlWebhookStore>(pool, box)),
                   context.Own(std::make_unique<storage::MysqlChangeDeliveries>()),
                   context.Own(std::make_unique<domain::FileLinks>(options.files.links,
                                                                   box.KeysFor("file links")))};
}

// The services behind
// ----------------------------------------------------------------------------------

/// Which service answers a route; by the route's position in the table.
struct Upstreams {
    auth::TokenSigner* signer = nullptr;
    std::vector<app::PaymentGateway*> payments;
    std::vector<const rpc::Channel*> channels;
    /// To ask each about its dead letters, by its name.
    std::map<std::string, const rpc::Channel*, std::less<>> services;
};

Result<transport::GrpcPaymentGateway*> AddPaymentGateway(
    const Options& options, runtime::Context& context, auth::TokenSigner& signer,
    rpc::CallObserver& calls, const std::string& target, const std::string& server_name) {
    transport::GrpcPaymentGateway::Options wanted;
    wanted.target = target;
    wanted.server_name = server_name;
    wanted.tls = options.tls;
    wanted.open_max = options.upstreams.open_commands_max;
    wanted.hold = options.upstreams.gather;
    KESSAI_ASSIGN_OR_RETURN(auto made, transport::GrpcPaymentGateway::Create(
                                           std::move(wanted), signer, context.clock(), &calls));
    auto& gateway = context.Own(std::move(made));
    context.Add({.name = "payment at " + target,
                 .start = [&gateway] { return gateway.Start(); },
                 .ready = [&gateway]() -> Status {
                     return gateway.Ready() ? OkStatus()
                                            : Status(Code::kUnavailable, "PAYMENT_NOT_REACHED",
                                                     "no stream to the payment service yet");
                 },
                 .stop = [&gateway] { gateway.Stop(std::chrono::seconds(5)); }});
    return &gateway;
}

void ExposeCommands(runtime::Context& context, transport::GrpcPaymentGateway& gateway) {
    auto& registry = context.metrics();
    context.Keep(registry.AddCallbackGauge(
        {.name = "kessai_gateway_commands_open", .help = "Commands sent and not answered yet"},
        [&gateway] { return static_cast<double>(gateway.counts().open); }));
    context.Keep(registry.AddCallbackGauge(
        {.name = "kessai_gateway_command_streams", .help = "Streams that take commands"},
        [&gateway] { return static_cast<double>(gateway.counts().streams); }));
    const auto counter = [&](const char* name, const char* help, auto read) {
        context.Keep(registry.AddCallbackCounter({.name = name, .help = help}, [&gateway, read] {
            return static_cast<double>(read(gateway.counts()));
        }));
    };
    counter("kessai_gateway_commands_sent_total", "Commands sent to payment",
            [](const auto& counts) { return counts.sent; });
    counter("kessai_gateway_command_messages_total", "Messages they were sent in",
            [](const auto& counts) { return counts.messages_out; });
    counter("kessai_gateway_command_retries_total", "Commands sent again",
            [](const auto& counts) { return counts.retries; });
    counter("kessai_gateway_command_retry_budget_exhausted_total",
            "Commands not sent again because too many were",
            [](const auto& counts) { return counts.budget_exhausted; });
    counter("kessai_gateway_outcomes_unknown_total",
            "Requests answered without knowing whether their command was done",
            [](const auto& counts) { return counts.outcomes_unknown; });
}

Result<const rpc::Channel*> AddChannel(const Options& options, runtime::Context& context,
                                       rpc::CallObserver& calls, const std::string& target,
                                       const std::string& server_name) {
    rpc::ChannelOptions wanted;
    wanted.target = target;
    wanted.server_name = server_name;
    wanted.tls = options.tls;
    wanted.retried_methods = transport::RepeatableOperatorMethods();
    KESSAI_ASSIGN_OR_RETURN(auto made,
                            rpc::Channel::Create(std::move(wanted), context.clock(), &calls));
    return &context.Own(std::make_unique<rpc::Channel>(std::move(made)));
}

Result<Upstreams> BuildUpstreams(const Options& options, runtime::Context& context) {
    KESSAI_ASSIGN_OR_RETURN(auto key_file,
                            auth::KeyRingFile::Open({.path = options.internal_token_key_file}));
    const auto& keys = context.Own(std::move(key_file));
    Upstreams upstreams;
    upstreams.signer = &context.Own(std::make_unique<auth::TokenSigner>(keys, context.clock()));
    auto& calls = context.Own(std::make_unique<rpc::CallTelemetry>(
        context.metrics(), transport::UpstreamContracts(), &context.tracer(), rpc::Side::kClient));

    const auto routes = transport::AllRoutes();
    upstreams.payments.resize(routes.size());
    upstreams.channels.resize(routes.size());
    std::map<std::string, app::PaymentGateway*> payments;
    std::map<std::string, const rpc::Channel*> channels;
    for (std::size_t i = 0; i < routes.size(); ++i) {
        const transport::RouteSpec& spec = routes[i];
        if (spec.upstream == transport::Upstream::kGateway) continue;
        std::string target;
        std::string server_name;
        const auto other = options.upstreams.routes.find(std::string(spec.name));
        if (other != options.upstreams.routes.end()) {
            target = options.upstreams.others.at(other->second);
        } else if (spec.upstream == transport::Upstream::kPayment) {
            target = options.upstreams.payment;
            server_name = options.upstreams.payment_server_name;
        } else if (spec.upstream == transport::Upstream::kPayout) {
            target = options.upstreams.payout;
            server_name = options.upstreams.payout_server_name;
        } else {
            target = options.upstreams.reconciliation;
            server_name = options.upstreams.reconciliation_server_name;
        }
        if (spec.upstream == transport::Upstream::kPayment) {
            auto& gateway = payments[target];
            if (gateway == nullptr) {
                KESSAI_ASSIGN_OR_RETURN(transport::GrpcPaymentGateway * made,
                                        AddPaymentGateway(options, context, *upstreams.signer,
                                                          calls, target, server_name));
                if (payments.size() == 1) ExposeCommands(context, *made);
                gateway = made;
            }
            upstreams.payments[i] = gateway;
        }
        auto& channel = channels[target];
        if (channel == nullptr) {
            KESSAI_ASSIGN_OR_RETURN(channel,
                                    AddChannel(options, context, calls, target, server_name));
        }
        upstreams.channels[i] = channel;
    }
    const auto& to = options.upstreams;
    const std::tuple<const char*, const std::string&, const std::string&> services[] = {
        {"payment", to.payment, to.payment_server_name},
        {"payout", to.payout, to.payout_server_name},
        {"reconciliation", to.reconciliation, to.reconciliation_server_name}};
    for (const auto& [name, target, server_name] : services) {
        auto& channel = channels[target];
        if (channel == nullptr) {
            KESSAI_ASSIGN_OR_RETURN(channel,
                                    AddChannel(options, context, calls, target, server_name));
        }
        upstreams.services.emplace(name, channel);
    }
    return upstreams;
}

// Event loops, and what each has of its own
// ------------------------------------------------------------

struct LoopServices {
    PerLoop<app::CredentialCache> credentials;
    PerLoop<app::AuthenticatePartner> partners;
    PerLoop<app::AuthenticateAppUser> app_users;
    PerLoop<app::AuthenticateOperator> operators;
    PerLoop<app::RateLimiter> limiters;
    std::vector<net::Loop*> loops;
};

struct Issuers {
    std::vector<app::TrustedIssuer> app;
    std::vector<app::TrustedIssuer> operators;
};

Status AddLoop(const Options& options, runtime::Context& context, const Storage& storage,
               rpc::WorkerPool& workers, const Issuers& issuers, const app::RoleScopes& roles,
               transport::HttpTelemetry& telemetry, int number, LoopServices& services) {
    const Clock& clock = context.clock();
    auto& loop = context.Own(std::make_unique<net::Loop>("http-" + std::to_string(number)));
    context.Add({.name = "loop " + std::to_string(number),
                 .start = [&loop]() -> Status {
                     loop.Start();
                     return OkStatus();
                 },
                 .stop = [&loop] { loop.Stop(); }});
    KESSAI_ASSIGN_OR_RETURN(auto client,
                            redis::AsyncClient::Create(loop, options.redis, &telemetry));
    auto& redis = context.Own(std::move(client));
    context.Add({.name = "redis " + std::to_string(number),
                 .start = [&redis]() -> Status {
                     redis.Start();
                     return OkStatus();
                 },
                 .stop =
                     [&loop, &redis] {
                         net::RunOn(loop, [&]() -> net::Task<void> { co_await redis.Stop(); });
                     }});
    auto& nonces = context.Own(std::make_unique<transport::RedisNonceMemory>(redis));
    auto& limiter = context.Own(std::make_unique<transport::RedisRateLimiter>(
        redis, clock, transport::RedisRateLimiter::Options{}));
    auto& credentials = context.Own(std::make_unique<app::CredentialCache>(
        loop, storage.credentials, workers, clock, app::CredentialCache::Options{}));
    const app::Rate credential_rate{options.limits.credential_per_second,
                                    options.limits.credential_burst};
    auto& partner = context.Own(std::make_unique<app::AuthenticatePartner>(
        credentials, nonces, limiter, credential_rate, clock, telemetry));
    auto& app_bearer = context.Own(std::make_unique<app::AuthenticateBearer>(
        issuers.app, clock, app::AuthenticateBearer::Options{}));
    auto& operator_bearer = context.Own(std::make_unique<app::AuthenticateBearer>(
        issuers.operators, clock, app::AuthenticateBearer::Options{}));
    services.loops.push_back(&loop);
    services.credentials.Add(loop, credentials);
    services.partners.Add(loop, partner);
    services.limiters.Add(loop, limiter);
    services.app_users.Add(loop, context.Own(std::make_unique<app::AuthenticateAppUser>(
                                     app_bearer, storage.users, workers, loop)));
    services.operators.Add(
        loop, context.Own(std::make_unique<app::AuthenticateOperator>(operator_bearer, roles)));
    return OkStatus();
}

// Issuers of tokens
// --------------------------------------------------------------------------------------

/// The loop for what leaves the house: webhooks, and issuers' keys.
struct Outbound {
    net::Loop& loop;
    http::Client& webhooks;
    http::Client& issuers;
};

Result<Outbound> BuildOutbound(const Options& options, runtime::Context& context) {
    auto& loop = context.Own(std::make_unique<net::Loop>("outbound"));
    http::Client::Options webhooks;
    KESSAI_ASSIGN_OR_RETURN(webhooks.tls, net::TlsClientContext::Create(options.webhooks.ca_file));
    if (!options.webhooks.allow_private_addresses) {
        webhooks.guard = [](const net::IpAddress& address) { return address.is_public(); };
    }
    webhooks.idle_per_host_max = options.webhooks.delivery.per_endpoint_max;
    http::Client::Options issuers;
    KESSAI_ASSIGN_OR_RETURN(issuers.tls, net::TlsClientContext::Create(options.issuers_ca_file));
    auto& webhook_client = context.Own(std::make_unique<http::Client>(loop, std::move(webhooks)));
    auto& issuer_client = context.Own(std::make_unique<http::Client>(loop, std::move(issuers)));
    context.Add({.name = "outbound",
                 .start = [&loop]() -> Status {
                     loop.Start();
                     return OkStatus();
                 },
                 .stop =
                     [&] {
                         net::RunOn(loop, [&]() -> net::Task<void> {
                             webhook_client.Close();
                             issuer_client.Close();
                             co_return;
                         });
                         loop.Stop();
                     }});
    return Outbound{loop, webhook_client, issuer_client};
}

Result<app::TrustedIssuer> AddIssuer(const IssuerOptions& issuer, runtime::Context& context,
                                     Outbound& outbound, const char* which) {
    transport::JwksSource::Options wanted;
    KESSAI_ASSIGN_OR_RETURN(wanted.url, http::Url::Parse(issuer.jwks_url));
    const std::string name = std::string(which) + " issuer";
    auto keys = std::make_shared<transport::JwksSource>(
        std::move(wanted), outbound.loop, outbound.issuers, [name](const Status& outcome) {
            static log::Limit limit(std::chrono::seconds(10));
            if (!outcome.ok() && limit.Allow()) {
                log::Warn("gateway.issuer_keys", {{"issuer", name}, {"status", outcome}});
            }
        });
    context.Add({.name = name,
                 .start = [keys]() -> Status {
                     keys->Start();
                     return OkStatus();
                 },
                 .ready = [keys]() -> Status {
                     return keys->has_keys() ? OkStatus()
                                             : Status(Code::kUnavailable, "ISSUER_KEYS_MISSING",
                                                      "the issuer's keys were not fetched yet");
                 },
                 .stop =
                     [keys, &loop = outbound.loop] {
                         net::RunOn(loop, [&]() -> net::Task<void> { co_await keys->Stop(); });
                     }});
    app::TrustedIssuer trusted;
    trusted.expected.issuer = issuer.issuer;
    trusted.expected.audience = issuer.audience;
    trusted.expected.life_max = issuer.life_max;
    trusted.keys = std::move(keys);
    return trusted;
}

Result<Issuers> BuildIssuers(const Options& options, runtime::Context& context, Outbound& outbound,
                             transport::ApiHandlers& handlers) {
    Issuers issuers;
    if (!options.app_auth.issuer.empty()) {
        KESSAI_ASSIGN_OR_RETURN(auto issuer, AddIssuer(options.app_auth, context, outbound, "app"));
        issuers.app.push_back(std::move(issuer));
    }
    if (!options.operator_auth.issuer.empty()) {
        KESSAI_ASSIGN_OR_RETURN(auto issuer,
                                AddIssuer(options.operator_auth, context, outbound, "operator"));
        issuers.operators.push_back(std::move(issuer));
    }
    auto signer = options.dev_issuer.key_file.empty()
                      ? jwt::Signer::Generate()
                      : jwt::Signer::FromFile(options.dev_issuer.key_file);
    if (!signer.ok()) return signer.status();
    KESSAI_ASSIGN_OR_RETURN(auto key_set, jwt::KeySet::Parse(signer->Jwks()));
    const auto keys = std::make_shared<transport::FixedIssuerKeys>(std::move(key_set));
    if (options.dev_issuer.enabled) {
        log::Warn("gateway.dev_issuer",
                  {{"issuer", options.dev_issuer.issuer}, {"note", "gives tokens to anybody"}});
        app::TrustedIssuer trusted;
        trusted.expected.issuer = options.dev_issuer.issuer;
        trusted.keys = keys;
        trusted.expected.audience = options.app_auth.audience;
        issuers.app.push_back(trusted);
        trusted.expected.audience = options.operator_auth.audience;
        issuers.operators.push_back(trusted);
    }
    transport::DevIssuerApi::Options wanted;
    wanted.issuer = options.dev_issuer.issuer;
    wanted.app_audience = options.app_auth.audience;
    wanted.operator_audience = options.operator_auth.audience;
    wanted.token_life = options.dev_issuer.token_life;
    auto& api = context.Own(std::make_unique<transport::DevIssuerApi>(
        std::move(wanted), std::move(*signer), context.clock()));
    handlers["dev_token"] = [&api](const auto& scope) { return api.AppToken(scope); };
    handlers["dev_operatorToken"] = [&api](const auto& scope) { return api.OperatorToken(scope); };
    handlers["dev_jwks"] = [&api](const auto& scope) { return api.Keys(scope); };
    return issuers;
}

// Webhooks
// -------------------------------------------------------------------------------------------------

struct Webhooks {
    app::WebhookDirectory& directory;
    app::Periodic& follow;
    app::DeliverWebhooks& deliver;
};

Result<Webhooks> BuildWebhooks(const Options& options, runtime::Context& context,
                               const Storage& storage, rpc::WorkerPool& workers, Outbound& outbound,
                               transport::HttpTelemetry& telemetry) {
    const Clock& clock = context.clock();
    auto& directory = context.Own(std::make_unique<app::WebhookDirectory>(storage.webhooks));
    auto& follow = context.Own(
        std::make_unique<app::Periodic>("webhook-dir", kFollowChangesEvery, [&directory] {
            const Status refreshed = directory.Refresh();
            static log::Limit limit(std::chrono::seconds(10));
            if (!refreshed.ok() && limit.Allow()) {
                log::Warn("webhooks.endpoints_not_read", {{"status", refreshed}});
            }
        }));
    context.Add({.name = "webhook_directory",
                 .start = [&follow]() -> Status {
                     follow.Start();
                     return OkStatus();
                 },
                 .stop = [&follow] { follow.Stop(); }});

    app::DeliveryOptions delivery = options.webhooks.delivery;
    for (const auto& wait : options.webhooks.retry_waits) {
        KESSAI_ASSIGN_OR_RETURN(const Duration time, config::ParseDuration(wait));
        delivery.ladder.waits.push_back(time);
    }
    auto& sender = context.Own(std::make_unique<transport::HttpWebhookSender>(
        outbound.webhooks, storage.file_links, clock));
    auto& deliver = context.Own(std::make_unique<app::DeliverWebhooks>(
        outbound.loop, workers, storage.webhooks, sender, clock, std::move(delivery), telemetry));
    context.Add({.name = "webhooks",
                 .start = [&deliver]() -> Status {
                     deliver.Start();
                     return OkStatus();
                 },
                 .stop =
                     [&deliver, &loop = outbound.loop] {
                         net::RunOn(loop, [&]() -> net::Task<void> { co_await deliver.Stop(); });
                     }});

    auto& purge = context.Own(std::make_unique<app::Periodic>(
        "webhook-purge", std::chrono::minutes(10),
        [&storage_webhooks = storage.webhooks, &clock, keep = options.webhooks.keep] {
            constexpr int kAtOnce = 500;
            while (true) {
                const auto deleted = storage_webhooks.Purge(clock.Now() - keep, kAtOnce);
                if (!deleted.ok() || *deleted < kAtOnce) return;
            }
        }));
    context.Add({.name = "webhook_purge",
                 .start = [&purge]() -> Status {
                     purge.Start();
                     return OkStatus();
                 },
                 .stop = [&purge] { purge.Stop(); }});
    return Webhooks{directory, follow, deliver};
}

const inbox::DeadLetterDesk& BuildConsumer(const Options& options, runtime::Context& context,
                                           const Storage& storage, Webhooks& webhooks) {
    outbox::RelayOptions relay_options;
    relay_options.topics = {{std::string(kDeadLetters), kDeadLetterPartitions},
                            {std::string(kFileDeadLetters), kDeadLetterPartitions}};
    relay_options.producer.connection = options.kafka;
    auto& relay = context.Own(std::make_unique<outbox::Relay>(
        std::move(relay_options), storage.pool, context.metrics(), nullptr, context.clock()));
    context.Add({.name = "relay",
                 .start = [&relay]() -> Status {
                     relay.Start();
                     return OkStatus();
                 },
                 .stop = [&relay] { relay.Stop(); }});

    transport::PaymentEventConsumer::Options handler_options;
    handler_options.order_amount_as_text = options.webhooks.order_amount_as_text;
    auto& handler = context.Own(std::make_unique<transport::PaymentEventConsumer>(
        handler_options, webhooks.directory, storage.change_deliveries, storage.ids,
        context.clock(), [&deliver = webhooks.deliver] { deliver.Wake(); }));
    inbox::ConsumerOptions consumer_options;
    consumer_options.client.connection = options.kafka;
    consumer_options.client.group = "gateway";
    consumer_options.client.topic = "payment.events.v1";
    consumer_options.partitions = kEventPartitions;
    consumer_options.dead_letter_topic = 0;
    consumer_options.dead_letter_partitions = kDeadLetterPartitions;
    consumer_options.workers = 1;
    // Nobody is told within milliseconds, and batches cost a transaction each.
    consumer_options.batch_every = std::chrono::milliseconds(500);
    auto& dead_letters =
        context.Own(std::make_unique<inbox::DeadLetterDesk>(storage.pool, context.clock()));
    dead_letters.Add(consumer_options, handler);
    consumer_options.tracer = &context.tracer();
    auto& consumer = context.Own(std::make_unique<inbox::Consumer>(
        std::move(consumer_options), storage.pool, handler, context.metrics(), context.clock()));
    context.Add({.name = "payment_events",
                 .start = [&consumer] { return consumer.Start(); },
                 .stop = [&consumer] { consumer.Stop(); }});

    auto& file_handler = context.Own(std::make_unique<transport::FileEventConsumer>(
        webhooks.directory, storage.change_deliveries, storage.ids, storage.file_links,
        context.clock(), [&deliver = webhooks.deliver] { deliver.Wake(); }));
    inbox::ConsumerOptions file_options;
    file_options.client.connection = options.kafka;
    file_options.client.group = "gateway";
    file_options.client.topic = "reconciliation.events.v1";
    file_options.partitions = kEventPartitions;
    file_options.dead_letter_topic = 1;
    file_options.dead_letter_partitions = kDeadLetterPartitions;
    file_options.workers = 1;
    file_options.batch_every = std::chrono::milliseconds(500);
    dead_letters.Add(file_options, file_handler);
    file_options.tracer = &context.tracer();
    auto& file_consumer = context.Own(std::make_unique<inbox::Consumer>(
        std::move(file_options), storage.pool, file_handler, context.metrics(), context.clock()));
    context.Add({.name = "reconciliation_events",
                 .start = [&file_consumer] { return file_consumer.Start(); },
                 .stop = [&file_consumer] { file_consumer.Stop(); }});
    return dead_letters;
}

// The interfaces
// -----------------------------------------------------------------------------------------------

template <class Api>
transport::ApiHandler Bind(const Api& api,
                           net::Task<http::Response> (Api::*method)(const transport::RequestScope&)
                               const) {
    return [&api, method](const transport::RequestScope& scope) { return (api.*method)(scope); };
}

void BuildApis(const Options& options, runtime::Context& context, const Storage& storage,
               rpc::WorkerPool& workers, const Upstreams& upstreams, const LoopServices& loops,
               Webhooks& webhooks, const inbox::DeadLetterDesk& dead_letters,
               transport::ApiHandlers& handlers) {
    const Clock& clock = context.clock();
    const transport::PaymentGatewayOf payments =
        [by_route = upstreams.payments](const http::Request& request) -> app::PaymentGateway& {
        return *by_route[request.route->index];
    };
    const transport::ChannelOf channels =
        [by_route = upstreams.channels](const http::Request& request) -> const rpc::Channel& {
        return *by_route[request.route->index];
    };

    using Partner = transport::PartnerApi;
    const auto& partner =
        context.Own(std::make_unique<Partner>(options.partner, loops.partners, payments, clock));
    handlers["v2_createDynamicQRCode"] = Bind(partner, &Partner::CreateCode);
    handlers["v2_deleteDynamicQRCode"] = Bind(partner, &Partner::DeleteCode);
    handlers["v2_getQRPaymentDetails"] = Bind(partner, &Partner::GetCodePayment);
    handlers["v2_getPaymentDetail"] = Bind(partner, &Partner::GetPayment);
    handlers["v2_cancelPayment"] = Bind(partner, &Partner::CancelPayment);
    handlers["v2_createRefundPayment"] = Bind(partner, &Partner::RefundPayment);
    handlers["v2_createRefundPaymentSlash"] = Bind(partner, &Partner::RefundPayment);
    handlers["v2_getRefundDetails"] = Bind(partner, &Partner::GetRefund);

    // Of their own: a piece of a file must not keep others from the database.
    auto& file_workers = context.Own(std::make_unique<rpc::WorkerPool>(rpc::WorkerPool::Options{
        .name = "files", .threads = kFileThreads, .queue_max = options.files.downloads_max}));
    context.Keep(rpc::Observe(context.metrics(), file_workers));
    context.Add({.name = "file_workers", .stop = [&file_workers] { file_workers.Stop(); }});
    using Files = transport::PartnerFilesApi;
    Files::Options file_options;
    file_options.downloads_max = options.files.downloads_max;
    file_options.downloads_per_merchant_max = options.files.downloads_per_merchant_max;
    const auto& files = context.Own(std::make_unique<Files>(file_options, loops.partners, channels,
                                                            *upstreams.signer, file_workers,
                                                            storage.file_links, clock));
    context.Keep(context.metrics().AddCallbackGauge(
        {.name = "kessai_gateway_downloads", .help = "Files that are being sent"},
        [&files] { return static_cast<double>(files.downloads()); }));
    handlers["v2_listFiles"] = Bind(files, &Files::List);
    handlers["v2_getFile"] = Bind(files, &Files::Get);
    handlers["v2_getFileContent"] = Bind(files, &Files::Content);

    using App = transport::AppApi;
    const app::Rate user_rate{options.limits.user_per_second, options.limits.user_burst};
    const auto& app_api =
        context.Own(std::make_unique<App>(loops.app_users, loops.limiters, user_rate, payments));
    handlers["app_signIn"] = Bind(app_api, &App::SignIn);
    handlers["app_getWallet"] = Bind(app_api, &App::GetWallet);
    handlers["app_topUp"] = Bind(app_api, &App::TopUp);
    handlers["app_getCode"] = Bind(app_api, &App::GetCode);
    handlers["app_payCode"] = Bind(app_api, &App::PayCode);
    handlers["app_listHistory"] = Bind(app_api, &App::ListHistory);
    handlers["app_getPayment"] = Bind(app_api, &App::GetPayment);

    using Operator = transport::OperatorApi;
    transport::OperatorApi::Options operator_options;
    operator_options.allow_private_webhooks = options.webhooks.allow_private_addresses;
    const auto& operators = context.Own(std::make_unique<Operator>(
        operator_options,
        Operator::Services{
            storage.credentials, storage.webhooks, storage.ids, workers, payments, clock,
            [&loops](const std::string& api_key) {
                loops.credentials.ForEach([&](net::Loop& loop, app::CredentialCache& cache) {
                    loop.Post([&cache, api_key] { cache.Forget(api_key); });
                });
            },
            [&webhooks] {
                webhooks.follow.Kick();
                webhooks.deliver.Wake();
            }}));
    handlers["operator_putMerchant"] = Bind(operators, &Operator::PutMerchant);
    handlers["operator_getMerchant"] = Bind(operators, &Operator::GetMerchant);
    handlers["operator_issueCredential"] = Bind(operators, &Operator::IssueCredential);
    handlers["operator_listCredentials"] = Bind(operators, &Operator::ListCredentials);
    handlers["operator_revokeCredential"] = Bind(operators, &Operator::RevokeCredential);
    handlers["operator_putWebhookEndpoint"] = Bind(operators, &Operator::PutWebhookEndpoint);
    handlers["operator_listWebhookEndpoints"] = Bind(operators, &Operator::ListWebhookEndpoints);
    handlers["operator_deleteWebhookEndpoint"] = Bind(operators, &Operator::DeleteWebhookEndpoint);
    handlers["operator_testWebhookEndpoint"] = Bind(operators, &Operator::TestWebhookEndpoint);
    handlers["operator_listWebhookDeliveries"] = Bind(operators, &Operator::ListWebhookDeliveries);
    handlers["operator_getWebhookAttempts"] = Bind(operators, &Operator::GetWebhookAttempts);
    handlers["operator_redeliver"] = Bind(operators, &Operator::Redeliver);
    handlers["operator_getDay"] = Bind(operators, &Operator::GetDay);
    handlers["operator_closeDay"] = Bind(operators, &Operator::CloseDay);
    handlers["operator_republishEvents"] = Bind(operators, &Operator::RepublishEvents);

    using Ledger = transport::OperatorLedgerApi;
    const auto& ledger = context.Own(
        std::make_unique<Ledger>(channels, channels, *upstreams.signer, workers, clock));
    handlers["operator_putFeePlan"] = Bind(ledger, &Ledger::PutFeePlan);
    handlers["operator_listSharedFeePlans"] = Bind(ledger, &Ledger::ListSharedFeePlans);
    handlers["operator_listDefaultFeePlan"] = Bind(ledger, &Ledger::ListDefaultFeePlan);
    handlers["operator_previewFeePlan"] = Bind(ledger, &Ledger::PreviewFeePlan);
    handlers["operator_assignFeePlan"] = Bind(ledger, &Ledger::AssignFeePlan);
    handlers["operator_listFeePlans"] = Bind(ledger, &Ledger::ListFeePlans);
    handlers["operator_getMerchantBalance"] = Bind(ledger, &Ledger::GetMerchantBalance);
    handlers["operator_getMerchantDay"] = Bind(ledger, &Ledger::GetMerchantDay);
    handlers["operator_getAccrual"] = Bind(ledger, &Ledger::GetAccrual);
    handlers["operator_releaseDay"] = Bind(ledger, &Ledger::ReleaseDay);
    handlers["operator_getRelease"] = Bind(ledger, &Ledger::GetRelease);
    handlers["operator_getReleaseProgress"] = Bind(ledger, &Ledger::GetReleaseProgress);
    handlers["operator_listHeldBack"] = Bind(ledger, &Ledger::ListHeldBack);
    handlers["operator_getMatch"] = Bind(ledger, &Ledger::GetMatch);
    handlers["operator_listDiscrepancies"] = Bind(ledger, &Ledger::ListDiscrepancies);
    handlers["operator_getDiscrepancy"] = Bind(ledger, &Ledger::GetDiscrepancy);
    handlers["operator_changeDiscrepancy"] = Bind(ledger, &Ledger::ChangeDiscrepancy);
    handlers["operator_reconcileDay"] = Bind(ledger, &Ledger::ReconcileDay);
    handlers["operator_getReconciliation"] = Bind(ledger, &Ledger::GetReconciliation);

    using Repairs = transport::OperatorRepairApi;
    const auto& repairs =
        context.Own(std::make_unique<Repairs>(channels, *upstreams.signer, clock));
    handlers["operator_assignDiscrepancy"] = Bind(repairs, &Repairs::AssignDiscrepancy);
    handlers["operator_previewRepair"] = Bind(repairs, &Repairs::PreviewRepair);
    handlers["operator_requestRepair"] = Bind(repairs, &Repairs::RequestRepair);
    handlers["operator_decideRepair"] = Bind(repairs, &Repairs::DecideRepair);
    handlers["operator_listRepairs"] = Bind(repairs, &Repairs::ListRepairs);

    using Outside = transport::OperatorOutsideApi;
    const auto& outside = context.Own(std::make_unique<Outside>(channels, *upstreams.signer, clock,
                                                                options.limits.result_bytes_max));
    handlers["operator_putStatementTemplate"] = Bind(outside, &Outside::PutTemplate);
    handlers["operator_getStatementTemplate"] = Bind(outside, &Outside::GetTemplate);
    handlers["operator_putOutsideRules"] = Bind(outside, &Outside::PutRules);
    handlers["operator_getOutsideRules"] = Bind(outside, &Outside::GetRules);
    handlers["operator_runOutside"] = Bind(outside, &Outside::Run);
    handlers["operator_listUnmatchedOutside"] = Bind(outside, &Outside::ListUnmatched);
    handlers["operator_getOutsideSummary"] = Bind(outside, &Outside::GetSummary);
    handlers["operator_importStatement"] = Bind(outside, &Outside::Import);
    handlers["operator_listStatementImports"] = Bind(outside, &Outside::ListImports);
    handlers["operator_getStatementImport"] = Bind(outside, &Outside::GetImport);
    handlers["operator_listOutsideMatches"] = Bind(outside, &Outside::ListMatches);
    handlers["operator_getOutsideMatch"] = Bind(outside, &Outside::GetMatch);
    handlers["operator_matchOutsideItems"] = Bind(outside, &Outside::MatchItems);
    handlers["operator_decideOutsideMatch"] = Bind(outside, &Outside::Decide);

    using Transfers = transport::OperatorTransferApi;
    const auto& transfers = context.Own(std::make_unique<Transfers>(
        channels, *upstreams.signer, workers, clock, options.limits.result_bytes_max));
    handlers["operator_putBankAccount"] = Bind(transfers, &Transfers::PutBankAccount);
    handlers["operator_listBankAccounts"] = Bind(transfers, &Transfers::ListBankAccounts);
    handlers["operator_confirmBankAccount"] = Bind(transfers, &Transfers::ConfirmBankAccount);
    handlers["operator_verifyBankAccount"] = Bind(transfers, &Transfers::VerifyBankAccount);
    handlers["operator_putPayoutTerms"] = Bind(transfers, &Transfers::PutPayoutTerms);
    handlers["operator_getPayoutTerms"] = Bind(transfers, &Transfers::GetPayoutTerms);
    handlers["operator_putPayoutHold"] = Bind(transfers, &Transfers::PutPayoutHold);
    handlers["operator_listPayoutHolds"] = Bind(transfers, &Transfers::ListPayoutHolds);
    handlers["operator_liftPayoutHold"] = Bind(transfers, &Transfers::LiftPayoutHold);
    handlers["operator_createTransfers"] = Bind(transfers, &Transfers::CreateTransfers);
    handlers["operator_gatherTransfers"] = Bind(transfers, &Transfers::GatherTransfers);
    handlers["operator_getTransferFile"] = Bind(transfers, &Transfers::GetTransferFile);
    handlers["operator_importResults"] = Bind(transfers, &Transfers::ImportResults);
    handlers["operator_requestPayout"] = Bind(transfers, &Transfers::RequestPayout);
    handlers["operator_listPayouts"] = Bind(transfers, &Transfers::ListPayouts);
    handlers["operator_getPayout"] = Bind(transfers, &Transfers::GetPayout);
    handlers["operator_reissuePayout"] = Bind(transfers, &Transfers::ReissuePayout);
    handlers["operator_cancelTransfer"] = Bind(transfers, &Transfers::CancelTransfer);
    handlers["operator_traceTransfer"] = Bind(transfers, &Transfers::TraceTransfer);
    handlers["operator_listDayAccruals"] = Bind(transfers, &Transfers::ListDayAccruals);
    handlers["operator_tracePayment"] = Bind(transfers, &Transfers::TracePayment);
    handlers["operator_republishPayoutEvents"] = Bind(transfers, &Transfers::RepublishEvents);
    handlers["operator_requestAdjustment"] = Bind(transfers, &Transfers::RequestAdjustment);
    handlers["operator_decideAdjustment"] = Bind(transfers, &Transfers::DecideAdjustment);
    handlers["operator_listAdjustments"] = Bind(transfers, &Transfers::ListAdjustments);
    handlers["operator_getTrialBalance"] = Bind(transfers, &Transfers::GetTrialBalance);
    handlers["operator_getFeeReport"] = Bind(transfers, &Transfers::GetFeeReport);
    handlers["operator_listJournal"] = Bind(transfers, &Transfers::ListJournal);

    using Books = transport::OperatorBooksApi;
    const auto& books = context.Own(std::make_unique<Books>(
        channels, *upstreams.services.at("payout"), *upstreams.signer, workers, clock));
    handlers["operator_getPaymentTrialBalance"] = Bind(books, &Books::GetPaymentTrialBalance);
    handlers["operator_listPaymentJournal"] = Bind(books, &Books::ListPaymentJournal);
    handlers["operator_getDayBooks"] = Bind(books, &Books::GetDayBooks);

    using Statements = transport::OperatorStatementApi;
    const auto& statements =
        context.Own(std::make_unique<Statements>(channels, *upstreams.signer, workers, clock));
    handlers["operator_putMerchantProfile"] = Bind(statements, &Statements::PutMerchantProfile);
    handlers["operator_getMerchantProfile"] = Bind(statements, &Statements::GetMerchantProfile);
    handlers["operator_getStatement"] = Bind(statements, &Statements::GetStatement);
    handlers["operator_issueStatement"] = Bind(statements, &Statements::IssueStatement);
    handlers["operator_issueStatements"] = Bind(statements, &Statements::IssueStatements);
    handlers["operator_correctStatement"] = Bind(statements, &Statements::CorrectStatement);

    using OperatorFiles = transport::OperatorFileApi;
    const auto& operator_files =
        context.Own(std::make_unique<OperatorFiles>(channels, *upstreams.signer, files, clock));
    handlers["operator_listFileTemplates"] = Bind(operator_files, &OperatorFiles::ListTemplates);
    handlers["operator_putFileTemplate"] = Bind(operator_files, &OperatorFiles::PutTemplate);
    handlers["operator_getFileTemplate"] = Bind(operator_files, &OperatorFiles::GetTemplate);
    handlers["operator_listFileAssignments"] =
        Bind(operator_files, &OperatorFiles::ListAssignments);
    handlers["operator_assignFileTemplate"] = Bind(operator_files, &OperatorFiles::Assign);
    handlers["operator_previewFile"] = Bind(operator_files, &OperatorFiles::Preview);
    handlers["operator_makeFiles"] = Bind(operator_files, &OperatorFiles::Make);
    handlers["operator_listFileRuns"] = Bind(operator_files, &OperatorFiles::ListRuns);
    handlers["operator_getFileRun"] = Bind(operator_files, &OperatorFiles::GetRun);
    handlers["operator_cancelFileRun"] = Bind(operator_files, &OperatorFiles::CancelRun);
    handlers["operator_listFiles"] = Bind(operator_files, &OperatorFiles::List);
    handlers["operator_getFile"] = Bind(operator_files, &OperatorFiles::Get);
    handlers["operator_getFileContent"] = Bind(operator_files, &OperatorFiles::GetContent);
    handlers["operator_announceFile"] = Bind(operator_files, &OperatorFiles::Announce);

    using DeadLetters = transport::DeadLetterApi;
    const auto& letters = context.Own(std::make_unique<DeadLetters>(DeadLetters::Services{
        upstreams.services, dead_letters, *upstreams.signer, workers, clock}));
    handlers["operator_listDeadLetters"] = Bind(letters, &DeadLetters::List);
    handlers["operator_getDeadLetter"] = Bind(letters, &DeadLetters::Get);
    handlers["operator_replayDeadLetter"] = Bind(letters, &DeadLetters::Replay);
    handlers["operator_discardDeadLetter"] = Bind(letters, &DeadLetters::Discard);

    using Pages = transport::PublicPages;
    const auto& pages = context.Own(std::make_unique<Pages>(options.partner));
    handlers["public_qr"] = Bind(pages, &Pages::Qr);
    handlers["public_openapi"] = Bind(pages, &Pages::OpenApi);
    handlers["public_docs"] = Bind(pages, &Pages::Docs);
}

Status BuildServer(const Options& options, runtime::Context& context, const LoopServices& loops,
                   transport::HttpTelemetry& telemetry, const transport::ApiHandlers& handlers) {
    transport::ApiWrapper::Options wrapper_options;
    wrapper_options.address_rate = {options.limits.address_per_second,
                                    options.limits.address_burst};
    wrapper_options.take_traceparent = options.https.take_traceparent;
    const auto& wrapper = context.Own(std::make_unique<transport::ApiWrapper>(
        wrapper_options, context.tracer(), telemetry, loops.limiters, loops.operators));
    auto& router = context.Own(std::make_unique<http::Router>(transport::MakeFamilies()));
    KESSAI_RETURN_IF_ERROR(transport::AddRoutes(
        router, handlers, options.dev_issuer.enabled, options.limits.result_bytes_max,
        [&wrapper](const transport::RouteSpec& spec, transport::ApiHandler handler) {
            return wrapper.Wrap(spec, std::move(handler));
        }));

    http::Server::Options server_options;
    server_options.limits = options.https.limits;
    // Longer than a busy caller leaves its connection alone, far shorter than
    // service.drain_timeout.
    server_options.limits.drain_idle = std::chrono::seconds(1);
    for (const auto& network : options.https.trusted_proxies) {
        KESSAI_ASSIGN_OR_RETURN(const auto parsed, net::IpNetwork::Parse(network));
        server_options.trusted_proxies.push_back(parsed);
    }
    if (!options.https.plain) {
        KESSAI_ASSIGN_OR_RETURN(server_options.tls,
                                net::TlsServerContext::Load({.cert_file = options.https.cert_file,
                                                             .key_file = options.https.key_file}));
        const auto tls = server_options.tls;
        context.Keep(context.metrics().AddCallbackGauge(
            {.name = "kessai_gateway_certificate_expiry_seconds",
             .help = "When the certificate that callers see ends, since 1970"},
            [tls] { return static_cast<double>(tls->expires_at_s()); }));
        auto& reload = context.Own(
            std::make_unique<app::Periodic>("tls-reload", options.https.reload_every, [tls] {
                const auto changed = tls->ReloadIfChanged();
                if (!changed.ok()) {
                    log::Error("gateway.certificate", {{"status", changed.status()}});
                } else if (*changed) {
                    log::Info("gateway.certificate", {{"expires_at_s", tls->expires_at_s()}});
                }
            }));
        context.Add({.name = "certificate",
                     .start = [&reload]() -> Status {
                         reload.Start();
                         return OkStatus();
                     },
                     .stop = [&reload] { reload.Stop(); }});
    }
    auto& server = context.Own(
        std::make_unique<http::Server>(std::move(server_options), router, loops.loops, telemetry));
    context.Keep(context.metrics().AddCallbackGauge(
        {.name = "kessai_gateway_requests_in_flight", .help = "Requests being handled"},
        [&server] { return static_cast<double>(server.requests_in_flight()); }));
    context.Keep(context.metrics().AddCallbackGauge(
        {.name = "kessai_gateway_buffered_bytes",
         .help = "What bodies hold of https.buffered_bytes_max"},
        [&server] { return static_cast<double>(server.buffered_bytes()); }));
    context.Add(
        {.name = "https",
         .start = [&server, &https = options.https]() -> Status {
             KESSAI_RETURN_IF_ERROR(server.Listen(https.host, https.port));
             log::Info("gateway.listening", {{"host", https.host}, {"port", server.port()}});
             return OkStatus();
         },
         .drain =
             [&server, &clock = context.clock()](SteadyInstant deadline) {
                 server.Drain(std::chrono::duration_cast<Duration>(deadline - clock.SteadyNow()));
             }});
    return OkStatus();
}

void FollowCredentials(runtime::Context& context, const Storage& storage,
                       const LoopServices& loops) {
    auto& follow = context.Own(std::make_unique<app::Periodic>(
        "credentials", kFollowChangesEvery,
        [&store = storage.credentials, &loops, &clock = context.clock()] {
            // Gateways' clocks differ: what changed lately is looked at more than once.
            const auto changed = store.ChangedSince(clock.Now() - std::chrono::seconds(30));
            if (!changed.ok()) return;
            loops.credentials.ForEach([&](net::Loop& loop, app::CredentialCache& cache) {
                loop.Post([&cache, keys = *changed] {
                    for (const auto& key : keys) cache.Forget(key);
                });
            });
        }));
    context.Add({.name = "credential_changes",
                 .start = [&follow]() -> Status {
                     follow.Start();
                     return OkStatus();
                 },
                 .stop = [&follow] { follow.Stop(); }});
}

app::RoleScopes ScopesOfRoles(const Options& options) {
    app::RoleScopes roles;
    for (const auto& [role, text] : options.roles) {
        auto& scopes = roles[role];
        std::string_view rest = text;
        while (!rest.empty()) {
            const auto space = rest.find(' ');
            if (space != 0) scopes.emplace_back(rest.substr(0, space));
            rest = space == std::string_view::npos ? std::string_view{} : rest.substr(space + 1);
        }
    }
    return roles;
}

Status Build(const Options& options, runtime::Context& context) {
    auto& telemetry = context.Own(std::make_unique<transport::HttpTelemetry>(
        transport::HttpTelemetry::Options{options.https.log_one_in, options.https.slow_after},
        context.metrics()));
    KESSAI_ASSIGN_OR_RETURN(auto built_storage, BuildStorage(options, context));
    const Storage& storage = context.Own(std::make_unique<Storage>(built_storage));
    auto& workers = context.Own(std::make_unique<rpc::WorkerPool>(
        rpc::WorkerPool::Options{.name = "workers",
                                 .threads = static_cast<std::size_t>(options.worker_threads),
                                 .queue_max = options.worker_queue_max}));
    context.Keep(rpc::Observe(context.metrics(), workers));
    context.Add({.name = "workers", .stop = [&workers] { workers.Stop(); }});
    KESSAI_ASSIGN_OR_RETURN(const Upstreams upstreams, BuildUpstreams(options, context));
    KESSAI_ASSIGN_OR_RETURN(Outbound outbound, BuildOutbound(options, context));
    transport::ApiHandlers handlers;
    KESSAI_ASSIGN_OR_RETURN(const Issuers issuers,
                            BuildIssuers(options, context, outbound, handlers));
    const auto& roles = context.Own(std::make_unique<app::RoleScopes>(ScopesOfRoles(options)));
    auto& loops = context.Own(std::make_unique<LoopServices>());
    for (int i = 0; i < options.https.loops; ++i) {
        KESSAI_RETURN_IF_ERROR(
            AddLoop(options, context, storage, workers, issuers, roles, telemetry, i, loops));
    }
    FollowCredentials(context, storage, loops);
    KESSAI_ASSIGN_OR_RETURN(auto built_webhooks,
                            BuildWebhooks(options, context, storage, workers, outbound, telemetry));
    auto& webhooks = context.Own(std::make_unique<Webhooks>(built_webhooks));
    const auto& dead_letters = BuildConsumer(options, context, storage, webhooks);
    BuildApis(options, context, storage, workers, upstreams, loops, webhooks, dead_letters,
              handlers);
    return BuildServer(options, context, loops, telemetry, handlers);
}

}  // namespace
}  // namespace kessai::gateway

int main(int argc, char** argv) {
    kessai::gateway::Options options;
    return kessai::runtime::Main(
        argc, argv,
        {.name = "gateway",
         .describe =
             [&](kessai::config::Schema& schema) { kessai::gateway::Describe(schema, options); },
         .migrate =
             [&](kessai::runtime::Context& context) {
                 return kessai::gateway::Migrate(options, context);
             },
         .build =
             [&](kessai::runtime::Context& context) {
                 return kessai::gateway::Build(options, context);
             }});
}
