#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/ladder.h"
#include "bench/surroundings.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"
#include "load/process_time.h"
#include "load/stack.h"

namespace kessai::bench {

struct PaymentsOptions {
    /// These rates only, instead of a search.
    std::vector<double> rates;
    /// Not 0: only a closed loop of so many clients, to see what a payment costs when all is busy.
    int clients = 0;
    double first_rate = 500;
    double max_rate = 100'000;

    int merchants = 1'000;
    int users = 20'000;
    double zipf_exponent = 1.0;
    double hot_share = 0.5;
    Duration think_time = std::chrono::seconds(1);
    Duration timeout = std::chrono::seconds(10);
    int connections = 256;
    int loops = 1;
    std::uint64_t seed = 1;

    /// Of a step that looks for the rate, and of one that counts.
    Duration warm_up = std::chrono::seconds(10);
    Duration probe = std::chrono::seconds(20);
    Duration measured = std::chrono::seconds(75);
    /// Over the end of a step's measured time queues must be flat for so long.
    Duration flat_window = std::chrono::seconds(60);
    bool quick = false;
    /// A narrower search and shorter steps; what is reported still has its whole flat window.
    bool brief = false;

    bool hot_merchant = true;
    bool batch_1 = true;
    /// Executors, and so database connections, that batch size 1 is tried with.
    std::vector<int> batch_1_executors{4, 8, 16, 32};
    /// "service:path=value" to measure with, beside what the stack has.
    std::vector<std::string> settings;
    /// Restart nothing: no batch size 1, and the gateway's limit of one address stays.
    bool no_restarts = false;
    bool audit = true;
    Duration drain_max = std::chrono::minutes(3);
    Duration time_max = std::chrono::minutes(75);
    HoldingRules rules;
};

struct StepReport {
    std::string scenario;
    /// Long enough to count, or only one of a search.
    bool counting = false;
    /// Of a fixed number of clients: no rate was offered, so none was held.
    bool closed_loop = false;
    bool held = false;
    std::vector<std::string> why_not;
    StepFacts facts;
    double completed_per_second = 0;
    load::ProcessorUse::Report processors;
    /// Until outboxes and consumers had nothing left; none when they did not get there in time.
    std::optional<double> drain_s;

    double Milliseconds(double percentile) const;
    /// Cores that other programs of the machine used meanwhile.
    double OthersCores() const;
    /// Processor time in microseconds a payment, by process.
    std::map<std::string, double> MicrosPerPayment() const;
};

struct PaymentsReport {
    Machine machine;
    Durability durability;
    std::string commit;
    std::string run_id;
    double set_up_s = 0;
    std::vector<StepReport> steps;
    /// Positions in `steps`.
    std::optional<std::size_t> best, best_at_70_percent, best_hot, best_batch_1;
    int batch_1_executors = 0;

    std::uint64_t acknowledged = 0, unknown = 0, stored = 0, accrued = 0;
    std::int64_t acknowledged_yen = 0, stored_yen = 0, accrued_yen = 0;
    bool counts_agree = false;
    /// "clean", "found something", "incomplete", "not there", "not asked for".
    std::string audit;
    std::vector<std::string> notes;
    bool ended_early = false;

    /// Whether a rate was measured to the end, and nothing found that makes it worth nothing.
    bool valid() const;
};

/// Measures payments a second. `stop` ends it early; what was changed is put back.
Result<PaymentsReport> MeasurePayments(const load::Stack& stack, const PaymentsOptions& options,
                                       const std::atomic<bool>& stop);

/// For people.
void Show(const PaymentsReport& report, const PaymentsOptions& options);
/// One JSON object.
std::string ToJson(const PaymentsReport& report, const PaymentsOptions& options);

}  // namespace kessai::bench
