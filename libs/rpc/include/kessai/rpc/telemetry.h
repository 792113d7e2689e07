#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/metrics/registry.h"
#include "kessai/rpc/observer.h"

namespace kessai::auth {
class TokenVerifier;
}
namespace kessai::tracing {
class Tracer;
}

namespace kessai::rpc {

class BatchStreamClientCore;
class BatchStreamServerCore;
class WorkerPool;

/// Calls as metrics by contract, method and code, as spans, and as access log lines: refusals that
/// are the answering side's own fault as warnings, others when debugging. Link
/// kessai_rpc_telemetry. Thread safe.
class CallTelemetry final : public CallObserver {
 public:
    /// `contracts` are the full names of those whose methods are measured, each with the label
    /// `contract`; calls of others count as "other". A client's metrics are apart from the
    /// server's of the same process. Without a tracer the caller's trace context is handed on as
    /// it came. All must outlive it.
    CallTelemetry(metrics::Registry& registry, const std::vector<std::string_view>& contracts,
                  tracing::Tracer* tracer = nullptr, Side side = Side::kServer);

    std::unique_ptr<ObservedCall> Begin(const CallStart& start) override;

 private:
    class ObservedOne;
    struct Contract {
        std::string name;
        metrics::Counters calls;
        metrics::Histograms seconds;
    };

    const Contract& Of(std::string_view service) const;

    tracing::Tracer* const tracer_;
    metrics::Gauge& open_;
    /// The last is for all that are not named.
    std::vector<Contract> contracts_;
};

/// From now on what gRPC and protobuf have to say goes through libs/log ("grpc.message",
/// "protobuf.message") instead of standard error: errors as warnings, the rest not at all. Once a
/// process is enough; making a CallTelemetry does it too.
void RouteLibraryLogs();

/// Numbers of the parts, read at each scrape as long as what is returned is kept. The part must
/// live until then.
[[nodiscard]] std::shared_ptr<void> Observe(metrics::Registry& registry, const WorkerPool& pool);
[[nodiscard]] std::shared_ptr<void> Observe(metrics::Registry& registry,
                                            const BatchStreamServerCore& stream);
[[nodiscard]] std::shared_ptr<void> Observe(metrics::Registry& registry,
                                            const BatchStreamClientCore& stream);
[[nodiscard]] std::shared_ptr<void> Observe(metrics::Registry& registry,
                                            const auth::TokenVerifier& verifier);

}  // namespace kessai::rpc
