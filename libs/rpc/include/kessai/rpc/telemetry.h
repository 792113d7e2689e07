#pragma once

#include <string_view>

#include "kessai/metrics/registry.h"
#include "kessai/rpc/observer.h"

namespace kessai::rpc {

/// Calls as metrics by method and code, and as access log lines: refusals that are the service's own
/// fault as warnings, others when debugging. Link kessai_rpc_telemetry. Thread safe.
class CallTelemetry final : public CallObserver {
 public:
    /// `service` is the full name of the contract whose methods are measured; calls of other contracts
    /// (health) count as "other".
    CallTelemetry(metrics::Registry& registry, std::string_view service);

    void OnStart(std::string_view service, std::string_view method) override;
    void OnFinish(const CallRecord& record) override;

 private:
    metrics::Gauge& open_;
    metrics::Counters calls_;
    metrics::Histograms seconds_;
};

}  // namespace kessai::rpc
