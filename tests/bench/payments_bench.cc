#include "bench/payments_bench.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <utility>

#include "bench/generator.h"
#include "bench/settings.h"
#include "load/command.h"
#include "load/stack_watch.h"
#include "load/stored_payments.h"
#include "load/zipf.h"

namespace kessai::bench {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

double Seconds(Duration time) {
    return std::chrono::duration<double>(time).count();
}

void Say(const std::string& text) {
    std::fprintf(stderr, "%s\n", text.c_str());
}

template <class... Values>
std::string Text(const char* format, Values... values) {
    char text[512];
    std::snprintf(text, sizeof(text), format, values...);
    return text;
}

std::string Joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const auto& text : texts) all += (all.empty() ? "" : "; ") + text;
    return all;
}

/// One measurement from its set-up to its audit.
class PaymentsBench {
 public:
    PaymentsBench(const load::Stack& stack, const PaymentsOptions& options,
                  const std::atomic<bool>& stop)
        : stack_(stack),
          options_(options),
          stop_(stop),
          deadline_(SystemClock().SteadyNow() + options.time_max),
          settings_(stack),
          merchants_(load::WeightedChoice::Zipf(static_cast<std::size_t>(options.merchants),
                                                options.zipf_exponent)) {}

    Result<PaymentsReport> Run() {
        report_.run_id = "b" + std::to_string(ToMicros(SystemClock().Now()) / 1'000);
        KESSAI_RETURN_IF_ERROR(RequireReady());
        report_.machine = DescribeMachine();
        KESSAI_RETURN_IF_ERROR(PrepareServices());
        watch_ = std::make_unique<load::StackWatch>(stack_);
        report_.durability = ReadDurability(stack_);
        KESSAI_RETURN_IF_ERROR(SetUp());

        RunUniform();
        if (options_.hot_merchant && options_.clients == 0) RunHotMerchant();
        if (options_.batch_1 && options_.clients == 0) RunBatch1();
        report_.commit = watch_->Commit();
        Status restored = settings_.RestoreAll();
        if (!restored.ok()) report_.notes.push_back(restored.ToString());
        report_.ended_early = Stopped();
        if (report_.ended_early) report_.notes.push_back("ended early: stopped from outside");
        Compare();
        Audit();
        return std::move(report_);
    }

 private:
    bool Stopped() const { return stop_; }
    bool HasTimeFor(Duration time) const {
        return !Stopped() && SystemClock().SteadyNow() + time + reserved_ < deadline_;
    }
    Duration StepTime(Duration measured) const {
        return options_.warm_up + measured + 2 * options_.think_time + seconds(5);
    }

    Status RequireReady() {
        KESSAI_ASSIGN_OR_RETURN(processes_, load::ProcessesOf(stack_));
        for (const auto& process : processes_) {
            if (process.ready) continue;
            return {Code::kUnavailable, "STACK_NOT_READY",
                    process.name + " is not ready: see ./kessai status"};
        }
        return OkStatus();
    }

    std::vector<std::string> SettingsOf(const std::string& service) const {
        std::vector<std::string> assignments;
        for (const std::string& setting : options_.settings) {
            if (setting.starts_with(service + ":")) {
                assignments.push_back(setting.substr(service.size() + 1));
            }
        }
        return assignments;
    }

    /// The whole load comes from one address. The gateway's limit of an address stays at work, but
    /// with more room than any load here needs.
    Status PrepareServices() {
        if (options_.no_restarts) return OkStatus();
        std::vector<std::string> gateway{"limits.per_address.requests_per_second=1000000",
                                         "limits.per_address.burst=1000000"};
        for (const auto& setting : SettingsOf("gateway")) gateway.push_back(setting);
        Say("restarting the gateway with room for a load from one address");
        KESSAI_RETURN_IF_ERROR(settings_.Apply("gateway", gateway));
        for (const char* service : {"payment", "payout", "reconciliation"}) {
            const auto assignments = SettingsOf(service);
            if (!assignments.empty()) {
                KESSAI_RETURN_IF_ERROR(settings_.Apply(service, assignments));
            }
        }
        return RequireReady();
    }

    Status SetUp() {
        const SteadyInstant begun = SystemClock().SteadyNow();
        Generator::Options generator;
        generator.loops = options_.loops;
        generator.connections = options_.connections;
        generator.seed = options_.seed;
        generator.run_id = report_.run_id;
        KESSAI_ASSIGN_OR_RETURN(generator_, Generator::Make(stack_, generator));
        load::PopulationOptions population;
        population.merchants = options_.merchants;
        population.first_merchant_id = first_merchant_id_;
        population.users = options_.users;
        KESSAI_RETURN_IF_ERROR(generator_->SetUp(population));
        report_.set_up_s =
            Seconds(std::chrono::duration_cast<Duration>(SystemClock().SteadyNow() - begun));
        Say(Text("set-up: %d merchants and %d users in %.1f s", options_.merchants, options_.users,
                 report_.set_up_s));
        return OkStatus();
    }

    // -- Scenarios --------------------------------------------------------------------------------

    void RunUniform() {
        Say(Text("uniform: merchants by Zipf (%.2f), the most popular takes %.0f %%",
                 options_.zipf_exponent, 100 * merchants_.ProbabilityOf(0)));
        WarmUp();
        if (options_.clients > 0) {
            // Not a rate that counts, but shown like one.
            report_.best = Saturate("uniform", merchants_, options_.measured);
            return;
        }
        reserved_ = (options_.hot_merchant ? 2 : 1) * StepTime(options_.measured) +
                    (options_.batch_1 ? Batch1Time() : Duration{});
        report_.best =
            Top("uniform", merchants_, SearchFrom("uniform", merchants_, 0), options_.rates);
        if (!report_.best) return;
        const double rate = Rounded(0.7 * report_.steps[*report_.best].facts.rate);
        reserved_ -= StepTime(options_.measured);
        if (!HasTimeFor(StepTime(options_.measured))) return NoTime("70 % of the top rate");
        report_.best_at_70_percent = Step("uniform at 70 %", merchants_, rate, true);
    }

    void RunHotMerchant() {
        if (!report_.best) return;
        const auto hot =
            load::WeightedChoice::ZipfWithHotFirst(static_cast<std::size_t>(options_.merchants),
                                                   options_.zipf_exponent, options_.hot_share);
        Say(Text("hot merchant: one takes %.0f %%", 100 * options_.hot_share));
        RateSearch::Options search;
        search.first = report_.steps[*report_.best].facts.rate;
        search.max = options_.max_rate;
        search.growth = 1.1;
        std::vector<double> rates;
        if (!options_.rates.empty()) rates = {search.first};
        reserved_ = options_.batch_1 ? Batch1Time() : Duration{};
        report_.best_hot = Top("hot merchant", hot, search, rates);
    }

    /// The same system with one command a transaction, at whichever number of executors suits that
    /// best: the one that gets most done when all is busy.
    void RunBatch1() {
        reserved_ = Duration{};
        if (!report_.best) return;
        if (options_.no_restarts) {
            report_.notes.push_back("batch size 1 was not measured: no restarts were allowed");
            return;
        }
        double most = 0;
        int best_executors = 0;
        for (const int executors : options_.batch_1_executors) {
            if (!HasTimeFor(3 * StepTime(options_.probe) + StepTime(options_.measured))) {
                NoTime(Text("batch size 1 with %d executors", executors));
                continue;
            }
            if (!RestartWithBatch1(executors)) return;
            const std::size_t step =
                Saturate(Text("batch size 1, %d executors", executors), merchants_, options_.probe);
            if (report_.steps[step].completed_per_second > most) {
                most = report_.steps[step].completed_per_second;
                best_executors = executors;
            }
        }
        if (best_executors == 0) {
            report_.notes.push_back("batch size 1 got nothing done");
            return;
        }
        if (!RestartWithBatch1(best_executors)) return;
        report_.batch_1_executors = best_executors;
        const std::string name = Text("batch size 1, %d executors", best_executors);
        report_.best_batch_1 =
            Confirm(name, merchants_, Search(name, merchants_, SearchFrom(name, merchants_, most)));
    }

    Duration Batch1Time() const {
        const auto tried = static_cast<int>(options_.batch_1_executors.size());
        return (tried + 4) * (StepTime(options_.probe) + seconds(10)) + StepTime(options_.measured);
    }

    /// Where to look for the rate that is held: a little below what a closed loop gets done
    /// (`saturated`, or 0 to measure that now), which is more than an open one can hold.
    RateSearch::Options SearchFrom(const std::string& scenario,
                                   const load::WeightedChoice& merchants, double saturated) {
        RateSearch::Options search;
        search.first = options_.first_rate;
        search.max = options_.max_rate;
        if (!options_.rates.empty()) return search;
        if (saturated <= 0) {
            saturated =
                report_.steps[Saturate(scenario, merchants, options_.probe)].completed_per_second;
        }
        if (saturated <= 0) return search;
        search.first = Rounded(std::min(0.85 * saturated, options_.max_rate));
        search.growth = 1.15;
        if (options_.brief) {
            search.resolution = 0.07;
            search.steps_max = 6;
        }
        return search;
    }

    /// A closed loop: what is done when all is busy. Counts for nothing itself.
    std::size_t Saturate(const std::string& scenario, const load::WeightedChoice& merchants,
                         Duration measured) {
        load::Offer offer = OfferOf(options_.first_rate, measured);
        offer.clients = options_.clients > 0 ? options_.clients : options_.connections;
        offer.think_time = Duration{};
        return Run(scenario + ", closed loop", merchants, offer, options_.clients > 0);
    }

    bool RestartWithBatch1(int executors) {
        Say(Text("restarting payment with executor.batch_max=1, executor.threads=%d", executors));
        std::vector<std::string> assignments = SettingsOf("payment");
        assignments.push_back("executor.batch_max=1");
        assignments.push_back("executor.threads=" + std::to_string(executors));
        assignments.push_back("mysql.sessions_max=" + std::to_string(executors + 40));
        Status applied = settings_.Apply("payment", assignments);
        if (applied.ok()) applied = RequireReady();
        if (!applied.ok()) {
            report_.notes.push_back("batch size 1: " + applied.ToString());
            return false;
        }
        WarmUp();
        return true;
    }

    // -- Looking for a rate -----------------------------------------------------------------------

    /// The highest rate that counts: by a search and then long enough, or of `rates` alone.
    std::optional<std::size_t> Top(const std::string& scenario,
                                   const load::WeightedChoice& merchants,
                                   const RateSearch::Options& search,
                                   const std::vector<double>& rates) {
        if (rates.empty()) return Confirm(scenario, merchants, Search(scenario, merchants, search));
        std::optional<std::size_t> best;
        for (const double rate : rates) {
            if (!HasTimeFor(StepTime(options_.measured))) {
                NoTime(Text("%s at %.0f/s", scenario.c_str(), rate));
                break;
            }
            const std::size_t step = Step(scenario, merchants, rate, true);
            if (report_.steps[step].held && (!best || rate > report_.steps[*best].facts.rate)) {
                best = step;
            }
        }
        return best;
    }

    double Search(const std::string& scenario, const load::WeightedChoice& merchants,
                  const RateSearch::Options& options) {
        RateSearch search(options);
        while (const auto rate = search.Next()) {
            if (!HasTimeFor(StepTime(options_.probe) + StepTime(options_.measured))) {
                NoTime("a finer search of " + scenario);
                break;
            }
            const std::size_t step = Step(scenario, merchants, *rate, false);
            const StepReport& told = report_.steps[step];
            search.Told(*rate, told.held, GeneratorWasLate(told.facts, options_.rules));
        }
        if (search.hopeless()) {
            report_.notes.push_back(scenario +
                                    ": given up, for the load generator was late at a lower rate "
                                    "too: something else keeps this machine busy");
        }
        return search.best();
    }

    /// Measures at `rate` for as long as counts; a little lower when that is too long for it.
    std::optional<std::size_t> Confirm(const std::string& scenario,
                                       const load::WeightedChoice& merchants, double rate) {
        constexpr int kTries = 4;
        for (int i = 0; i < kTries && rate > 0; ++i) {
            if (!HasTimeFor(StepTime(options_.measured))) {
                NoTime("counting " + scenario);
                break;
            }
            const std::size_t step = Step(scenario, merchants, rate, true);
            if (report_.steps[step].held) return step;
            rate = Rounded(rate * (report_.steps[step].facts.gave_up ? 0.8 : 0.93));
        }
        return std::nullopt;
    }

    void NoTime(const std::string& what) {
        if (!Stopped()) report_.notes.push_back("no time was left for " + what);
    }

    // -- A step -----------------------------------------------------------------------------------

    /// Caches, connections and the JVM before the first that is judged.
    void WarmUp() {
        load::Offer offer = OfferOf(options_.first_rate, options_.quick ? seconds(2) : seconds(10));
        offer.warm_up = Duration{};
        if (!Afford(offer)) return;
        generator_->Run(offer, merchants_, SystemClock().SteadyNow() + milliseconds(200),
                        [this](SteadyInstant, std::uint64_t) { return Stopped(); });
        Drain();
    }

    load::Offer OfferOf(double rate, Duration measured) const {
        load::Offer offer;
        offer.payments_per_second = rate;
        offer.warm_up = options_.warm_up;
        offer.measured = measured;
        offer.think_time = options_.think_time;
        offer.timeout = options_.timeout;
        return offer;
    }

    /// Sees to it that nobody runs out of money on the way: four times the mean of what a user
    /// spends, and what the unlucky spend beyond.
    bool Afford(const load::Offer& offer) {
        // A closed loop's rate shows only afterwards.
        const double rate = offer.clients > 0 ? 10'000 : offer.payments_per_second;
        const double payments = rate * Seconds(offer.warm_up + offer.measured + offer.think_time);
        const double each = payments / options_.users;
        const auto need =
            static_cast<std::int64_t>((4 * each + 20) * static_cast<double>(offer.amount_max));
        Status topped_up = generator_->TopUp(need);
        if (topped_up.ok()) return true;
        report_.notes.push_back("topping up: " + topped_up.ToString());
        return false;
    }

    std::size_t Step(const std::string& scenario, const load::WeightedChoice& merchants,
                     double rate, bool counting) {
        return Run(scenario, merchants,
                   OfferOf(rate, counting ? options_.measured : options_.probe), counting);
    }

    std::size_t Run(const std::string& scenario, const load::WeightedChoice& merchants,
                    const load::Offer& offer, bool counting) {
        StepReport step;
        step.scenario = scenario;
        step.counting = counting;
        step.closed_loop = offer.clients > 0;
        const double rate = offer.payments_per_second;
        step.facts.rate = rate;
        step.facts.measured_s = Seconds(offer.measured);
        const Duration window = std::min(options_.flat_window, offer.measured);
        step.facts.window_s = Seconds(window);
        if (auto processes = load::ProcessesOf(stack_); processes.ok()) processes_ = *processes;
        if (!Afford(offer)) {
            step.why_not.push_back("users could not be given money");
            return Keep(std::move(step));
        }

        const SteadyInstant first = SystemClock().SteadyNow() + milliseconds(300);
        const SteadyInstant from = first + offer.think_time + offer.warm_up;
        const SteadyInstant to = from + offer.measured;
        const auto due_max = static_cast<std::uint64_t>(std::max(2 * rate, 200.0)) +
                             static_cast<std::uint64_t>(offer.clients);
        std::unique_ptr<load::ProcessorUse> use;
        bool over = false;
        step.facts.load =
            generator_->Run(offer, merchants, first, [&](SteadyInstant now, std::uint64_t due) {
                if (!use && now >= from) {
                    use = std::make_unique<load::ProcessorUse>(processes_, "load generator");
                }
                if (use && !over && now >= to) {
                    over = true;
                    step.processors = use->Since();
                }
                if (due > due_max && !over) {
                    step.facts.gave_up = true;
                    if (use) step.processors = use->Since();
                }
                return step.facts.gave_up || Stopped();
            });
        const SteadyInstant ended = SystemClock().SteadyNow();
        step.completed_per_second =
            static_cast<double>(step.facts.load.completed_in_time) / step.facts.measured_s;
        if (offer.clients > 0) step.facts.rate = step.completed_per_second;
        for (const auto& queue : watch_->Queues()) {
            step.facts.queues.push_back({queue.name,
                                         queue.kind == load::StackWatch::Kind::kOutboxAge,
                                         queue.series.Over(to - window, to)});
        }
        if (Drain()) {
            step.drain_s =
                Seconds(std::chrono::duration_cast<Duration>(SystemClock().SteadyNow() - ended));
        }
        step.why_not = WhyNotHeld(step.facts, options_.rules);
        if (Stopped()) step.why_not = {"stopped from outside"};
        step.held = step.why_not.empty() && !step.closed_loop;
        return Keep(std::move(step));
    }

    std::size_t Keep(StepReport step) {
        Say(Text("  %-28s %7.0f/s %s: %7.0f/s, p50 %5.1f p99 %6.1f p99.9 %6.1f ms%s",
                 step.scenario.c_str(), step.facts.rate, step.counting ? "counted" : "tried  ",
                 step.completed_per_second, step.Milliseconds(50), step.Milliseconds(99),
                 step.Milliseconds(99.9),
                 step.closed_loop ? ""
                 : step.held      ? ", held"
                                  : (", not held: " + Joined(step.why_not)).c_str()));
        report_.steps.push_back(std::move(step));
        return report_.steps.size() - 1;
    }

    /// Waits until outboxes and consumers have nothing left, twice in a row.
    bool Drain() {
        const SteadyInstant until = SystemClock().SteadyNow() + options_.drain_max;
        std::string why = "nothing was read";
        int empty = 0;
        while (SystemClock().SteadyNow() < until && !Stopped()) {
            empty = watch_->Drained(&why) ? empty + 1 : 0;
            if (empty >= 2) return true;
            SystemClock().SleepFor(milliseconds(empty > 0 ? 1'000 : 200));
        }
        if (!Stopped()) report_.notes.push_back("not drained in time: " + why);
        return false;
    }

    // -- Afterwards
    // ---------------------------------------------------------------------------------

    void Compare() {
        report_.acknowledged = generator_->acknowledged();
        report_.acknowledged_yen = generator_->acknowledged_yen();
        report_.unknown = generator_->unknown();
        auto stored = load::ReadCompletedTotals(stack_, first_merchant_id_, options_.merchants);
        auto accrued = load::ReadAccruedTotals(stack_, first_merchant_id_, options_.merchants);
        if (!stored.ok() || !accrued.ok()) {
            report_.notes.push_back("the count was not compared: " +
                                    (stored.ok() ? accrued : stored).status().ToString());
            return;
        }
        report_.stored = stored->payments;
        report_.stored_yen = stored->yen;
        report_.accrued = accrued->payments;
        report_.accrued_yen = accrued->yen;
        const bool exact = report_.unknown > 0 || (stored->payments == report_.acknowledged &&
                                                   stored->yen == report_.acknowledged_yen);
        report_.counts_agree = exact && stored->payments >= report_.acknowledged &&
                               stored->payments <= report_.acknowledged + report_.unknown &&
                               stored->payments == accrued->payments && stored->yen == accrued->yen;
    }

    void Audit() {
        const std::string program = stack_.binaries + "/kessai-audit";
        if (!options_.audit) {
            report_.audit = "not asked for";
        } else if (!std::filesystem::exists(program)) {
            report_.audit = "not there";
        } else {
            Say("auditing");
            const std::vector<std::string> command{program, "--stack-file",
                                                   stack_.directory + "/access.json"};
            auto output = load::RunCommand(command, std::chrono::minutes(15), true);
            report_.audit = !output.ok()             ? output.status().ToString()
                            : output->exit_code == 0 ? "clean"
                            : output->exit_code == 2 ? "incomplete"
                                                     : "found something";
        }
    }

    const load::Stack& stack_;
    const PaymentsOptions& options_;
    const std::atomic<bool>& stop_;
    const SteadyInstant deadline_;
    /// For the scenarios still to come.
    Duration reserved_{};
    Settings settings_;
    const load::WeightedChoice merchants_;
    /// Numbered by the second: fresh for every run, so that what it did can be counted.
    const std::int64_t first_merchant_id_ = ToMicros(SystemClock().Now()) / 1'000'000 * 100'000;
    std::vector<load::ProcessOfStack> processes_;
    std::unique_ptr<load::StackWatch> watch_;
    std::unique_ptr<Generator> generator_;
    PaymentsReport report_;
};

}  // namespace

double StepReport::Milliseconds(double percentile) const {
    return static_cast<double>(facts.load.pay_latency.Percentile(percentile).count()) / 1e3;
}

double StepReport::OthersCores() const {
    return facts.measured_s > 0 ? Seconds(processors.others) / facts.measured_s : 0;
}

std::map<std::string, double> StepReport::MicrosPerPayment() const {
    std::map<std::string, double> micros;
    const auto payments = static_cast<double>(facts.load.completed_in_time);
    if (payments <= 0) return micros;
    for (const auto& [name, time] : processors.by_process) {
        micros[name] = static_cast<double>(time.count()) / payments;
    }
    return micros;
}

bool PaymentsReport::valid() const {
    return best.has_value() && !ended_early && counts_agree &&
           (audit == "clean" || audit == "not asked for");
}

Result<PaymentsReport> MeasurePayments(const load::Stack& stack, const PaymentsOptions& options,
                                       const std::atomic<bool>& stop) {
    return PaymentsBench(stack, options, stop).Run();
}

}  // namespace kessai::bench
