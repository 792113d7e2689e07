#pragma once

#include <memory>
#include <string_view>

#include "kessai/metrics/registry.h"
#include "kessai/mysql/pool.h"
#include "kessai/mysql/session.h"

namespace kessai::mysql {

/// Every statement as a metric, and those that are slow or permanently refused as a log line with
/// the query's name; renewed passwords as log lines. Link kessai_mysql_telemetry. Thread safe.
class QueryTelemetry final : public QueryObserver {
 public:
    explicit QueryTelemetry(metrics::Registry& registry);
    void OnQuery(std::string_view name, Duration duration, const Status& outcome) override;
    void OnPasswordFile(const Status& outcome) override;

 private:
    metrics::Histogram& seconds_;
    metrics::Counters refused_;
};

/// Shows the pool's counts at each scrape, with the label `pool`, until the returned guard goes.
/// `pool` must outlive it.
[[nodiscard]] std::shared_ptr<void> ExposePool(metrics::Registry& registry, const Pool& pool,
                                               std::string_view name = "main");

}  // namespace kessai::mysql
