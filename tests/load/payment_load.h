#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "kessai/net/loop.h"
#include "kessai/net/task.h"
#include "kessai/time/clock.h"
#include "load/client.h"
#include "load/histogram.h"
#include "load/outcomes.h"
#include "load/pacer.h"
#include "load/population.h"
#include "load/random.h"
#include "load/requests.h"
#include "load/zipf.h"

namespace kessai::load {

/// What is offered, whatever becomes of it.
struct Offer {
    double payments_per_second = 100;
    /// Load that is not measured comes before; some goes on behind, so that the end is like the
    /// rest.
    Duration warm_up = std::chrono::seconds(5);
    Duration measured = std::chrono::seconds(20);
    /// From a code's creation to its payment.
    Duration think_time = std::chrono::seconds(1);
    /// Of each request.
    Duration timeout = std::chrono::seconds(10);
    /// Amounts are drawn evenly from 1 to this, in yen.
    std::int64_t amount_max = 1'000;
    /// Not 0: a closed loop instead of the rate. So many clients make a code, pay it at once and
    /// begin again. What a payment costs when all is busy shows so; what rate is held does not.
    int clients = 0;
};

/// What became of it.
struct LoadResult {
    // In the measured time: payments meant to begin in it.
    std::uint64_t offered = 0;
    /// From its intended beginning to its answer, also of those that failed; no payment is left out
    /// because something before it was slow.
    Histogram pay_latency;
    Histogram create_latency;
    /// How late we were ourselves in handing a request to a connection.
    Histogram lateness;
    /// Payments acknowledged within the measured time, whenever they were meant to begin.
    std::uint64_t completed_in_time = 0;
    /// Reasons of payments that were not acknowledged, and how often.
    std::map<std::string, std::uint64_t> pay_failures;
    std::map<std::string, std::uint64_t> create_failures;
    /// Payments begun and not answered at the end of the measured time.
    std::uint64_t open_at_end = 0;

    // Of all of the load, warm-up included, to be compared with the database:
    std::uint64_t acknowledged = 0;
    std::int64_t acknowledged_yen = 0;
    std::uint64_t unknown = 0;

    void Merge(const LoadResult& other);
    std::uint64_t failures() const;
};

/// Offers payments in an open loop: each is a code created by a merchant and, the think time after
/// the moment that was meant to happen, its payment by a user. Both moments come from a schedule
/// that knows nothing of answers. One event loop's share of a load; its users are its own, its
/// merchants may be others' too. Loop's thread only.
class PaymentLoad {
 public:
    struct Share {
        int index = 0;
        int count = 1;
    };

    /// Everything passed by reference outlives it. `population.users` whose position is `index`
    /// modulo `count` are changed here. `id_prefix` begins every merchantPaymentId and must never
    /// have been used before.
    PaymentLoad(net::Loop& loop, Client& client, Population& population, Share share,
                std::string id_prefix, std::string authority, std::uint64_t seed,
                const Clock& clock = SystemClock());

    /// Begins at `first` (its warm-up); ends when everything it began is answered. All shares of a
    /// load get the same offer and `first`. One at a time.
    net::Task<LoadResult> Run(Offer offer, const WeightedChoice& merchants, SteadyInstant first);

    /// Ends the offering now; Run then ends early.
    void Stop();
    /// Payments that should have begun and are not answered.
    std::uint64_t due() const { return due_; }

 private:
    enum class Stage : std::uint8_t { kCreating, kOpen, kPaying, kDone };
    struct Journey {
        Stage stage = Stage::kCreating;
        bool due = false;
        bool measured = false;
        std::uint32_t user = 0;
        std::int64_t amount = 0;
        SteadyInstant pay_intended{};
        std::string code_id;
    };

    void RunClosed(SteadyInstant first);
    void BeginCreate(std::uint64_t n, SteadyInstant intended);
    void EndCreate(std::uint64_t n, SteadyInstant intended, const Answer& answer);
    void BeginPay(std::uint64_t n);
    void SendPay(std::uint64_t n, Journey& journey);
    void EndPay(std::uint64_t n, const Answer& answer);
    void Finish(Journey& journey);
    void EndIfDone();
    Journey& At(std::uint64_t n) { return journeys_[n - first_journey_]; }

    net::Loop& loop_;
    Client& client_;
    Population& population_;
    const Share share_;
    const std::string id_prefix_;
    const Clock& clock_;
    RequestWriter requests_;
    Random random_;
    std::vector<OpaSigner> signers_;
    std::uint64_t ids_used_ = 0;

    // Of the run:
    Offer offer_;
    const WeightedChoice* merchants_ = nullptr;
    SteadyInstant measure_from_{};
    SteadyInstant measure_to_{};
    LoadResult result_;
    std::deque<Journey> journeys_;
    std::uint64_t first_journey_ = 0;
    /// Not finished; of them, those whose payment should have begun.
    std::uint64_t open_ = 0;
    std::uint64_t due_ = 0;
    bool offering_ = false;
    Pacer* pacer_ = nullptr;
    net::Arrival<bool>* ended_ = nullptr;
};

}  // namespace kessai::load
