// What a merchant's file costs a row, beside the reading of its rows: run by hand, see README.md.
//
//     file_bench [rows]
//
// Prints rows and bytes a second and the peak memory of the shipped layouts over made rows, plain
// and packed, and the machine.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "domain/file_sources.h"
#include "kessai/filetemplate/writer.h"
#include "tests/made_transactions.h"

namespace kessai::reconciliation {
namespace {

constexpr std::size_t kDifferentRows = 1'000;

class Discard final : public filetemplate::FileSink {
 public:
    Status Begin(const std::string&) override { return OkStatus(); }
    Status Write(std::string_view) override { return OkStatus(); }
    Status End(const filetemplate::WrittenFile& written) override {
        text_bytes = written.text_bytes;
        bytes = written.bytes;
        return OkStatus();
    }

    std::uint64_t text_bytes = 0;
    std::uint64_t bytes = 0;
};

double CpuSeconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

long PeakMemoryKib() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

std::string Processor() {
    std::ifstream about("/proc/cpuinfo");
    for (std::string line; std::getline(about, line);) {
        if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
    }
    return "unknown processor";
}

/// Texts live in the deque of ids.
std::vector<MadeTransaction::Values> Rows(bool is_captured_later,
                                          std::vector<std::string>& order_ids) {
    std::vector<MadeTransaction::Values> rows;
    for (std::size_t i = 0; i < kDifferentRows; ++i) {
        order_ids.push_back(std::to_string(1'234'567'890'123'456'000 + i));
    }
    for (std::size_t i = 0; i < kDifferentRows; ++i) {
        MadeTransaction row;
        row.order_id = order_ids[i];
        row.accepted_at_us += static_cast<std::int64_t>(i) * 83'000'000;
        row.amount = static_cast<std::int64_t>(i * 7'919 % 30'000 + 1);
        row.methods = 1 + i % 3 * 8;
        if (i % 20 == 0) row.status = TransactionStatus::kRefunded;
        row.is_captured_later = is_captured_later;
        rows.push_back(row.Row());
    }
    return rows;
}

void Run(const char* name, const std::string& yaml, bool is_captured_later, std::uint64_t count) {
    const auto parsed = filetemplate::Template::Parse(yaml, FileSources());
    KESSAI_CHECK(parsed.ok(), parsed.status().ToString());
    std::vector<std::string> order_ids;
    const auto rows = Rows(is_captured_later, order_ids);
    filetemplate::FileContext context;
    context.merchant_id = "287654321";
    context.date = BusinessDate::FromNumber(20200130).value();
    context.period = parsed->PeriodOf(context.date);
    Discard sink;
    const double cpu = CpuSeconds();
    const auto begin = std::chrono::steady_clock::now();
    filetemplate::Writer writer(*parsed, context, sink);
    for (std::uint64_t i = 0; i < count; ++i) {
        const Status status = writer.Append(rows[i % kDifferentRows]);
        KESSAI_CHECK(status.ok(), status.ToString());
    }
    const Status status = writer.Finish();
    KESSAI_CHECK(status.ok(), status.ToString());
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    const double used = CpuSeconds() - cpu;
    const auto rows_written = static_cast<double>(count);
    std::printf("%-22s %10.0f rows/s %8.0f rows/s of CPU %6.0f B/row %6.0f B/row stored\n", name,
                rows_written / took.count(), rows_written / used,
                static_cast<double>(sink.text_bytes) / rows_written,
                static_cast<double>(sink.bytes) / rows_written);
}

std::string With(std::string_view yaml, std::string_view more) {
    return std::string(yaml) + std::string(more);
}

}  // namespace
}  // namespace kessai::reconciliation

int main(int argc, char** argv) {
    using namespace kessai::reconciliation;  // NOLINT
    const std::uint64_t rows = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
    std::printf("%llu rows; %s, %u threads of it\n", static_cast<unsigned long long>(rows),
                Processor().c_str(), std::thread::hardware_concurrency());
    Run("instant", With(InstantTemplate(), ""), false, rows);
    Run("instant, gzip", With(InstantTemplate(), "  compression: gzip\n"), false, rows);
    Run("capture later", With(CaptureLaterTemplate(), ""), true, rows);
    Run("capture later, zip", With(CaptureLaterTemplate(), "  compression: zip\n"), true, rows);
    std::printf("peak memory %ld KiB\n", PeakMemoryKib());
    return 0;
}
