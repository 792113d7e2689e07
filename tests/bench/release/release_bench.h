#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/release/contender.h"
#include "bench/release/damage_proof.h"
#include "bench/release/day_facts.h"
#include "bench/release/generated_day.h"
#include "bench/release/kill_proof.h"
#include "bench/release/measured_payout.h"
#include "bench/release/payout_audit.h"
#include "bench/surroundings.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"

namespace kessai::bench {

struct ReleaseOptions {
    DayRecipe recipe;
    /// Straight into the tables; else as events through Kafka and payout's consumer.
    bool bulk = false;
    /// For the way through Kafka: payment's topic, which is there and empty.
    std::string brokers;
    std::string topic = "payment.events.v1";
    int threads = 2;
    /// Merchants that the old design really releases.
    std::int64_t old_sample = 4'000;
    bool rivals = true;
    /// Merchants have a balance of the cycle before, of as much as the day's: as on any day but the
    /// cycle's first. Without rivals.
    bool later_day = false;
    /// Places of the closed day that are damaged before it is released; 0: none. Without rivals.
    int damage = 0;
    /// Kills of a second release of the same day; 0: there is none. Without rivals.
    int kills = 0;
    /// For the kills: the program that runs ReleaseWaiting over the same schema.
    std::vector<std::string> releaser;
    /// What submits a job to Spark; empty: Spark is no rival.
    std::vector<std::string> spark_command = {};
    /// How long the database may take, before the release is measured, to write what the loading
    /// left.
    int settle_seconds_max = 180;
    /// Told of what is done, line by line.
    std::function<void(const std::string&)> tell;
};

struct ReleaseReport {
    DayRecipe recipe;
    bool bulk = false;
    bool later_day = false;
    int threads = 0;
    Machine machine;
    /// MariaDB's variables.
    std::map<std::string, std::string> mysql;
    DayFacts facts;

    double load_seconds = 0;
    /// From the topic into the tables; 0 with --bulk.
    double ingest_seconds = 0;
    /// Processor time over it, as below.
    double ingest_client_cpu_seconds = 0;
    std::optional<double> ingest_server_cpu_seconds;
    double close_seconds = 0;
    /// From the closed day to the last release row, balance and checkpoint.
    double release_seconds = 0;
    ReleaseTimes times;
    /// Processor time over the release: of this process and of the database. The latter is not
    /// known if the database is not on this machine.
    double client_cpu_seconds = 0;
    std::optional<double> server_cpu_seconds;
    double machine_busy_seconds = 0;
    std::int64_t peak_rss_mib = 0;
    /// Pages that the release had to read from disk, of 16 KiB, and whether they are less than a
    /// hundredth of the day's rows.
    std::int64_t pages_read = 0;
    bool buffer_pool_warm = false;
    /// The day's rows and their index, as InnoDB estimates them.
    std::int64_t accrual_mib = 0;

    std::vector<Contender> contenders;
    std::optional<DamageProof> damage;
    std::optional<KillProof> kills;
    /// After either of them.
    std::optional<PayoutAudit> audit;
    /// What came out wrong, in words. Nothing: everything was released, to the yen.
    std::vector<std::string> wrong;

    const Contender* Find(std::string_view name) const;
};

/// Makes a day, closes it and releases it by payout's own code, and lets the rivals do the same on
/// the same rows. `connect` is of an empty schema, which is migrated and left full.
/// Refusals: the database's and Kafka's.
Result<ReleaseReport> MeasureRelease(const ReleaseOptions& options,
                                     const mysql::ConnectOptions& connect);

/// Releases a closed day of the bench's, or goes on with its release, as soon as it gets the turn:
/// what is killed by ReleaseOptions::kills.
Status ReleaseWaiting(const mysql::ConnectOptions& connect, BusinessDate day, int threads);

/// For people, as lines.
std::string ToText(const ReleaseReport& report);
/// One JSON object on one line.
std::string ToJson(const ReleaseReport& report);

}  // namespace kessai::bench
