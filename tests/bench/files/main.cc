// kessai-files-bench: how fast merchants' files are made. See README.md.
//
// `./kessai bench files` starts MariaDB for it, and tells it in its environment where that is:
// KESSAI_BENCH_MYSQL=mysql://user:password@host:port/schema (payment's), KESSAI_BENCH_MYSQL_ROOT
// (the administrator, who may write files on the server), KESSAI_BENCH_FOLDER (an empty folder).

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "bench/files/files_side.h"
#include "bench/files/payment_side.h"
#include "bench/release/process_memory.h"
#include "bench/surroundings.h"
#include "kessai/mysql/session.h"
#include "load/arguments.h"

namespace kessai::bench {
namespace {

constexpr char kUsage[] =
    "./kessai bench files: rows a second into merchants' files, on a MariaDB of its own\n"
    "    --rows N          rows of a day (10000000)\n"
    "    --shape one|many|both   one merchant with all of them, or one merchant a hundred (both)\n"
    "    --threads N       (one a core)\n"
    "    --at-once N       merchants whose files are written at a time (32)\n"
    "    --memory MIB      for rows before they go to the disk (256)\n"
    "    --made-only       rows that are made by the bench: the sorting and writing alone\n"
    "    --loaded          the days are in the tables already, of a run with the same options\n";

constexpr char kServe[] = "--serve-payment";
constexpr std::int64_t kRowsPerSmallMerchant = 100;
const BusinessDate kDay = BusinessDate::FromNumber(20261102).value();

constexpr mysql::Query kVersion{"bench.version",
                                "SELECT VERSION(), @@innodb_buffer_pool_size, "
                                "@@secure_file_priv, @@pid_file"};

struct Options {
    std::int64_t rows = 10'000'000;
    std::string shape;
    int threads = 2;
    int merchants_at_once = 32;
    std::size_t memory_max = 0;
    bool made_only = false;
    bool loaded = false;
};

double Seconds(const std::function<void()>& work) {
    const SteadyInstant begin = SystemClock().SteadyNow();
    work();
    return std::chrono::duration<double>(SystemClock().SteadyNow() - begin).count();
}

double CpuSecondsOf(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    std::getline(file, text);
    // Behind the program's name, which is in parentheses: user and system time are the 12th and
    // 13th.
    std::istringstream rest(text.substr(std::min(text.size(), text.rfind(')') + 1)));
    std::string skipped;
    for (int i = 0; i < 11; ++i) rest >> skipped;
    double user = 0;
    double system = 0;
    rest >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::int64_t PeakMibOf(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("VmHWM:")) return std::atoll(line.c_str() + 6) / 1'024;
    }
    return 0;
}

/// Payment in a process of its own, by this program.
class PaymentProcess {
 public:
    Status Start() {
        int to_child[2];
        int from_child[2];
        if (::pipe(to_child) != 0 || ::pipe(from_child) != 0) return Failed("pipe");
        pid_ = ::fork();
        if (pid_ < 0) return Failed("fork");
        if (pid_ == 0) {
            ::dup2(to_child[0], 0);
            ::dup2(from_child[1], 1);
            for (const int end : {to_child[0], to_child[1], from_child[0], from_child[1]}) {
                ::close(end);
            }
            ::execl("/proc/self/exe", "kessai-files-bench", kServe, nullptr);
            ::_exit(127);
        }
        ::close(to_child[0]);
        ::close(from_child[1]);
        input_ = to_child[1];
        FILE* output = ::fdopen(from_child[0], "r");
        const bool told = std::fscanf(output, "%d", &port_) == 1;
        std::fclose(output);
        return told ? OkStatus() : Failed("payment");
    }
    ~PaymentProcess() {
        if (pid_ <= 0) return;
        ::close(input_);
        ::waitpid(pid_, nullptr, 0);
    }
    int port() const { return port_; }
    pid_t pid() const { return pid_; }

 private:
    static Status Failed(const std::string& what) {
        return Status(Code::kInternal, "START_FAILED", what + " did not start");
    }
    pid_t pid_ = 0;
    int input_ = -1;
    int port_ = 0;
};

class FilesBench {
 public:
    explicit FilesBench(Options options) : options_(std::move(options)) {}

    Status Run() {
        folder_ =
            std::getenv("KESSAI_BENCH_FOLDER") == nullptr ? "" : std::getenv("KESSAI_BENCH_FOLDER");
        if (folder_.empty() || !std::filesystem::is_directory(folder_)) {
            return Status(Code::kInvalidArgument, "ARGUMENT_INVALID",
                          "KESSAI_BENCH_FOLDER is no folder: run it by ./kessai bench files");
        }
        std::filesystem::create_directory(folder_ + "/work");
        PrintMachine();
        if (!options_.made_only) KESSAI_RETURN_IF_ERROR(Connect());
        std::printf("\n%-34s %10s %12s %9s %9s %26s %10s\n", "", "s", "rows/s", "reading s", "MB/s",
                    "CPU us/row: files, payment, DB", "peak MiB");
        if (options_.shape != "many") KESSAI_RETURN_IF_ERROR(RunShape("one file", 1, kDay));
        if (options_.shape != "one") {
            const std::int64_t merchants =
                std::max<std::int64_t>(1, options_.rows / kRowsPerSmallMerchant);
            KESSAI_RETURN_IF_ERROR(
                RunShape(std::to_string(merchants) + " files", merchants, kDay.Next()));
        }
        return OkStatus();
    }

 private:
    void PrintMachine() const {
        const Machine machine = DescribeMachine();
        std::printf("%lld rows; %d threads, %zu MiB for rows; %d cores of %s, %.0f GiB, %s\n",
                    static_cast<long long>(options_.rows), options_.threads,
                    options_.memory_max >> 20, machine.cores, machine.model.c_str(),
                    machine.memory_gib, machine.kernel.c_str());
        std::printf(
            "plain text over loopback, partner layout (Shift_JIS CSV) with SHA-256, each "
            "file flushed to the disk\n");
    }

    Status Connect() {
        for (const auto& [name, to] : {std::pair{"KESSAI_BENCH_MYSQL", &service_},
                                       std::pair{"KESSAI_BENCH_MYSQL_ROOT", &root_}}) {
            const char* url = std::getenv(name);
            KESSAI_ASSIGN_OR_RETURN(*to, mysql::ConnectOptions::Parse(url == nullptr ? "" : url));
            to->read_timeout = std::chrono::minutes(30);
            // A day is loaded between two statements.
            to->wait_timeout_s = 3'600;
        }
        root_.schema = service_.schema;
        KESSAI_ASSIGN_OR_RETURN(admin_, mysql::Session::Connect(root_));
        KESSAI_ASSIGN_OR_RETURN(auto about, admin_->Select(kVersion));
        if (!about.Next()) return Status(Code::kInternal, "NO_ANSWER", "the server is silent");
        std::printf("MariaDB %s, buffer pool %lld MiB\n", about.Text(0).c_str(),
                    static_cast<long long>(about.Int(1) >> 20));
        outfiles_ = about.OptionalText(2).value_or("");
        std::ifstream(about.Text(3)) >> server_;
        KESSAI_RETURN_IF_ERROR(MigratePayment(service_));
        return payment_.Start();
    }

    Status RunShape(const std::string& name, std::int64_t merchants, BusinessDate day) {
        KESSAI_RETURN_IF_ERROR(Measure("made rows, " + name, merchants, day, std::nullopt));
        if (options_.made_only) return OkStatus();
        KESSAI_RETURN_IF_ERROR(Load({day, options_.rows, merchants}));
        // Once without a figure, so that all find the same pages in memory. The table has this day
        // and the bench's other one, so that reading all of it flatters the server.
        KESSAI_RETURN_IF_ERROR(SelectIntoOutfile(day, "PRIMARY").status());
        KESSAI_ASSIGN_OR_RETURN(const double by_day, SelectIntoOutfile(day, "by_day"));
        PrintOutfile("OUTFILE, by the day's index", by_day);
        KESSAI_ASSIGN_OR_RETURN(const double outfile, SelectIntoOutfile(day, "PRIMARY"));
        PrintOutfile("OUTFILE, the whole table", outfile);
        KESSAI_ASSIGN_OR_RETURN(const double seconds, Measure("payment's rows, " + name, merchants,
                                                              day, payment_.port()));
        std::printf(
            "    %.2f x and %.2f x the time of SELECT … INTO OUTFILE (one file, not sorted, "
            "not formatted, not flushed)\n",
            seconds / by_day, seconds / outfile);
        return OkStatus();
    }

    Status Load(const FilesDay& day) {
        if (options_.loaded) return LoadFilesMerchants(service_, day);
        Status loaded;
        const double seconds =
            Seconds([&] { loaded = LoadFilesDay(service_, day, options_.threads); });
        KESSAI_RETURN_IF_ERROR(loaded);
        std::printf("(loading the day took %.0f s)\n", seconds);
        return OkStatus();
    }

    Result<double> Measure(const std::string& what, std::int64_t merchants, BusinessDate day,
                           std::optional<int> port) {
        // Kept until the end: ext4 looks long for a free inode where many were deleted in the last
        // minutes.
        const std::string target = folder_ + "/files-" + std::to_string(measured_++);
        std::filesystem::create_directory(target);
        FilesTask task{.date = day,
                       .payment_port = port,
                       .rows = options_.rows,
                       .merchants = merchants,
                       .folder = target,
                       .work_folder = folder_ + "/work",
                       .memory_max = options_.memory_max,
                       .threads = options_.threads,
                       .merchants_at_once = options_.merchants_at_once};
        ForgetPeakMemory();
        const double own = CpuSecondsOfThisProcess();
        const double payment = port ? CpuSecondsOf(payment_.pid()) : 0;
        const double server = port ? CpuSecondsOf(server_) : 0;
        KESSAI_ASSIGN_OR_RETURN(const FilesMade made, MakeFilesOnce(task));
        const auto rows = static_cast<double>(options_.rows);
        const auto micros = [&](double seconds) { return seconds * 1e6 / rows; };
        std::printf("%-34s %10.2f %12.0f %9.2f %9.1f %10.2f %7.2f %7.2f %10lld", what.c_str(),
                    made.seconds, rows / made.seconds, made.read_seconds,
                    static_cast<double>(made.bytes) / 1e6 / made.seconds,
                    micros(CpuSecondsOfThisProcess() - own),
                    port ? micros(CpuSecondsOf(payment_.pid()) - payment) : 0,
                    port ? micros(CpuSecondsOf(server_) - server) : 0,
                    static_cast<long long>(PeakMemoryMib()));
        if (port) {
            std::printf(" (payment %lld)", static_cast<long long>(PeakMibOf(payment_.pid())));
        }
        std::printf("\n");
        std::fflush(stdout);
        if (made.rows != options_.rows || made.files != merchants) {
            return Status(
                Code::kDataLoss, "RESULT_WRONG",
                std::to_string(made.rows) + " rows in " + std::to_string(made.files) + " files");
        }
        return made.seconds;
    }

    /// The columns that a file has, as the server has them.
    Result<double> SelectIntoOutfile(BusinessDate day, const std::string& index) {
        const std::string path = outfiles_ + "/day.csv";
        std::filesystem::remove(path);
        const std::string sql =
            "SELECT object_id, j.merchant_id, m.name, store_id, terminal_id, kind, "
            "occurred_at_us, amount, order_receipt_number, merchant_payment_id INTO OUTFILE '" +
            path +
            "' FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' FROM journal AS j FORCE INDEX "
            "(" +
            index +
            ") JOIN merchant AS m ON m.merchant_id = j.merchant_id WHERE business_date = '" +
            day.ToString() + "'";
        Status status;
        const double seconds = Seconds([&] {
            status = admin_->Execute(mysql::Query{"bench.outfile", sql}).status();
        });
        KESSAI_RETURN_IF_ERROR(status);
        outfile_bytes_ = static_cast<std::int64_t>(std::filesystem::file_size(path));
        std::filesystem::remove(path);
        return seconds;
    }
    void PrintOutfile(const char* what, double seconds) const {
        std::printf("%-34s %10.2f %12.0f %9s %9.1f\n", what, seconds,
                    static_cast<double>(options_.rows) / seconds, "",
                    static_cast<double>(outfile_bytes_) / 1e6 / seconds);
    }

    const Options options_;
    std::string folder_;
    mysql::ConnectOptions service_;
    mysql::ConnectOptions root_;
    std::unique_ptr<mysql::Session> admin_;
    std::string outfiles_;
    std::int64_t outfile_bytes_ = 0;
    int measured_ = 0;
    pid_t server_ = 0;
    PaymentProcess payment_;
};

int Fail(const Status& status) {
    std::fprintf(stderr, "kessai-files-bench: %s\n", status.ToString().c_str());
    return status.reason() == "ARGUMENT_INVALID" ? 2 : 1;
}

int Main(int argc, char** argv) {
    load::Arguments arguments(argc, argv);
    if (arguments.Flag("--help") || arguments.Flag("-h")) {
        std::fputs(kUsage, stdout);
        return 0;
    }
    if (arguments.Flag(kServe)) {
        const char* url = std::getenv("KESSAI_BENCH_MYSQL");
        const auto connect = mysql::ConnectOptions::Parse(url == nullptr ? "" : url);
        return connect.ok() ? ServePayment(*connect) : Fail(connect.status());
    }
    Options options;
    options.rows = arguments.Integer("--rows", options.rows, 1, 1'000'000'000);
    options.shape = arguments.Text("--shape", "both");
    options.threads =
        static_cast<int>(arguments.Integer("--threads", DescribeMachine().cores, 1, 64));
    options.merchants_at_once = static_cast<int>(arguments.Integer("--at-once", 32, 1, 1'024));
    options.memory_max = static_cast<std::size_t>(arguments.Integer("--memory", 256, 4, 1'000'000))
                         << 20;
    options.made_only = arguments.Flag("--made-only");
    options.loaded = arguments.Flag("--loaded");
    if (const Status status = arguments.Finish(); !status.ok()) return Fail(status);
    if (options.shape != "one" && options.shape != "many" && options.shape != "both") {
        return Fail(Status(Code::kInvalidArgument, "ARGUMENT_INVALID",
                           "--shape " + options.shape + ": one, many or both"));
    }
    const Status status = FilesBench(options).Run();
    return status.ok() ? 0 : Fail(status);
}

}  // namespace
}  // namespace kessai::bench

int main(int argc, char** argv) {
    return kessai::bench::Main(argc, argv);
}
