// kessai-bench: measurements on a running stack of this machine, one a sub-command. See README.md.

#include <signal.h>

#include <atomic>
#include <cstdio>
#include <string>

#include "bench/payments_bench.h"
#include "load/arguments.h"
#include "load/stack.h"

namespace kessai::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::atomic<bool> g_stop = false;

void OnSignal(int) {
    g_stop = true;
}

int Fail(const Status& status) {
    std::fprintf(stderr, "kessai-bench: %s\n", status.ToString().c_str());
    return status.reason() == "ARGUMENT_INVALID" ? 2 : 1;
}

Status CheckSettings(const std::vector<std::string>& settings) {
    for (const std::string& setting : settings) {
        bool known = false;
        for (const char* service : {"gateway:", "payment:", "payout:", "reconciliation:"}) {
            known = known || setting.starts_with(service);
        }
        if (!known || setting.find('=') == std::string::npos) {
            return {Code::kInvalidArgument, "ARGUMENT_INVALID",
                    "--set " + setting + ": write --set payment:executor.threads=2"};
        }
    }
    return OkStatus();
}

/// Fills `options`; the defaults of --quick and --short come first, so that they can be changed
/// too.
Status ReadOptions(load::Arguments& arguments, PaymentsOptions& options) {
    options.quick = arguments.Flag("--quick");
    if (options.quick) {
        options.warm_up = seconds(2);
        options.probe = seconds(5);
        options.measured = seconds(12);
        options.batch_1_executors = {16};
        options.time_max = minutes(12);
    }
    options.brief = arguments.Flag("--short");
    if (options.brief) {
        options.warm_up = seconds(6);
        options.probe = seconds(10);
        options.measured = seconds(62);
        options.batch_1_executors = {8, 16, 32};
        options.time_max = minutes(20);
    }
    const auto whole_seconds = [&](const char* name, Duration& value, int max) {
        value = seconds(arguments.Integer(name, value / seconds(1), 1, max));
    };
    options.rates = arguments.Reals("--rates", 1, 1e6);
    options.clients = static_cast<int>(arguments.Integer("--clients", 0, 0, 10'000));
    options.first_rate = arguments.Real("--first-rate", options.first_rate, 1, 1e6);
    options.max_rate = arguments.Real("--max-rate", options.max_rate, 1, 1e6);
    options.merchants =
        static_cast<int>(arguments.Integer("--merchants", options.merchants, 2, 99'999));
    options.users = static_cast<int>(arguments.Integer("--users", options.users, 2, 1'000'000));
    options.zipf_exponent = arguments.Real("--zipf", options.zipf_exponent, 0, 5);
    options.hot_share = arguments.Real("--hot-share", options.hot_share, 0.01, 0.99);
    options.think_time = milliseconds(
        arguments.Integer("--think-ms", options.think_time / milliseconds(1), 0, 60'000));
    options.timeout = milliseconds(
        arguments.Integer("--timeout-ms", options.timeout / milliseconds(1), 10, 60'000));
    options.connections =
        static_cast<int>(arguments.Integer("--connections", options.connections, 1, 10'000));
    options.loops = static_cast<int>(arguments.Integer("--loops", options.loops, 1, 8));
    options.seed = static_cast<std::uint64_t>(arguments.Integer("--seed", 1, 0, 1'000'000'000));
    whole_seconds("--warm-seconds", options.warm_up, 600);
    whole_seconds("--probe-seconds", options.probe, 600);
    whole_seconds("--seconds", options.measured, 3'600);
    options.time_max =
        minutes(arguments.Integer("--max-minutes", options.time_max / minutes(1), 1, 600));
    options.hot_merchant = !arguments.Flag("--no-hot");
    options.batch_1 = !arguments.Flag("--no-batch-1");
    options.no_restarts = arguments.Flag("--no-restarts");
    options.audit = !arguments.Flag("--no-audit");
    options.settings = arguments.Texts("--set");
    if (const auto executors = arguments.Reals("--batch-1-executors", 1, 32); !executors.empty()) {
        options.batch_1_executors.clear();
        for (const double count : executors) {
            options.batch_1_executors.push_back(static_cast<int>(count));
        }
    }
    if (!options.quick && options.measured < options.flat_window) {
        return {Code::kInvalidArgument, "ARGUMENT_INVALID",
                "--seconds must be at least 60, over which queues must be flat; or use --quick"};
    }
    return CheckSettings(options.settings);
}

constexpr char kPaymentsUsage[] =
    "payments: payments a second, as a merchant's signed POST /v2/codes and a user's payment of "
    "it\n"
    "    --quick                 short steps, to see that it works; says so in the report\n"
    "    --short                 all of it within 20 minutes: a narrower search, whole flat "
    "windows\n"
    "    --rates A,B,C           these offered rates, instead of a search\n"
    "    --clients N             a closed loop instead: what a payment costs when all is busy\n"
    "    --first-rate R --max-rate R                     where the search begins and ends\n"
    "    --merchants N --users N --zipf S --hot-share P  who takes part (1000, 20000, 1.0, 0.5)\n"
    "    --think-ms MS --timeout-ms MS                   (1000, 10000)\n"
    "    --connections N --loops N --seed N              of the load generator (256, 1, 1)\n"
    "    --warm-seconds S --probe-seconds S --seconds S  of a step: before, searching, counting\n"
    "    --no-hot --no-batch-1 --batch-1-executors A,B   which scenarios\n"
    "    --set SERVICE:PATH=VALUE                        measure with this setting\n"
    "    --no-restarts --no-audit --max-minutes M --json\n";

int Payments(load::Arguments& arguments, const load::Stack& stack) {
    const bool json = arguments.Flag("--json");
    PaymentsOptions options;
    Status wrong = ReadOptions(arguments, options);
    if (wrong.ok()) wrong = arguments.Finish();
    if (!wrong.ok()) return Fail(wrong);
    auto report = MeasurePayments(stack, options, g_stop);
    if (!report.ok()) return Fail(report.status());
    Show(*report, options);
    if (json) std::printf("%s\n", ToJson(*report, options).c_str());
    return report->valid() ? 0 : 1;
}

struct SubCommand {
    const char* name;
    int (*run)(load::Arguments& arguments, const load::Stack& stack);
    const char* usage;
};

constexpr SubCommand kSubCommands[] = {
    {"payments", Payments, kPaymentsUsage},
};

int Usage(std::FILE* to) {
    std::fputs("kessai-bench --stack-file FILE SUB-COMMAND …, or ./kessai bench SUB-COMMAND …\n",
               to);
    for (const SubCommand& command : kSubCommands) std::fputs(command.usage, to);
    return to == stderr ? 2 : 0;
}

int Main(int count, char** values) {
    load::Arguments arguments(count, values);
    const std::string stack_file = arguments.Text("--stack-file");
    if (arguments.Flag("--help")) return Usage(stdout);
    const std::string name = arguments.Word();
    for (const SubCommand& command : kSubCommands) {
        if (name != command.name) continue;
        if (stack_file.empty()) return Usage(stderr);
        struct sigaction action {};
        action.sa_handler = OnSignal;
        sigaction(SIGTERM, &action, nullptr);
        sigaction(SIGINT, &action, nullptr);
        auto stack = load::Stack::Load(stack_file);
        if (!stack.ok()) return Fail(stack.status());
        return command.run(arguments, *stack);
    }
    return Usage(stderr);
}

}  // namespace
}  // namespace kessai::bench

int main(int count, char** values) {
    return kessai::bench::Main(count, values);
}
