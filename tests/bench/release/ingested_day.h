#pragma once

#include <functional>
#include <optional>
#include <string>

#include "bench/release/day_facts.h"
#include "bench/release/generated_day.h"
#include "kessai/mysql/pool.h"
#include "kessai/result/result.h"

namespace kessai::bench {

struct IngestOptions {
    std::string brokers;
    /// Payment's events, with kPartitions partitions, and nothing in it yet.
    std::string topic;
    /// The database's processor time until now, where it is known.
    std::function<std::optional<double>()> server_cpu_seconds = {};
};

struct IngestedDay {
    DayFacts facts;
    /// From the first event that the consumer could read until the last one, and the marks, were in
    /// the tables. All events were in Kafka before.
    double seconds = 0;
    /// Processor time over them, of this process (the consumer, Kafka's client) and of the
    /// database.
    double client_cpu_seconds = 0;
    std::optional<double> server_cpu_seconds = std::nullopt;
};

/// Publishes a generated day as payment's events, and lets payout's consumer take it in, with the
/// service's defaults. The results stay in the outbox: no relay runs beside it.
/// UNAVAILABLE INGESTION_STALLED when nothing is taken in for a minute.
Result<IngestedDay> IngestDay(mysql::Pool& pool, const GeneratedDay& day,
                              const IngestOptions& options);

}  // namespace kessai::bench
