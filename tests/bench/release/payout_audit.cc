#include "bench/release/payout_audit.h"

#include <filesystem>

#include "bench/release/measured_payout.h"
#include "checks/merchant_day_pass.h"
#include "checks/payout_books.h"
#include "kessai/digest/row_hash.h"
#include "report.h"
#include "source/snapshot.h"
#include "spill/spill_space.h"

namespace kessai::bench {
namespace {

constexpr std::size_t kSorterBytes = std::size_t{256} << 20;
// Digests are not compared here: any key does.
constexpr digest::RowHasher::Key kNoKey{};

void Tell(const audit::Report& report, PayoutAudit& result) {
    for (int i = 0; i < audit::kInvariants; ++i) {
        const auto invariant = static_cast<audit::Invariant>(i);
        const audit::Report::Part& part = report.part(invariant);
        const std::string name(audit::NameOf(invariant));
        for (const auto& [what, count] : part.looked_at) {
            result.looked_at.push_back(std::to_string(count) + " " + std::string(what));
        }
        for (const audit::Report::Kind& kind : part.kinds) {
            const audit::Finding& first = kind.examples.front();
            result.found.push_back(name + " " + std::string(kind.what) + ": " +
                                   std::to_string(kind.count) + ", " +
                                   audit::ToText(first.subject) + ": expected " + first.expected +
                                   ", found " + first.found);
        }
    }
}

}  // namespace

Result<PayoutAudit> AuditPayout(const mysql::ConnectOptions& connect) {
    const SteadyInstant start = SystemClock().SteadyNow();
    const audit::SpillSpace space(std::filesystem::temp_directory_path().string(), kSorterBytes);
    audit::Report report;
    KESSAI_ASSIGN_OR_RETURN(const audit::Snapshot snapshot,
                            audit::Snapshot::Open(connect, SystemClock()));
    KESSAI_ASSIGN_OR_RETURN(audit::PayoutBooks books,
                            audit::ReadPayoutBooks(snapshot.session(), space,
                                                   digest::RowHasher(kNoKey), kPartitions, report));
    KESSAI_RETURN_IF_ERROR(audit::PassOverMerchantDays(
        {.payout = snapshot.session(), .payout_books = books}, space, report));
    PayoutAudit result;
    Tell(report, result);
    result.seconds = std::chrono::duration<double>(SystemClock().SteadyNow() - start).count();
    return result;
}

}  // namespace kessai::bench
