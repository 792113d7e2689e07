// kessai-release-bench: how long the release of a day takes. See README.md.
//
// `./kessai bench release` starts the servers for it, and tells it in its environment where they
// are: KESSAI_BENCH_MYSQL=mysql://user:password@host:port/schema, KESSAI_BENCH_KAFKA=host:port, and
// how a job is submitted to Spark: KESSAI_BENCH_SPARK, a word a line.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "bench/release/release_bench.h"
#include "load/arguments.h"

namespace kessai::bench {
namespace {

constexpr char kUsage[] =
    "./kessai bench release: seconds from a closed day to all of it released\n"
    "    --accruals N --merchants M    the day (15000000, a fifth of the accruals)\n"
    "    --skew zipf|uniform|half      how payments fall to merchants (zipf)\n"
    "    --bulk                        made straight in the tables, not through Kafka\n"
    "    --short                       a million accruals, and a smaller sample of the old design\n"
    "    --threads N --seed N          (one a core, 1)\n"
    "    --old-sample N                merchants that the old design really releases (4000)\n"
    "    --no-rivals                   only the release\n"
    "    --later-day                   merchants have a balance of the cycle before; without "
    "rivals\n"
    "    --damage N                    N places of the closed day are damaged: who is held back,\n"
    "                                  and what only the deep run finds; without rivals\n"
    "    --kills N                     then the release once more, killed at N random points and\n"
    "                                  resumed each time: the same rows; without rivals\n"
    "    --spark                       Apache Spark local[2] among the rivals (fetched first, 900 "
    "MB)\n"
    "    --json                        and a JSON object as the last line\n";

constexpr char kOnlyRelease[] = "--only-release";
const BusinessDate kDay = BusinessDate::FromNumber(20261102).value();

int Fail(const Status& status) {
    std::fprintf(stderr, "kessai-release-bench: %s\n", status.ToString().c_str());
    return status.reason() == "ARGUMENT_INVALID" ? 2 : 1;
}

Status Refused(const std::string& what) {
    return Status(Code::kInvalidArgument, "ARGUMENT_INVALID", what);
}

/// Nothing when it was not started for that.
std::vector<std::string> SparkCommand() {
    const char* words = std::getenv("KESSAI_BENCH_SPARK");
    std::vector<std::string> command;
    std::istringstream lines(words == nullptr ? "" : words);
    for (std::string word; std::getline(lines, word);) command.push_back(word);
    return command;
}

Status ReadOptions(load::Arguments& arguments, ReleaseOptions& options) {
    const bool brief = arguments.Flag("--short");
    if (brief) options.old_sample = 1'000;
    DayRecipe& recipe = options.recipe;
    recipe.day = kDay;
    recipe.accruals =
        arguments.Integer("--accruals", brief ? 1'000'000 : 15'000'000, 1, 1'000'000'000);
    recipe.merchants = arguments.Integer(
        "--merchants", std::max<std::int64_t>(1, recipe.accruals / 5), 1, 500'000'000);
    recipe.seed = static_cast<std::uint64_t>(arguments.Integer("--seed", 1, 0, 1'000'000'000));
    const std::string skew = arguments.Text("--skew", NameOf(recipe.skew));
    options.bulk = arguments.Flag("--bulk");
    options.threads =
        static_cast<int>(arguments.Integer("--threads", DescribeMachine().cores, 1, 64));
    options.old_sample = arguments.Integer("--old-sample", options.old_sample, 1, 10'000'000);
    options.rivals = !arguments.Flag("--no-rivals");
    options.later_day = arguments.Flag("--later-day");
    options.damage = static_cast<int>(arguments.Integer("--damage", 0, 1, 10'000));
    options.kills = static_cast<int>(arguments.Integer("--kills", 0, 1, 1'000));
    const bool spark = arguments.Flag("--spark");
    if (spark) options.spark_command = SparkCommand();
    KESSAI_RETURN_IF_ERROR(arguments.Finish());
    if (spark && options.spark_command.empty()) {
        return Refused("--spark: run it by ./kessai bench release, which fetches Spark");
    }
    const auto known = SkewOf(skew);
    if (!known) return Refused("--skew " + skew + ": zipf, uniform or half");
    recipe.skew = *known;
    if ((options.damage > 0) + (options.kills > 0) + options.later_day > 1) {
        return Refused("--damage, --kills and --later-day are runs of their own");
    }
    if (recipe.merchants > recipe.accruals) {
        return Refused("--merchants: every merchant has an accrual, so at most --accruals");
    }
    return OkStatus();
}

int Main(int count, char** values) {
    load::Arguments arguments(count, values);
    if (arguments.Flag("--help")) {
        std::fputs(kUsage, stdout);
        return 0;
    }
    const bool json = arguments.Flag("--json");
    // How it starts itself for --kills.
    const bool only_release = arguments.Flag(kOnlyRelease);
    ReleaseOptions options;
    if (const Status wrong = ReadOptions(arguments, options); !wrong.ok()) return Fail(wrong);
    const char* mysql = std::getenv("KESSAI_BENCH_MYSQL");
    const char* kafka = std::getenv("KESSAI_BENCH_KAFKA");
    if (mysql == nullptr || (kafka == nullptr && !options.bulk)) {
        return Fail(Refused("run it by ./kessai bench release, which starts its servers"));
    }
    const auto connect = mysql::ConnectOptions::Parse(mysql);
    if (!connect.ok()) return Fail(connect.status());
    if (only_release) {
        const Status done = ReleaseWaiting(*connect, kDay, options.threads);
        return done.ok() ? 0 : Fail(done);
    }
    options.releaser = {"/proc/self/exe", kOnlyRelease, "--bulk", "--threads",
                        std::to_string(options.threads)};
    if (kafka != nullptr) options.brokers = kafka;
    options.tell = [](const std::string& line) {
        std::printf("  … %s\n", line.c_str());
        std::fflush(stdout);
    };
    const auto report = MeasureRelease(options, *connect);
    if (!report.ok()) return Fail(report.status());
    std::fputs(("\n" + ToText(*report)).c_str(), stdout);
    if (json) std::printf("%s\n", ToJson(*report).c_str());
    return report->wrong.empty() ? 0 : 1;
}

}  // namespace
}  // namespace kessai::bench

int main(int count, char** values) {
    return kessai::bench::Main(count, values);
}
