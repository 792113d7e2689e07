#include "bench/release/ingested_day.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <vector>

#include "app/accrue_payments.h"
#include "bench/release/contender.h"
#include "bench/release/measured_payout.h"
#include "bench/release/process_memory.h"
#include "domain/accrual.h"
#include "kessai/digest/row_hash.h"
#include "kessai/event/bucket.h"
#include "kessai/event/envelope.h"
#include "kessai/event/mark.h"
#include "kessai/inbox/consumer.h"
#include "kessai/kafka/producer.h"
#include "kessai/metrics/registry.h"
#include "kessai/payment/v1/payment_event.pb.h"
#include "storage/gate.h"
#include "storage/mysql_accrual_transaction.h"
#include "storage/plan_rows.h"
#include "transport/payment_event_handler.h"

namespace kessai::bench {
namespace {

using payout::domain::PaymentChange;

constexpr std::string_view kGroup = "payout";
constexpr int kStalledSecondsMax = 60;

Result<std::string> Sealed(const PaymentChange& change) {
    payment::v1::PaymentChanged message;
    message.set_kind(static_cast<payment::v1::PaymentChanged::Kind>(change.kind));
    message.set_payment_id(change.key.payment.value());
    message.set_merchant_id(change.merchant.value());
    message.set_user_id(1);
    message.set_currency(std::string(change.currency.code()));
    message.set_amount(change.amount);
    auto* method = message.add_methods();
    method->set_method(payment::v1::MethodAmount::WALLET);
    method->set_amount(change.amount);
    message.set_captured_total(change.captured_total);
    message.set_refunded_before(change.refunded_before);
    message.set_payment_business_date(change.payment_date.ToNumber());
    const std::string payload = message.SerializeAsString();
    return event::Seal({.type = "kessai.payment.v1.PaymentChanged",
                        .object_id = change.key.payment.value(),
                        .version = change.key.version,
                        .event_id = change.event.value(),
                        .business_date = change.business_date,
                        .occurred_at = change.business_date.StartsAt(),
                        .payload = payload});
}

/// Keeps the first delivery that failed.
class Deliveries final : public kafka::DeliveryListener {
 public:
    void OnDeliveries(std::span<const kafka::Delivery> deliveries) override {
        const std::lock_guard lock(mutex_);
        for (const auto& delivery : deliveries) {
            if (failed_.ok() && !delivery.status.ok()) failed_ = delivery.status;
        }
    }
    Status failed() const {
        const std::lock_guard lock(mutex_);
        return failed_;
    }

 private:
    mutable std::mutex mutex_;
    Status failed_;
};

class Ingestion {
 public:
    Ingestion(mysql::Pool& pool, const GeneratedDay& day, const IngestOptions& options)
        : pool_(pool), day_(day), options_(options) {}

    Result<IngestedDay> Run() {
        KESSAI_RETURN_IF_ERROR(ReadPlans());
        KESSAI_RETURN_IF_ERROR(Publish());
        IngestedDay ingested;
        ingested.facts = facts_;
        const auto server_before = ServerCpuSeconds();
        const double client_before = CpuSecondsOfThisProcess();
        KESSAI_ASSIGN_OR_RETURN(ingested.seconds, Consume());
        ingested.client_cpu_seconds = CpuSecondsOfThisProcess() - client_before;
        if (const auto after = ServerCpuSeconds(); after && server_before) {
            ingested.server_cpu_seconds = *after - *server_before;
        }
        return ingested;
    }

 private:
    std::optional<double> ServerCpuSeconds() const {
        return options_.server_cpu_seconds ? options_.server_cpu_seconds() : std::nullopt;
    }

    Status ReadPlans() {
        KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kSessionWithin));
        KESSAI_ASSIGN_OR_RETURN(const auto plans, payout::storage::LoadPlansAfter(*session, 0));
        book_.Add(plans);
        return OkStatus();
    }

    Status Produce(kafka::Producer& producer, int partition, const std::string& key,
                   const std::string& value) {
        for (;;) {
            const Status queued = producer.Produce(
                {.topic = options_.topic, .partition = partition, .key = key, .value = value});
            if (queued.code() != Code::kResourceExhausted) return queued;
            KESSAI_RETURN_IF_ERROR(producer.Flush(std::chrono::minutes(1)));
        }
    }

    /// All events and the day's marks.
    Status Publish() {
        kafka::ProducerOptions options;
        options.connection.brokers = options_.brokers;
        Deliveries deliveries;
        KESSAI_ASSIGN_OR_RETURN(const auto producer, kafka::Producer::Create(options, deliveries));
        std::vector<std::int64_t> of_merchant(static_cast<std::size_t>(day_.recipe().merchants));
        std::vector<PaymentChange> changes;
        for (std::int64_t block = 0; block < day_.block_count(); ++block) {
            day_.Make(block, changes);
            for (const PaymentChange& change : changes) {
                KESSAI_ASSIGN_OR_RETURN(const std::string value, Sealed(change));
                const std::int64_t payment = change.key.payment.value();
                KESSAI_RETURN_IF_ERROR(Produce(*producer, event::PartitionOf(payment, kPartitions),
                                               std::to_string(payment), value));
                KESSAI_RETURN_IF_ERROR(Count(change, of_merchant));
            }
        }
        const BusinessDate day = day_.recipe().day;
        KESSAI_ASSIGN_OR_RETURN(
            const std::string mark,
            event::SealMark({day, kPartitions, "payment"}, day.ToNumber(), FromMicros(1)));
        for (int partition = 0; partition < kPartitions; ++partition) {
            KESSAI_RETURN_IF_ERROR(Produce(*producer, partition, "", mark));
        }
        KESSAI_RETURN_IF_ERROR(producer->Flush(std::chrono::minutes(2)));
        facts_.merchants = std::count_if(of_merchant.begin(), of_merchant.end(),
                                         [](std::int64_t count) { return count > 0; });
        facts_.largest = *std::max_element(of_merchant.begin(), of_merchant.end());
        return deliveries.failed();
    }

    Status Count(const PaymentChange& change, std::vector<std::int64_t>& of_merchant) {
        KESSAI_ASSIGN_OR_RETURN(
            const auto accrual,
            payout::domain::Accrue(change, book_, payout::domain::TaxTable::Japan()));
        ++facts_.accruals;
        facts_.gross += accrual.gross;
        facts_.fee += accrual.fee;
        ++of_merchant[static_cast<std::size_t>(change.merchant.value() -
                                               day_.first_merchant().value())];
        return OkStatus();
    }

    Result<double> Consume() {
        // Any key: the digests are compared with nobody's.
        KESSAI_ASSIGN_OR_RETURN(const auto hasher,
                                digest::RowHasher::FromHex("000102030405060708090a0b0c0d0e0f"));
        const payout::transport::ProtoEventEncoder events(payout::domain::TaxTable::Japan(),
                                                          kPartitions);
        payout::app::PlanCache plans;
        payout::app::AccruePayments accrue(plans, payout::domain::TaxTable::Japan());
        metrics::Registry metrics;
        payout::transport::PaymentEventHandler::Ports ports;
        ports.join = [&](mysql::Session& session, int partition) {
            return std::make_unique<payout::storage::MysqlAccrualTransaction>(session, partition,
                                                                              hasher, events);
        };
        ports.store_dead_letters = payout::storage::StoreDeadLetters;
        payout::transport::PaymentEventHandler handler(std::move(ports), accrue, kPartitions,
                                                       payout::transport::AccrualMetrics(metrics),
                                                       SystemClock());

        inbox::ConsumerOptions options;
        options.client.connection.brokers = options_.brokers;
        options.client.group = kGroup;
        options.client.topic = options_.topic;
        options.client.fetch_bytes_min = std::size_t{64} << 10;
        options.partitions = kPartitions;
        options.batch_events_max = 4'000;
        options.batch_every = std::chrono::milliseconds(200);
        inbox::Consumer consumer(options, pool_, handler, metrics);
        const SteadyInstant start = SystemClock().SteadyNow();
        KESSAI_RETURN_IF_ERROR(consumer.Start());
        KESSAI_RETURN_IF_ERROR(AwaitAll());
        const double seconds =
            std::chrono::duration<double>(SystemClock().SteadyNow() - start).count();
        consumer.Stop();
        return seconds;
    }

    /// Until the group's stored offsets are behind all events and marks.
    Status AwaitAll() {
        KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kSessionWithin));
        std::int64_t seen = 0;
        for (int stalled = 0; stalled < kStalledSecondsMax * 10; ++stalled) {
            KESSAI_ASSIGN_OR_RETURN(const auto offsets,
                                    inbox::LoadOffsets(*session, kGroup, options_.topic));
            std::int64_t now = 0;
            for (const auto& offset : offsets) now += offset.next_offset;
            if (now >= facts_.accruals + kPartitions) return OkStatus();
            if (now > seen) stalled = 0;
            seen = now;
            KESSAI_RETURN_IF_ERROR(RunSql(*session, "DO SLEEP(0.1)"));
        }
        return Status(Code::kUnavailable, "INGESTION_STALLED",
                      "the consumer has " + std::to_string(seen) + " messages, and no more come");
    }

    mysql::Pool& pool_;
    const GeneratedDay& day_;
    const IngestOptions options_;
    payout::domain::PlanBook book_;
    DayFacts facts_;
};

}  // namespace

Result<IngestedDay> IngestDay(mysql::Pool& pool, const GeneratedDay& day,
                              const IngestOptions& options) {
    return Ingestion(pool, day, options).Run();
}

}  // namespace kessai::bench
