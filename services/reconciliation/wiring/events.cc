#include "wiring/parts.h"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "app/match_changes.h"
#include "app/note_holds.h"
#include "app/note_transfers.h"
#include "app/record_conflicts.h"
#include "kessai/inbox/consumer.h"
#include "kessai/outbox/relay.h"
#include "storage/mysql_books.h"
#include "storage/mysql_outside_books.h"
#include "transport/claim_consumer.h"

namespace kessai::reconciliation {
namespace {

// As proto/topics.yaml declares them.
constexpr int kEventPartitions = 12;
constexpr int kDeadLetterPartitions = 3;
constexpr int kPaymentDeadLetters = 1;
constexpr int kPayoutDeadLetters = 2;

outbox::RelayOptions RelayOptions(const Options& options) {
    outbox::RelayOptions relay;
    relay.topics = {{"reconciliation.events.v1", kEventPartitions},
                    {"reconciliation.payment-events.dlq.v1", kDeadLetterPartitions},
                    {"reconciliation.payout-events.dlq.v1", kDeadLetterPartitions}};
    relay.producer.connection = options.kafka;
    return relay;
}

/// Payment's changes of a partition are applied first, payout's answers right behind them: so
/// nearly all of payment's are new, which is what makes them cheap (ClaimConsumer::RefusesRepeats).
/// What is published in between waits for the next time, as do its answers.
Duration PhaseOf(domain::Source source, Duration batch_every) {
    return source == domain::Source::kPayment ? Duration::zero()
                                              : batch_every / kEventPartitions / 4;
}

inbox::ConsumerOptions ConsumerOptions(const Options& options, domain::Source source,
                                       std::string topic, int dead_letters) {
    inbox::ConsumerOptions consumer;
    consumer.client.connection = options.kafka;
    consumer.client.group = "reconciliation";
    consumer.client.topic = std::move(topic);
    consumer.client.fetch_bytes_min = std::size_t{64} << 10;
    consumer.partitions = kEventPartitions;
    consumer.dead_letter_topic = dead_letters;
    consumer.dead_letter_partitions = kDeadLetterPartitions;
    consumer.workers = options.consumer.workers;
    consumer.batch_events_max = options.consumer.batch_events_max;
    consumer.batch_every = options.consumer.batch_every;
    consumer.batch_phase = PhaseOf(source, options.consumer.batch_every);
    return consumer;
}

template <class Handler>
void BuildConsumer(std::string name, inbox::ConsumerOptions options,
                   const transport::ConsumerServices& services, runtime::Context& context,
                   const Core& core) {
    auto& handler = context.Own(std::make_unique<Handler>(services));
    core.dead_letters.Add(options, handler);
    options.tracer = &context.tracer();
    auto& consumer = context.Own(std::make_unique<inbox::Consumer>(
        std::move(options), core.pool, handler, context.metrics(), context.clock()));
    context.Add({.name = std::move(name),
                 .start = [&consumer] { return consumer.Start(); },
                 .stop = [&consumer] { consumer.Stop(); }});
}

}  // namespace

void BuildRelay(const Options& options, runtime::Context& context, const Core& core) {
    auto& relay = context.Own(
        std::make_unique<outbox::Relay>(RelayOptions(options), core.pool, context.metrics(),
                                        outbox::DeleteHook(), context.clock()));
    context.Add({.name = "relay",
                 .start = [&relay]() -> Status {
                     relay.Start();
                     return OkStatus();
                 },
                 .stop = [&relay] { relay.Stop(); }});
}

void BuildConsumers(const Options& options, runtime::Context& context, const Core& core,
                    const Outside& outside) {
    const Clock& clock = context.clock();
    const auto& match = context.Own(std::make_unique<app::MatchChanges>(core.hasher, clock));
    const auto& note_holds = context.Own(std::make_unique<app::NoteHolds>(clock));
    const auto& note_transfers = context.Own(std::make_unique<app::NoteTransfers>(clock));
    const auto& record_conflicts = context.Own(std::make_unique<app::RecordConflicts>(clock));
    const transport::ConsumerServices services{
        .on_books =
            [&ids = core.ids, &clock, &chain = core.chain](mysql::Session& session,
                                                           const auto& work) {
                storage::MysqlBooks books(session, ids, clock, chain);
                return work(books.books());
            },
        .store_dead_letters =
            [&ids = core.ids, &clock](mysql::Session& session, auto entries) {
                return storage::StoreDeadLetters(session, entries, ids, clock);
            },
        .match = match,
        .note_holds = note_holds,
        .note_transfers = note_transfers,
        .record_conflicts = record_conflicts,
        .metrics = core.metrics,
        .outside_accounts = outside.accounts.empty() ? nullptr : &outside.accounts,
        .on_outside =
            [&ids = core.ids](mysql::Session& session, const auto& work) {
                storage::MysqlOutsideBooks books(session, ids);
                return work(books);
            }};
    BuildConsumer<transport::PaymentEventConsumer>(
        "payment_events",
        ConsumerOptions(options, domain::Source::kPayment, "payment.events.v1",
                        kPaymentDeadLetters),
        services, context, core);
    BuildConsumer<transport::PayoutEventConsumer>(
        "payout_events",
        ConsumerOptions(options, domain::Source::kPayout, "payout.events.v1", kPayoutDeadLetters),
        services, context, core);
}

}  // namespace kessai::reconciliation
