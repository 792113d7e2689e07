#include "wiring/webhooks.h"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "kessai/config/schema.h"
#include "kessai/inbox/consumer.h"
#include "kessai/log/log.h"
#include "kessai/net/run.h"
#include "kessai/outbox/relay.h"
#include "transport/file_event_consumer.h"
#include "transport/http_webhook_sender.h"
#include "transport/payment_event_consumer.h"
#include "wiring/follow.h"

namespace kessai::gateway::wiring {
namespace {

constexpr std::string_view kDeadLetters = "gateway.payment-events.dlq.v1";
constexpr std::string_view kFileDeadLetters = "gateway.reconciliation-events.dlq.v1";
constexpr int kDeadLetterPartitions = 3;
constexpr int kEventPartitions = 12;

/// `dead_letter_topic` is a place in the relay's list of topics.
void AddConsumer(const Options& options, runtime::Context& context, const Storage& storage,
                 inbox::DeadLetterDesk& dead_letters, const char* name, const char* topic,
                 int dead_letter_topic, inbox::Handler& handler) {
    inbox::ConsumerOptions wanted;
    wanted.client.connection = options.kafka;
    wanted.client.group = "gateway";
    wanted.client.topic = topic;
    wanted.partitions = kEventPartitions;
    wanted.dead_letter_topic = dead_letter_topic;
    wanted.dead_letter_partitions = kDeadLetterPartitions;
    wanted.workers = 1;
    // Nobody is told within milliseconds, and batches cost a transaction each.
    wanted.batch_every = std::chrono::milliseconds(500);
    dead_letters.Add(wanted, handler);
    wanted.tracer = &context.tracer();
    auto& consumer = context.Own(std::make_unique<inbox::Consumer>(
        std::move(wanted), storage.pool, handler, context.metrics(), context.clock()));
    context.Add({.name = name,
                 .start = [&consumer] { return consumer.Start(); },
                 .stop = [&consumer] { consumer.Stop(); }});
}

}  // namespace

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

const inbox::DeadLetterDesk& BuildConsumers(const Options& options, runtime::Context& context,
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

    auto& dead_letters =
        context.Own(std::make_unique<inbox::DeadLetterDesk>(storage.pool, context.clock()));
    transport::PaymentEventConsumer::Options payment_options;
    payment_options.order_amount_as_text = options.webhooks.order_amount_as_text;
    AddConsumer(options, context, storage, dead_letters, "payment_events", "payment.events.v1", 0,
                context.Own(std::make_unique<transport::PaymentEventConsumer>(
                    payment_options, webhooks.directory, storage.change_deliveries, storage.ids,
                    context.clock(), [&deliver = webhooks.deliver] { deliver.Wake(); })));
    AddConsumer(options, context, storage, dead_letters, "reconciliation_events",
                "reconciliation.events.v1", 1,
                context.Own(std::make_unique<transport::FileEventConsumer>(
                    webhooks.directory, storage.change_deliveries, storage.ids, storage.file_links,
                    context.clock(), [&deliver = webhooks.deliver] { deliver.Wake(); })));
    return dead_letters;
}

}  // namespace kessai::gateway::wiring
