#pragma once

#include <string>

#include "kessai/metrics/registry.h"

namespace kessai::inbox {

struct ConsumerMetrics {
    ConsumerMetrics(metrics::Registry& registry, const std::string& topic, int partitions)
        : applied(registry.AddCounter({.name = "kessai_inbox_applied_total",
                                       .help = "Events applied",
                                       .labels = {{"topic", topic}}})),
          repeated(registry.AddCounter({.name = "kessai_inbox_repeated_total",
                                        .help = "Events dropped because they were applied before",
                                        .labels = {{"topic", topic}}})),
          dead(registry.AddCounter({.name = "kessai_inbox_dead_letters_total",
                                    .help = "Events that became dead letters",
                                    .labels = {{"topic", topic}}})),
          parked(registry.AddCounter({.name = "kessai_inbox_parked_total",
                                      .help = "Events parked behind a dead letter of their object",
                                      .labels = {{"topic", topic}}})),
          marks(registry.AddCounter({.name = "kessai_inbox_marks_total",
                                     .help = "Marks applied",
                                     .labels = {{"topic", topic}}})),
          assumptions_refused(registry.AddCounter(
              {.name = "kessai_inbox_assumptions_refused_total",
               .help = "Batches that were taken for new and run again with a look-up",
               .labels = {{"topic", topic}}})),
          offset_refusals(
              registry.AddCounter({.name = "kessai_inbox_offset_refusals_total",
                                   .help = "Batches dropped because the stored offset had moved",
                                   .labels = {{"topic", topic}}})),
          offset_gaps(registry.AddCounter(
              {.name = "kessai_inbox_offset_gaps_total",
               .help = "Times the broker gave another offset than the stored one",
               .labels = {{"topic", topic}}})),
          retries(registry.AddCounter({.name = "kessai_inbox_batch_retries_total",
                                       .help = "Batches rolled back, to be run again",
                                       .labels = {{"topic", topic}}})),
          stopped(registry.AddGauge(
              {.name = "kessai_inbox_partitions_stopped",
               .help = "Assigned partitions that wait for somebody to repair something",
               .labels = {{"topic", topic}}})),
          assigned(registry.AddGauge({.name = "kessai_inbox_partitions_assigned",
                                      .help = "Partitions this process applies",
                                      .labels = {{"topic", topic}}})),
          lag(registry.AddGauges({.name = "kessai_inbox_lag_messages",
                                  .help = "Messages that the group has not applied, of partitions "
                                          "assigned to this process",
                                  .labels = {{"topic", topic}}},
                                 {{"partition", metrics::Numbers(partitions)}})),
          batch(registry.AddHistogram({.name = "kessai_inbox_batch_seconds",
                                       .help = "Time of a batch's transaction",
                                       .labels = {{"topic", topic}}},
                                      metrics::kLatency)),
          batch_events(registry.AddHistogram({.name = "kessai_inbox_batch_events",
                                              .help = "Messages in a batch",
                                              .labels = {{"topic", topic}}},
                                             metrics::kCount)) {}

    metrics::Counter& applied;
    metrics::Counter& repeated;
    metrics::Counter& dead;
    metrics::Counter& parked;
    metrics::Counter& marks;
    metrics::Counter& assumptions_refused;
    metrics::Counter& offset_refusals;
    metrics::Counter& offset_gaps;
    metrics::Counter& retries;
    metrics::Gauge& stopped;
    metrics::Gauge& assigned;
    metrics::Gauges lag;
    metrics::Histogram& batch;
    metrics::Histogram& batch_events;
};

}  // namespace kessai::inbox
