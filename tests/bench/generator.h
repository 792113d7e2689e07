#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kessai/net/loop.h"
#include "kessai/net/tls.h"
#include "kessai/result/result.h"
#include "load/client.h"
#include "load/payment_load.h"
#include "load/population.h"
#include "load/population_maker.h"
#include "load/stack.h"
#include "load/zipf.h"

namespace kessai::bench {

/// The load generator: event loops, each with its connections to the gateway and its share of the
/// load. Used from one thread, which waits.
class Generator {
 public:
    struct Options {
        int loops = 1;
        /// To the gateway, in all.
        int connections = 256;
        std::uint64_t seed = 1;
        /// Names this run: begins every merchantPaymentId.
        std::string run_id;
    };

    /// FAILED_PRECONDITION TLS_FILES_UNUSABLE.
    static Result<std::unique_ptr<Generator>> Make(const load::Stack& stack, Options options);
    ~Generator();
    Generator(const Generator&) = delete;
    Generator& operator=(const Generator&) = delete;

    /// Makes merchants, users and money; then opens all connections. Once.
    Status SetUp(const load::PopulationOptions& options);
    /// Wallets that hold less than `balance_min` are topped up.
    Status TopUp(std::int64_t balance_min);

    /// While a load runs, called often; true ends it early.
    using Watch = std::function<bool(SteadyInstant now, std::uint64_t due)>;
    load::LoadResult Run(const load::Offer& offer, const load::WeightedChoice& merchants,
                         SteadyInstant first, const Watch& watch);

    const load::Population& population() const { return population_; }
    /// Of all that was ever run.
    std::uint64_t acknowledged() const { return acknowledged_; }
    std::int64_t acknowledged_yen() const { return acknowledged_yen_; }
    std::uint64_t unknown() const { return unknown_; }

 private:
    struct Part;
    Generator(const load::Stack& stack, Options options);

    const std::string authority_;
    const Options options_;
    load::PopulationOptions population_options_;
    load::Population population_;
    std::vector<std::unique_ptr<Part>> parts_;
    std::unique_ptr<load::PopulationMaker> maker_;
    std::uint64_t acknowledged_ = 0;
    std::int64_t acknowledged_yen_ = 0;
    std::uint64_t unknown_ = 0;
};

}  // namespace kessai::bench
