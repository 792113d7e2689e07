#include "bench/recon/upkeep.h"

#include <sys/resource.h>

#include <algorithm>
#include <vector>

#include "kessai/digest/accumulator.h"
#include "kessai/digest/store.h"
#include "kessai/mysql/transaction.h"

namespace kessai::bench {
namespace {

// Nobody's: no books have begun then.
const BusinessDate kDay = BusinessDate::FromNumber(19700102).value();
constexpr int kBatchesPerTransaction = 16;
constexpr std::int64_t kFirstPayment = 7'000'000'000'000;

double CpuSeconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Some rows of each writer, of its own buckets.
std::vector<std::vector<digest::Row>> RowsByWriter(const UpkeepRecipe& recipe) {
    std::vector<std::vector<digest::Row>> rows(static_cast<std::size_t>(recipe.writers));
    std::size_t full = 0;
    for (std::int64_t payment = kFirstPayment; full < rows.size(); ++payment) {
        auto& of = rows[static_cast<std::size_t>(digest::BucketOf(payment) % recipe.writers)];
        if (of.size() == static_cast<std::size_t>(recipe.batch)) continue;
        of.push_back({payment, 1, kDay, 10'000'000 + payment % 1'000, 100 + payment % 30'000});
        if (of.size() == static_cast<std::size_t>(recipe.batch)) ++full;
    }
    return rows;
}

}  // namespace

Result<Upkeep> KeepDigests(const mysql::ConnectOptions& connect, const UpkeepRecipe& recipe,
                           const digest::RowHasher& hasher) {
    KESSAI_ASSIGN_OR_RETURN(const auto session, mysql::Session::Connect(connect));
    const auto rows = RowsByWriter(recipe);
    const double begin = CpuSeconds();
    Upkeep upkeep;
    digest::Accumulator sums(hasher);
    std::size_t writer = 0;
    while (upkeep.rows < recipe.rows) {
        KESSAI_ASSIGN_OR_RETURN(auto transaction, mysql::Transaction::Begin(*session));
        for (int batch = 0; batch < kBatchesPerTransaction; ++batch) {
            for (const digest::Row& row : rows[writer]) sums.Add(row);
            KESSAI_RETURN_IF_ERROR(digest::AddToDay(*session, sums, static_cast<int>(writer)));
            sums.Clear();
            upkeep.rows += recipe.batch;
            writer = (writer + 1) % rows.size();
        }
        KESSAI_RETURN_IF_ERROR(transaction.Commit());
    }
    upkeep.client_cpu_seconds = CpuSeconds() - begin;
    KESSAI_RETURN_IF_ERROR(digest::RemoveDay(*session, kDay));
    return upkeep;
}

}  // namespace kessai::bench
