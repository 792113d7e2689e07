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
        if (Stopped()) report_.notes.push_back("ended early: stopped from outside");
        Compare();
        Audit();
        return std::move(report_);
    }

 private:
    bool Stopped() const { return stop_; }
    bool HasTimeFor(Duration time) const {
        return !Stopped() && SystemClock().SteadyNow() + time < deadline_;
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
            report_.best = Step(Text("%d clients", options_.clients), merchants_, 0, true);
            return;
        }
        RateSearch::Options search;
        search.first = options_.first_rate;
        search.max = options_.max_rate;
        report_.best = Top("uniform", merchants_, search, options_.rates);
        if (!report_.best) return;
        const double rate = Rounded(0.7 * report_.steps[*report_.best].facts.rate);
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
        report_.best_hot = Top("hot merchant", hot, search, rates);
    }

    /// The same system with one command a transaction, at whichever number of executors suits that
    /// best.
    void RunBatch1() {
        if (!report_.best) return;
        if (options_.no_restarts) {
            report_.notes.push_back("batch size 1 was not measured: no restarts were allowed");
            return;
        }
        double best_rate = 0;
        int best_executors = 0;
        for (const int executors : options_.batch_1_executors) {
            if (!HasTimeFor(6 * StepTime(options_.probe))) {
                NoTime(Text("batch size 1 with %d executors", executors));
                continue;
            }
            if (!RestartWithBatch1(executors)) return;
            const std::string name = Text("batch size 1, %d executors", executors);
            RateSearch::Options search;
            search.first =
                best_rate > 0 ? best_rate : Rounded(report_.steps[*report_.best].facts.rate / 8);
            search.max = options_.max_rate;
            search.growth = best_rate > 0 ? 1.3 : 2.0;
            search.resolution = 0.08;
            const double rate = Search(name, merchants_, search);
            if (rate > best_rate) {
                best_rate = rate;
                best_executors = executors;
            }
        }
        if (best_executors == 0) {
            report_.notes.push_back("batch size 1 held no rate at all");
            return;
        }
        if (!RestartWithBatch1(best_executors)) return;
        report_.batch_1_executors = best_executors;
        report_.best_batch_1 =
            Confirm(Text("batch size 1, %d executors", best_executors), merchants_, best_rate);
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
            search.Told(*rate, report_.steps[step].held);
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
            rate = Rounded(rate * 0.93);
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
        if (rate <= 0) {
            offer.clients = options_.clients;
            offer.think_time = Duration{};
        }
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
        StepReport step;
        step.scenario = scenario;
        step.counting = counting;
        step.facts.rate = rate;
        const load::Offer offer = OfferOf(rate, counting ? options_.measured : options_.probe);
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
                if (due > due_max && !over) step.facts.gave_up = true;
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
        step.held = step.why_not.empty();
        return Keep(std::move(step));
    }

    std::size_t Keep(StepReport step) {
        Say(Text("  %-28s %7.0f/s %s: %7.0f/s, p50 %5.1f p99 %6.1f p99.9 %6.1f ms%s",
                 step.scenario.c_str(), step.facts.rate, step.counting ? "counted" : "tried  ",
                 step.completed_per_second, step.Milliseconds(50), step.Milliseconds(99),
                 step.Milliseconds(99.9),
                 step.held ? ", held" : (", not held: " + Joined(step.why_not)).c_str()));
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
                                                     : "found something";
        }
    }

    const load::Stack& stack_;
    const PaymentsOptions& options_;
    const std::atomic<bool>& stop_;
    const SteadyInstant deadline_;
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
    return best.has_value() && counts_agree && audit != "found something";
}

Result<PaymentsReport> MeasurePayments(const load::Stack& stack, const PaymentsOptions& options,
                                       const std::atomic<bool>& stop) {
    return PaymentsBench(stack, options, stop).Run();
}

}  // namespace kessai::bench
