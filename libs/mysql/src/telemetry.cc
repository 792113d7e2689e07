#include "kessai/mysql/telemetry.h"

#include <string>
#include <utility>
#include <vector>

#include "kessai/log/log.h"
#include "kessai/mysql/error.h"

namespace kessai::mysql {
namespace {

constexpr Duration kSlow = std::chrono::milliseconds(500);

std::vector<std::string> RefusalCodes() {
    std::vector<std::string> names;
    for (const Code code :
         {Code::kUnknown, Code::kInvalidArgument, Code::kAlreadyExists, Code::kResourceExhausted,
          Code::kFailedPrecondition, Code::kAborted, Code::kInternal, Code::kUnavailable}) {
        names.emplace_back(CodeName(code));
    }
    return names;
}

}  // namespace

QueryTelemetry::QueryTelemetry(metrics::Registry& registry)
    : seconds_(registry.AddHistogram(
          {.name = "kessai_mysql_statement_seconds", .help = "Time of a statement or round trip"},
          metrics::kLatency)),
      refused_(registry.AddCounters({.name = "kessai_mysql_statements_refused_total",
                                     .help = "Statements that the server or connection refused"},
                                    {{"code", RefusalCodes()}})) {}

void QueryTelemetry::OnQuery(std::string_view name, Duration duration, const Status& outcome) {
    seconds_.Observe(duration);
    if (!outcome.ok()) refused_.With(CodeName(outcome.code())).Add();
    if (outcome.reason() == reason::kValueOutOfRange) {
        // Mostly a compare-and-set that met another row than expected; whoever sent it knows.
        log::Warn("mysql.value_out_of_range", {{"query", name}});
    } else if (outcome.code() == Code::kInternal) {
        // Without the message: it may quote customers' data.
        log::Error("mysql.statement_refused", {{"query", name}, {"reason", outcome.reason()}});
    } else if (duration >= kSlow) {
        log::Warn("mysql.slow_statement", {{"query", name}, {"duration", duration}});
    }
}

void QueryTelemetry::OnPasswordFile(const Status& outcome) {
    if (outcome.ok()) {
        log::Info("mysql.password_renewed");
    } else {
        log::Warn("mysql.password_not_renewed", {{"status", outcome}});
    }
}

std::shared_ptr<void> ExposePool(metrics::Registry& registry, const Pool& pool,
                                 std::string_view name) {
    auto guards = std::make_shared<std::vector<std::shared_ptr<void>>>();
    const std::vector<std::pair<std::string, std::string>> labels = {{"pool", std::string(name)}};
    const auto gauge = [&](std::string_view metric, std::string_view help, auto read) {
        guards->push_back(registry.AddCallbackGauge(
            {.name = metric, .help = help, .labels = labels},
            [&pool, read] { return static_cast<double>(read(pool.stats())); }));
    };
    gauge("kessai_mysql_sessions_in_use", "Sessions that are given out",
          [](const PoolStats& stats) { return stats.in_use; });
    gauge("kessai_mysql_sessions_idle", "Sessions that wait in the pool",
          [](const PoolStats& stats) { return stats.idle; });
    gauge("kessai_mysql_session_waiters", "Callers that wait for a session",
          [](const PoolStats& stats) { return stats.waiting; });
    const auto counter = [&](std::string_view metric, std::string_view help, auto read) {
        guards->push_back(registry.AddCallbackCounter(
            {.name = metric, .help = help, .labels = labels},
            [&pool, read] { return static_cast<double>(read(pool.stats())); }));
    };
    counter("kessai_mysql_sessions_broken_total", "Sessions dropped as lost or read-only",
            [](const PoolStats& stats) { return stats.broken_total; });
    counter("kessai_mysql_pool_exhausted_total", "Callers refused because no session came free",
            [](const PoolStats& stats) { return stats.exhausted_total; });
    return guards;
}

}  // namespace kessai::mysql
