#pragma once

#include "kessai/metrics/registry.h"

namespace kessai::outbox {

struct RelayMetrics {
    explicit RelayMetrics(metrics::Registry& registry)
        : published(registry.AddCounter(
              {.name = "kessai_outbox_published_total", .help = "Messages that Kafka has"})),
          rows_deleted(registry.AddCounter({.name = "kessai_outbox_rows_deleted_total",
                                            .help = "Outbox rows deleted after publication"})),
          rows_gone(registry.AddCounter(
              {.name = "kessai_outbox_rows_gone_total",
               .help = "Published rows that another relay had deleted already"})),
          restarts(registry.AddCounter(
              {.name = "kessai_outbox_relay_restarts_total",
               .help = "Times the relay began again with a new producer after an error"})),
          database_errors(registry.AddCounter(
              {.name = "kessai_outbox_database_errors_total",
               .help = "Reads and deletions of outbox rows that were refused"})),
          shards_held(registry.AddGauge({.name = "kessai_outbox_shards_held",
                                         .help = "Outbox shards this process publishes"})),
          rows_in_flight(registry.AddGauge(
              {.name = "kessai_outbox_in_flight_rows", .help = "Rows read and not yet deleted"})),
          bytes_in_flight(registry.AddGauge({.name = "kessai_outbox_in_flight_bytes",
                                             .help = "Bytes of rows read and not yet deleted"})),
          oldest_age(registry.AddGauge(
              {.name = "kessai_outbox_oldest_age_seconds",
               .help = "Age of the oldest row that this process knows and Kafka may not have"})),
          read(registry.AddHistogram(
              {.name = "kessai_outbox_read_seconds", .help = "Time to read rows of one shard"},
              metrics::kLatency)),
          deletion(
              registry.AddHistogram({.name = "kessai_outbox_delete_seconds",
                                     .help = "Time of a transaction that deletes published rows"},
                                    metrics::kLatency)),
          rows_per_delete(registry.AddHistogram(
              {.name = "kessai_outbox_delete_rows", .help = "Rows deleted in one transaction"},
              metrics::kCount)),
          producer_acks(
              registry.AddGauge({.name = "kessai_outbox_producer_acks",
                                 .help = "Replicas that must have a message; -1 is all in sync"})),
          queued_messages(registry.AddGauge({.name = "kessai_outbox_producer_queued_messages",
                                             .help = "Messages in the producer's queues"})),
          round_trip(registry.AddGauge(
              {.name = "kessai_outbox_broker_round_trip_p99_seconds",
               .help = "99th percentile of the slowest broker's answers, lately"})) {}

    metrics::Counter& published;
    metrics::Counter& rows_deleted;
    metrics::Counter& rows_gone;
    metrics::Counter& restarts;
    metrics::Counter& database_errors;
    metrics::Gauge& shards_held;
    metrics::Gauge& rows_in_flight;
    metrics::Gauge& bytes_in_flight;
    metrics::Gauge& oldest_age;
    metrics::Histogram& read;
    metrics::Histogram& deletion;
    metrics::Histogram& rows_per_delete;
    metrics::Gauge& producer_acks;
    metrics::Gauge& queued_messages;
    metrics::Gauge& round_trip;
};

}  // namespace kessai::outbox
