#pragma once

#include <memory>

#include "app/batch_executor.h"
#include "kessai/metrics/registry.h"

namespace kessai::payment::transport {

/// What executors do, as metrics. Thread safe.
class ExecutorMetrics final : public app::ExecutorObserver {
 public:
    explicit ExecutorMetrics(metrics::Registry& registry);

    void OnBatch(std::size_t commands, std::size_t changes, std::size_t recalled,
                 Duration took) override;
    void OnRetry(const Status& why) override;
    void OnGuessedWrong(const Status& why) override;
    void OnSplit() override;
    void OnFailed(const Status& why) override;
    void OnDropped() override;

    /// The queue's depth at each scrape, until the guard goes.
    [[nodiscard]] static std::shared_ptr<void> ExposeQueue(metrics::Registry& registry,
                                                           const app::BatchExecutor& executor);

 private:
    metrics::Counter& commands_;
    metrics::Counter& changes_;
    metrics::Histogram& batch_size_;
    metrics::Histogram& batch_seconds_;
    metrics::Counters retries_;
    metrics::Counter& recalled_;
    metrics::Counter& guessed_wrong_;
    metrics::Counter& splits_;
    metrics::Counter& dropped_;
};

}  // namespace kessai::payment::transport
