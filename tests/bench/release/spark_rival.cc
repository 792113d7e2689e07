#include "bench/release/spark_rival.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "bench/release/measured_payout.h"
#include "load/command.h"

namespace kessai::bench {
namespace {

constexpr std::string_view kReleases = "bench_spark_release";
constexpr Duration kEndsWithin = std::chrono::hours(1);
constexpr std::size_t kSaidMax = 2'000;

Status Failed(const std::string& what) {
    return {Code::kUnavailable, "SPARK_FAILED", "the job on Spark " + what};
}

/// A folder that nobody else reads, with all that is in it, while this lives.
class ScratchFolder {
 public:
    ScratchFolder() {
        std::string path = std::filesystem::temp_directory_path() / "kessai-spark-XXXXXX";
        if (::mkdtemp(path.data()) != nullptr) path_ = path;
    }
    ~ScratchFolder() {
        std::error_code ignored;
        if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }

 private:
    std::filesystem::path path_;
};

/// What the job has measured: a name and seconds a line.
Result<std::map<std::string, double>> ReadTimes(const std::filesystem::path& file) {
    std::map<std::string, double> times;
    std::ifstream lines(file);
    std::string name;
    for (double seconds = 0; lines >> name >> seconds;) times[name] = seconds;
    for (const char* needed :
         {"started", "released", "recounted", "parquet_cold", "parquet_warm"}) {
        if (!times.contains(needed)) return Failed(std::string("does not tell of ") + needed);
    }
    return times;
}

}  // namespace

Result<Contender> SparkRival::Run(const Contest& contest) {
    KESSAI_ASSIGN_OR_RETURN(auto session, contest.pool.Acquire(kSessionWithin));
    const std::string releases(kReleases);
    KESSAI_RETURN_IF_ERROR(MakeScratchTable(*session, releases, "merchant_release"));

    const ScratchFolder scratch;
    if (scratch.path().empty()) return Failed("has no folder of its own");
    const std::filesystem::path password = scratch.path() / "password";
    const std::filesystem::path times_file = scratch.path() / "times";
    std::ofstream(password) << connect_.password << '\n';
    std::vector<std::string> command = command_;
    const std::string url = "jdbc:mysql://" + connect_.host + ":" + std::to_string(connect_.port) +
                            "/" + connect_.schema;
    command.insert(command.end(),
                   {"--day", contest.day.ToString(), "--jdbc-url", url, "--user", connect_.user,
                    "--password-file", password, "--releases", releases, "--parquet",
                    scratch.path() / "accruals", "--times", times_file});
    KESSAI_ASSIGN_OR_RETURN(const load::CommandOutput output,
                            load::RunCommand(command, kEndsWithin));
    if (output.exit_code != 0) {
        const std::size_t from = output.text.size() - std::min(output.text.size(), kSaidMax);
        return Failed("ended with " + std::to_string(output.exit_code) + ": " +
                      output.text.substr(from));
    }
    KESSAI_ASSIGN_OR_RETURN(auto times, ReadTimes(times_file));

    Contender result{.name = std::string(name()), .what = "Apache Spark local[2], over JDBC"};
    result.seconds = times["released"];
    result.also = {{"without_writing", times["recounted"]}, {"parquet", times["parquet_warm"]}};
    char note[256];
    std::snprintf(
        note, sizeof(note),
        "and %.2f s to start; without writing back %.2f s, of Parquet %.2f s, warm %.2f s",
        times["started"], times["recounted"], times["parquet_cold"], times["parquet_warm"]);
    result.note = note;
    KESSAI_ASSIGN_OR_RETURN(result.equal, HoldTheSame(*session, contest.day, releases));
    KESSAI_RETURN_IF_ERROR(RunSql(*session, "DROP TABLE " + releases));
    return result;
}

}  // namespace kessai::bench
