#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kessai/net/loop.h"
#include "kessai/net/task.h"
#include "kessai/time/clock.h"
#include "load/client.h"
#include "load/journal.h"
#include "load/outcomes.h"
#include "load/pacer.h"
#include "load/population.h"
#include "load/random.h"
#include "load/requests.h"
#include "load/zipf.h"

namespace kessai::load {

struct SteadyOptions {
    double payments_per_second = 200;
    Duration time = std::chrono::seconds(60);
    Duration think_time = std::chrono::milliseconds(300);
    /// Of an attempt. Shorter than the gateway's own, as impatient callers are.
    Duration timeout = std::chrono::seconds(5);
    /// The first wait before an attempt is made again; it doubles up to the other, and is drawn
    /// from its upper half.
    Duration retry_first = std::chrono::milliseconds(100);
    Duration retry_max = std::chrono::seconds(2);
    /// What is not settled so long after the load's end is given up as unknown.
    Duration settle = std::chrono::seconds(120);
    std::int64_t amount_max = 1'000;
    /// Of the payments, so many are refunded in part, or cancelled, once they are acknowledged; and
    /// for so many payments there is a top-up.
    double refund_share = 0;
    double cancel_share = 0;
    double top_up_share = 0;
    /// What is open at a time; more is not begun but counted as held back. Without a bound, a stack
    /// that is slow for a while is never left alone again: its callers' queue only grows.
    std::size_t open_max = 100'000;
};

struct SteadyReport {
    std::uint64_t begun = 0;
    std::uint64_t held_back = 0;
    /// Payments.
    std::uint64_t acknowledged = 0;
    /// And what else was: refunds, cancellations, top-ups.
    std::uint64_t others_acknowledged = 0;
    std::uint64_t refused = 0;
    /// Attempts that left it open, and attempts beyond the first.
    std::uint64_t unknown_outcomes = 0;
    std::uint64_t retries = 0;
    /// Given up at the end; whether they were done is not known.
    std::uint64_t not_settled = 0;
    std::map<std::string, std::uint64_t> reasons;
    std::uint64_t in_flight = 0;
};

/// Keeps a steady load on a stack through whatever happens to it, as callers that know their
/// business do: what is not certainly done or refused is asked for again, with the same key (a
/// partner's request with the very same bytes, as long as its signature holds), until it is known.
/// Every request and answer goes into a journal. Loop's thread only.
class SteadyLoad {
 public:
    SteadyLoad(net::Loop& loop, Client& client, const Population& population,
               const WeightedChoice& merchants, JournalWriter& journal, std::string id_prefix,
               std::string authority, std::uint64_t seed, const Clock& clock = SystemClock());
    ~SteadyLoad();

    /// Ends when all it began is settled or given up.
    net::Task<SteadyReport> Run(SteadyOptions options);
    /// Begins nothing more; Run ends when what is open is settled.
    void Stop();
    /// So far.
    SteadyReport Report() const;

 private:
    struct Journey;

    void Begin();
    Journey& AddJourney();
    void BeginTopUp();
    void Attempt(Journey& journey);
    std::string RequestOf(Journey& journey);
    Outcome Read(Journey& journey, const Answer& answer, std::int64_t& told_id);
    void OnAcknowledged(Journey& journey);
    void OnAnswer(Journey& journey, const Answer& answer);
    void AgainLater(Journey& journey);
    void GoOn(Journey& journey, Duration after);
    void Finish(Journey& journey);
    void EndIfDone();
    std::int64_t NowUs() const;

    net::Loop& loop_;
    Client& client_;
    const Population& population_;
    const WeightedChoice& merchants_;
    JournalWriter& journal_;
    const std::string id_prefix_;
    const Clock& clock_;
    RequestWriter requests_;
    Random random_;
    std::vector<OpaSigner> signers_;

    SteadyOptions options_;
    SteadyReport report_;
    std::list<std::unique_ptr<Journey>> journeys_;
    std::uint64_t ids_used_ = 0;
    bool offering_ = false;
    bool giving_up_ = false;
    Pacer* pacer_ = nullptr;
    net::Timer* give_up_ = nullptr;
    net::Arrival<bool>* ended_ = nullptr;
};

}  // namespace kessai::load
