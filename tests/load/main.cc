// kessai-load: keeps a steady load on a stack and a journal of it (run), and judges the stack by
// the journal afterwards (verify). See README.md.

#include <signal.h>
#include <sys/resource.h>

#include <atomic>
#include <charconv>
#include <cstdio>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <unordered_map>

#include "kessai/net/loop.h"
#include "kessai/net/tls.h"
#include "kessai/time/clock.h"
#include "load/arguments.h"
#include "load/client.h"
#include "load/journal.h"
#include "load/json_line.h"
#include "load/on_loop.h"
#include "load/oracle.h"
#include "load/population_maker.h"
#include "load/stack.h"
#include "load/steady_load.h"
#include "load/stored_payments.h"
#include "load/zipf.h"

namespace kessai::load {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kUsage[] =
    "kessai-load [run] --stack-file FILE --journal FILE [--rate PAYMENTS/S] [--seconds S]\n"
    "            [--merchants N] [--users N] [--think-ms MS] [--timeout-ms MS]\n"
    "            [--settle-seconds S] [--connections N] [--seed N] [--json]\n"
    "            [--refunds SHARE] [--cancels SHARE] [--top-ups SHARE]  (of the payments)\n"
    "            [--open-max N]  (begins nothing while so many are open)\n"
    "    puts a steady load on the stack; SIGTERM ends it early, and settles what is open\n"
    "kessai-load verify --stack-file FILE --journal FILE [--wait-seconds S] [--at US,US,…]\n"
    "            [--no-api] [--json]\n"
    "    compares what the stack has stored with the journal; exit code 1 when they differ\n";

std::atomic<bool> g_stop = false;

void OnSignal(int) {
    g_stop = true;
}

int Fail(const Status& status) {
    std::fprintf(stderr, "kessai-load: %s\n", status.ToString().c_str());
    return status.reason() == "ARGUMENT_INVALID" ? 2 : 1;
}

/// A loop with a client of the gateway on it.
class GatewayClient {
 public:
    static Result<std::unique_ptr<GatewayClient>> Make(const Stack& stack, int connections) {
        KESSAI_ASSIGN_OR_RETURN(auto tls, net::TlsClientContext::Create(stack.ca_file));
        Client::Options options;
        options.host = stack.gateway.host;
        options.port = stack.gateway.port;
        options.tls = std::move(tls);
        options.connections = static_cast<std::size_t>(connections);
        return std::unique_ptr<GatewayClient>(new GatewayClient(std::move(options)));
    }
    ~GatewayClient() {
        AwaitOn(loop_, [this]() -> net::Task<void> {
            co_await client_->Close();
            client_.reset();
        });
        loop_.Stop();
    }
    GatewayClient(const GatewayClient&) = delete;
    GatewayClient& operator=(const GatewayClient&) = delete;

    net::Loop& loop() { return loop_; }
    Client& client() { return *client_; }

 private:
    explicit GatewayClient(Client::Options options) {
        loop_.Start();
        AwaitOn(loop_, [&]() -> net::Task<void> {
            client_ = std::make_unique<Client>(loop_, std::move(options));
            co_return;
        });
    }
    net::Loop loop_{"load"};
    std::unique_ptr<Client> client_;
};

void ShowProgress(const SteadyReport& report) {
    std::fprintf(stderr,
                 "load: %llu begun, %llu acknowledged, %llu refused, %llu unknown, %llu retries, "
                 "%llu in flight\n",
                 static_cast<unsigned long long>(report.begun),
                 static_cast<unsigned long long>(report.acknowledged),
                 static_cast<unsigned long long>(report.refused),
                 static_cast<unsigned long long>(report.unknown_outcomes),
                 static_cast<unsigned long long>(report.retries),
                 static_cast<unsigned long long>(report.in_flight));
}

int Run(Arguments& arguments, const Stack& stack) {
    const std::string path = arguments.Text("--journal");
    const bool json = arguments.Flag("--json");
    SteadyOptions options;
    options.payments_per_second = arguments.Real("--rate", 200, 0.1, 100'000);
    options.time = seconds(arguments.Integer("--seconds", 60, 1, 86'400));
    options.think_time = milliseconds(arguments.Integer("--think-ms", 300, 0, 60'000));
    options.timeout = milliseconds(arguments.Integer("--timeout-ms", 5'000, 10, 60'000));
    options.refund_share = arguments.Real("--refunds", 0, 0, 0.5);
    options.cancel_share = arguments.Real("--cancels", 0, 0, 0.5);
    options.top_up_share = arguments.Real("--top-ups", 0, 0, 1);
    options.open_max = static_cast<std::size_t>(
        arguments.Integer("--open-max", static_cast<std::int64_t>(options.open_max), 1, 1'000'000));
    options.settle = seconds(arguments.Integer("--settle-seconds", 120, 0, 3'600));
    PopulationOptions population_options;
    population_options.merchants =
        static_cast<int>(arguments.Integer("--merchants", 20, 1, 100'000));
    population_options.users = static_cast<int>(arguments.Integer("--users", 500, 1, 1'000'000));
    const auto connections = static_cast<int>(arguments.Integer("--connections", 64, 1, 10'000));
    const std::int64_t now_us = ToMicros(SystemClock().Now());
    const auto seed = static_cast<std::uint64_t>(arguments.Integer("--seed", now_us, 0, INT64_MAX));
    if (Status wrong = arguments.Finish(); !wrong.ok()) return Fail(wrong);
    if (path.empty()) {
        std::fputs(kUsage, stderr);
        return 2;
    }

    // Fresh merchants, numbered by the second: what this run did can be told from all else.
    journal::Run run;
    run.id = "k" + std::to_string(now_us / 1'000);
    run.first_merchant_id = now_us / 1'000'000 * 100'000;
    run.merchants = population_options.merchants;
    run.seed = seed;
    population_options.first_merchant_id = run.first_merchant_id;

    auto gateway = GatewayClient::Make(stack, connections);
    if (!gateway.ok()) return Fail(gateway.status());
    net::Loop& loop = (*gateway)->loop();
    Client& client = (*gateway)->client();
    PopulationMaker maker(loop, client, stack.Authority(), run.id);
    auto population = AwaitOn(
        loop, [&]() -> net::Task<Result<Population>> { return maker.Run(population_options); });
    if (!population.ok()) return Fail(population.status());
    auto journal = JournalWriter::Create(path, run);
    if (!journal.ok()) return Fail(journal.status());
    std::fprintf(stderr, "load: seed %llu, %d merchants, %d users, journal %s\n",
                 static_cast<unsigned long long>(seed), population_options.merchants,
                 population_options.users, path.c_str());

    const auto merchants =
        WeightedChoice::Zipf(static_cast<std::size_t>(population_options.merchants), 1.0);
    std::unique_ptr<SteadyLoad> load;
    const std::function<net::Task<SteadyReport>()> work = [&]() -> net::Task<SteadyReport> {
        load = std::make_unique<SteadyLoad>(loop, client, *population, merchants, **journal,
                                            run.id + "-", stack.Authority(), seed);
        return load->Run(options);
    };
    std::future<SteadyReport> ended = StartOn(loop, work);
    SteadyInstant shown = SystemClock().SteadyNow();
    bool stopping = false;
    while (ended.wait_for(milliseconds(100)) != std::future_status::ready) {
        if (g_stop && !stopping) {
            stopping = true;
            loop.Post([&load] { load->Stop(); });
        }
        if (SystemClock().SteadyNow() - shown < seconds(5)) continue;
        shown = SystemClock().SteadyNow();
        ShowProgress(AwaitOn(loop, [&]() -> net::Task<SteadyReport> { co_return load->Report(); }));
    }
    const SteadyReport report = ended.get();
    AwaitOn(loop, [&]() -> net::Task<void> {
        load.reset();
        co_return;
    });
    ShowProgress(report);
    for (const auto& [reason, count] : report.reasons) {
        std::fprintf(stderr, "    %-32s %llu\n", reason.c_str(),
                     static_cast<unsigned long long>(count));
    }
    if (!(*journal)->status().ok()) return Fail((*journal)->status());
    if (json) {
        JsonLine line;
        line.Text("run", run.id).Unsigned("seed", seed).Unsigned("begun", report.begun);
        line.Unsigned("held_back", report.held_back);
        line.Unsigned("acknowledged", report.acknowledged).Unsigned("refused", report.refused);
        line.Unsigned("others_acknowledged", report.others_acknowledged);
        line.Unsigned("unknown_outcomes", report.unknown_outcomes);
        line.Unsigned("retries", report.retries).Unsigned("not_settled", report.not_settled);
        std::printf("%s\n", line.Object().c_str());
    }
    return 0;
}

/// Asks every acknowledged payment of the partner interface, as its merchant would.
class ApiCheck {
 public:
    ApiCheck(const Stack& stack, const Journal& journal, GatewayClient& gateway)
        : stack_(stack), journal_(journal), gateway_(gateway), writer_(stack.Authority(), 1) {}

    /// The number asked for; offences are added to the report.
    Result<std::uint64_t> Run(const std::vector<Oracle::Acknowledged>& payments,
                              OracleReport& report) {
        return AwaitOn(gateway_.loop(), [&]() -> net::Task<Result<std::uint64_t>> {
            return Check(payments, report);
        });
    }

 private:
    net::Task<Result<std::uint64_t>> Check(const std::vector<Oracle::Acknowledged>& payments,
                                           OracleReport& report) {
        PopulationMaker maker(gateway_.loop(), gateway_.client(), stack_.Authority(), "verify");
        PopulationOptions options;
        options.merchants = journal_.run.merchants;
        options.first_merchant_id = journal_.run.first_merchant_id;
        options.users = 0;
        auto made = co_await maker.Run(options);
        if (!made.ok()) co_return made.status();
        std::vector<OpaSigner> signers;
        for (const Merchant& merchant : made->merchants) {
            signers.emplace_back(merchant.api_key, merchant.secret);
        }
        std::size_t next = 0;
        constexpr int kAtOnce = 64;
        int running = kAtOnce;
        net::Arrival<bool> done;
        const auto worker = [&]() -> net::Task<void> {
            while (next < payments.size()) {
                const Oracle::Acknowledged& payment = payments[next++];
                const auto merchant =
                    static_cast<std::size_t>(payment.merchant_id - journal_.run.first_merchant_id);
                co_await AskOne(payment, signers[merchant], report);
            }
            if (--running == 0) done.Set(true);
        };
        for (int i = 0; i < kAtOnce; ++i) net::Spawn(worker());
        (void)co_await done;
        co_return static_cast<std::uint64_t>(payments.size());
    }

    net::Task<void> AskOne(const Oracle::Acknowledged& payment, const OpaSigner& signer,
                           OracleReport& report) {
        std::string what;
        const SteadyInstant patience_ends = SystemClock().SteadyNow() + kPatience;
        milliseconds pause(200);
        while (true) {
            std::string request = writer_.GetCodePayment(signer, payment.key);
            Client::Reply reply = co_await gateway_.client().Ask(
                std::move(request), SystemClock().SteadyNow() + seconds(10));
            const std::size_t size = reply.body.size();
            reply.body.resize(size + Answer::kPaddingBytes);
            Answer answer;
            answer.fate = reply.fate;
            answer.status = reply.status;
            answer.reason = reply.reason;
            answer.body = std::string_view(reply.body).substr(0, size);
            CodePayment found;
            const Outcome outcome = ReadCodePayment(answer, found);
            if (outcome.verdict == Verdict::kAcknowledged) {
                if (found.status == payment.status && found.payment_id == payment.payment_id &&
                    found.amount == payment.amount) {
                    co_return;
                }
                what = found.status + " payment " + std::to_string(found.payment_id) + " of " +
                       std::to_string(found.amount) + " yen";
                break;
            }
            what = outcome.reason;
            if (outcome.verdict == Verdict::kRefused) break;
            // Told to come later, it does: reading as fast as it can is above the limit of rates.
            if (SystemClock().SteadyNow() >= patience_ends) break;
            co_await gateway_.loop().Sleep(pause);
            pause = std::min(pause * 2, milliseconds(2'000));
        }
        ++report.offences_total;
        if (report.offences.size() < OracleReport::kOffencesMax) {
            report.offences.push_back({"API_TELLS_OTHERWISE", payment.key, what});
        }
    }

    /// How long one payment is asked for while the answer is "not now".
    static constexpr seconds kPatience{60};

    const Stack& stack_;
    const Journal& journal_;
    GatewayClient& gateway_;
    RequestWriter writer_;
};

/// Whether all that moved money has reached payout and reconciliation.
bool Arrived(const std::vector<StoredPayment>& stored) {
    const auto waits = [](const StoredReturn& back) {
        return back.accruals < back.changes || back.matches < back.changes;
    };
    for (const StoredPayment& payment : stored) {
        if (payment.paid && (payment.accruals == 0 || payment.matches == 0)) return false;
        if (waits(payment.refund) || waits(payment.cancellation)) return false;
    }
    return true;
}

void ShowReport(const OracleReport& report) {
    const auto show = [](const char* name, std::uint64_t count) {
        std::fprintf(stderr, "    %-44s %llu\n", name, static_cast<unsigned long long>(count));
    };
    show("codes asked for", report.codes_asked_for);
    show("payments asked for", report.payments_asked_for);
    show("  acknowledged", report.payments_acknowledged);
    show("  refused", report.payments_refused);
    show("refunds acknowledged", report.refunds_acknowledged);
    show("cancellations acknowledged", report.cancellations_acknowledged);
    show("top-ups acknowledged", report.top_ups_acknowledged);
    show("  of these three refused", report.others_refused);
    for (const auto& [reason, count] : report.refusals) show(reason.c_str(), count);
    show("unknown outcomes", report.unknown_outcomes);
    show("retries", report.retries);
    show("retries that found a stored outcome", report.retries_that_found_an_outcome);
    show("payments stored", report.payments_stored);
    show("offences", report.offences_total);
    for (std::size_t i = 0; i < report.offences.size() && i < 50; ++i) {
        const Offence& offence = report.offences[i];
        std::fprintf(stderr, "        %s %s: %s\n", offence.kind.c_str(), offence.key.c_str(),
                     offence.what.c_str());
    }
}

int Verify(Arguments& arguments, const Stack& stack) {
    const std::string path = arguments.Text("--journal");
    const bool json = arguments.Flag("--json");
    const bool ask_api = !arguments.Flag("--no-api");
    const Duration wait = seconds(arguments.Integer("--wait-seconds", 120, 0, 3'600));
    const std::vector<double> moments = arguments.Reals("--at", 0, 9e18);
    if (Status wrong = arguments.Finish(); !wrong.ok()) return Fail(wrong);
    if (path.empty()) {
        std::fputs(kUsage, stderr);
        return 2;
    }
    auto journal = ReadJournal(path);
    if (!journal.ok()) return Fail(journal.status());
    const Oracle oracle(*journal);

    const SteadyInstant deadline = SystemClock().SteadyNow() + wait;
    auto stored = ReadStoredPayments(stack, journal->run.first_merchant_id, journal->run.merchants);
    while (stored.ok() && !Arrived(*stored) && !g_stop && SystemClock().SteadyNow() < deadline) {
        SystemClock().SleepFor(milliseconds(500));
        stored = ReadStoredPayments(stack, journal->run.first_merchant_id, journal->run.merchants);
    }
    if (!stored.ok()) return Fail(stored.status());
    const auto top_ups = ReadStoredTopUps(stack, journal->run.id + "-t");
    if (!top_ups.ok()) return Fail(top_ups.status());
    OracleReport report = oracle.Judge(*stored, *top_ups);
    std::uint64_t asked = 0;
    if (ask_api) {
        auto gateway = GatewayClient::Make(stack, 64);
        if (!gateway.ok()) return Fail(gateway.status());
        auto checked =
            ApiCheck(stack, *journal, **gateway).Run(oracle.AcknowledgedPayments(), report);
        if (!checked.ok()) return Fail(checked.status());
        asked = *checked;
    }

    std::fprintf(stderr, "verify: run %s, seed %llu\n", journal->run.id.c_str(),
                 static_cast<unsigned long long>(journal->run.seed));
    ShowReport(report);
    std::string in_flight = "[";
    for (const double at_us : moments) {
        const std::uint64_t count = oracle.InFlightAt(static_cast<std::int64_t>(at_us));
        in_flight += (in_flight.size() > 1 ? "," : "") + std::to_string(count);
        std::fprintf(stderr, "    in flight at %.0f: %llu\n", at_us,
                     static_cast<unsigned long long>(count));
    }
    in_flight += "]";
    if (json) {
        JsonLine line;
        line.Text("run", journal->run.id).Unsigned("seed", journal->run.seed);
        line.Bool("clean", report.clean());
        line.Unsigned("payments_asked_for", report.payments_asked_for);
        line.Unsigned("payments_acknowledged", report.payments_acknowledged);
        line.Unsigned("payments_refused", report.payments_refused);
        line.Unsigned("payments_stored", report.payments_stored);
        line.Unsigned("refunds_acknowledged", report.refunds_acknowledged);
        line.Unsigned("cancellations_acknowledged", report.cancellations_acknowledged);
        line.Unsigned("top_ups_acknowledged", report.top_ups_acknowledged);
        line.Unsigned("others_refused", report.others_refused);
        line.Unsigned("asked_of_the_api", asked);
        line.Unsigned("unknown_outcomes", report.unknown_outcomes);
        line.Unsigned("retries", report.retries);
        line.Unsigned("retries_that_found_an_outcome", report.retries_that_found_an_outcome);
        line.Unsigned("offences", report.offences_total);
        line.Raw("in_flight", in_flight);
        std::printf("%s\n", line.Object().c_str());
    }
    return report.clean() ? 0 : 1;
}

int Main(int count, char** values) {
    Arguments arguments(count, values);
    if (count < 2 || arguments.Flag("--help")) {
        std::fputs(kUsage, count < 2 ? stderr : stdout);
        return count < 2 ? 2 : 0;
    }
    struct sigaction action {};
    action.sa_handler = OnSignal;
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);
    const std::string command = arguments.Word();
    const std::string stack_file = arguments.Text("--stack-file");
    if (stack_file.empty()) {
        std::fputs(kUsage, stderr);
        return 2;
    }
    auto stack = Stack::Load(stack_file);
    if (!stack.ok()) return Fail(stack.status());
    if (command == "verify") return Verify(arguments, *stack);
    if (command.empty() || command == "run") return Run(arguments, *stack);
    std::fputs(kUsage, stderr);
    return 2;
}

}  // namespace
}  // namespace kessai::load

int main(int count, char** values) {
    return kessai::load::Main(count, values);
}
