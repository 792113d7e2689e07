#include "kessai/rpc/telemetry.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "kessai/auth/token.h"
#include "kessai/log/log.h"
#include "kessai/result/check.h"
#include "kessai/rpc/batch_stream_client.h"
#include "kessai/rpc/batch_stream_server.h"
#include "kessai/rpc/worker_pool.h"
#include "kessai/tracing/tracer.h"

namespace kessai::rpc {
namespace {

constexpr int kCodes = 17;
constexpr std::string_view kOther = "other";

std::vector<std::string> MethodsOf(std::string_view service) {
    if (service == kOther) return {};
    const auto* descriptor =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(std::string(service));
    KESSAI_CHECK(descriptor != nullptr, service);
    std::vector<std::string> methods;
    for (int i = 0; i < descriptor->method_count(); ++i) {
        methods.push_back(descriptor->method(i)->name());
    }
    return methods;
}

std::vector<std::string> Codes() {
    std::vector<std::string> names;
    for (int code = 0; code < kCodes; ++code) {
        names.emplace_back(CodeName(static_cast<Code>(code)));
    }
    return names;
}

/// What an operator should look at; everything else is the caller's.
bool IsOurFault(Code code) {
    return code == Code::kInternal || code == Code::kUnknown || code == Code::kDataLoss ||
           code == Code::kUnavailable;
}

struct Named {
    std::string_view name;
    std::string_view help;
};

constexpr Named kOpen[] = {
    {"kessai_rpc_calls_open", "Calls being answered now"},
    {"kessai_rpc_client_calls_open", "Calls to other services that wait for their answer"}};
constexpr Named kCalls[] = {
    {"kessai_rpc_calls_total", "Calls answered, by contract, method and code"},
    {"kessai_rpc_client_calls_total", "Calls to other services, by contract, method and code"}};
constexpr Named kSeconds[] = {
    {"kessai_rpc_call_seconds", "Time from a call's arrival to its answer"},
    {"kessai_rpc_client_call_seconds", "Time from a call to another service to its answer"}};

metrics::Metric MetricOf(const Named (&named)[2], Side side) {
    const Named& one = named[side == Side::kServer ? 0 : 1];
    return {.name = one.name, .help = one.help};
}

metrics::Metric MetricOf(const Named (&named)[2], Side side, std::string_view contract) {
    metrics::Metric metric = MetricOf(named, side);
    metric.labels = {{"contract", std::string(contract)}};
    return metric;
}

/// Gauges and counters that read one part at each scrape.
template <class Part>
class Readings {
 public:
    using Read = double (*)(const Part&);

    Readings(metrics::Registry& registry, const Part& part) : registry_(registry), part_(part) {}

    Readings& Gauge(metrics::Metric metric, Read read) {
        guards_->push_back(
            registry_.AddCallbackGauge(metric, [&part = part_, read] { return read(part); }));
        return *this;
    }
    Readings& Counter(metrics::Metric metric, Read read) {
        guards_->push_back(
            registry_.AddCallbackCounter(metric, [&part = part_, read] { return read(part); }));
        return *this;
    }
    std::shared_ptr<void> Guard() const { return guards_; }

 private:
    metrics::Registry& registry_;
    const Part& part_;
    std::shared_ptr<std::vector<std::shared_ptr<void>>> guards_ =
        std::make_shared<std::vector<std::shared_ptr<void>>>();
};

template <class T>
double Number(T value) {
    return static_cast<double>(value);
}

}  // namespace

class CallTelemetry::ObservedOne final : public ObservedCall {
 public:
    ObservedOne(CallTelemetry& telemetry, const CallStart& start)
        : telemetry_(telemetry),
          contract_(telemetry.Of(start.service)),
          start_(start),
          traceparent_(start.parent_traceparent) {
        telemetry_.open_.Add();
        if (telemetry_.tracer_ == nullptr) return;
        const auto parent = tracing::ParseTraceparent(start.parent_traceparent);
        const auto kind =
            start.side == Side::kServer ? tracing::Kind::kServer : tracing::Kind::kClient;
        span_ =
            telemetry_.tracer_->Start(start.method, kind, parent.value_or(tracing::SpanContext{}));
        span_.SetAttribute("rpc.system", "grpc");
        span_.SetAttribute("rpc.service", start.service);
        span_.SetAttribute("rpc.method", start.method);
        traceparent_ = tracing::FormatTraceparent(span_.context());
    }

    std::string_view traceparent() const override { return traceparent_; }

    void Within(const std::function<void()>& work) override {
        const tracing::Scope scope(span_);
        work();
    }

    void End(const CallEnd& end) override {
        const Code code = end.status.code();
        telemetry_.open_.Subtract();
        contract_.calls.With({start_.method, CodeName(code)}).Add();
        contract_.seconds.With(start_.method).Observe(end.duration);
        span_.SetStatus(end.status);
        span_.End();
        const log::Level level = IsOurFault(code) ? log::Level::kWarn : log::Level::kDebug;
        if (!log::Enabled(level)) return;
        Within([&] { Log(level, end); });
    }

 private:
    void Log(log::Level level, const CallEnd& end) const {
        const log::Fields fields = {
            {"method", start_.method},
            {"duration", end.duration},
            {"subject", end.principal == nullptr ? std::string_view()
                                                 : std::string_view(end.principal->subject)},
            {"peer", end.peer},
            {"status", end.status}};
        const std::string_view event =
            start_.side == Side::kServer ? "rpc.call" : "rpc.client_call";
        if (level == log::Level::kWarn) {
            log::Warn(event, fields);
        } else {
            log::Debug(event, fields);
        }
    }

    CallTelemetry& telemetry_;
    const Contract& contract_;
    const CallStart start_;
    tracing::Span span_;
    std::string traceparent_;
};

CallTelemetry::CallTelemetry(metrics::Registry& registry,
                             const std::vector<std::string_view>& contracts,
                             tracing::Tracer* tracer, Side side)
    : tracer_(tracer), open_(registry.AddGauge(MetricOf(kOpen, side))) {
    const auto add = [&](std::string_view contract) {
        const std::vector<std::string> methods = MethodsOf(contract);
        contracts_.push_back(
            {.name = std::string(contract),
             .calls = registry.AddCounters(MetricOf(kCalls, side, contract),
                                           {{"method", methods}, {"code", Codes()}}),
             .seconds = registry.AddHistograms(MetricOf(kSeconds, side, contract),
                                               {{"method", methods}}, metrics::kLatency)});
    };
    for (const std::string_view contract : contracts) add(contract);
    add(kOther);
    static std::once_flag routed;
    std::call_once(routed, RouteLibraryLogs);
}

void RouteLibraryLogs() {
    gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
    gpr_set_log_function([](gpr_log_func_args* said) {
        log::Warn("grpc.message",
                  {{"text", said->message}, {"file", said->file}, {"line", said->line}});
    });
    google::protobuf::SetLogHandler(
        [](google::protobuf::LogLevel level, const char* file, int line, const std::string& text) {
            if (level < google::protobuf::LOGLEVEL_ERROR) return;
            log::Warn("protobuf.message", {{"text", text}, {"file", file}, {"line", line}});
        });
}

const CallTelemetry::Contract& CallTelemetry::Of(std::string_view service) const {
    // A handful: a walk is quicker than a map.
    for (const Contract& contract : contracts_) {
        if (contract.name == service) return contract;
    }
    return contracts_.back();
}

std::unique_ptr<ObservedCall> CallTelemetry::Begin(const CallStart& start) {
    return std::make_unique<ObservedOne>(*this, start);
}

std::shared_ptr<void> Observe(metrics::Registry& registry, const WorkerPool& pool) {
    const std::vector<std::pair<std::string, std::string>> labels = {{"pool", pool.options().name}};
    using P = WorkerPool;
    return Readings(registry, pool)
        .Gauge({.name = "kessai_rpc_pool_queued",
                .help = "Calls that wait for a worker",
                .labels = labels},
               [](const P& p) { return Number(p.counts().queued); })
        .Gauge({.name = "kessai_rpc_pool_running",
                .help = "Workers that answer a call",
                .labels = labels},
               [](const P& p) { return Number(p.counts().running); })
        .Counter({.name = "kessai_rpc_pool_refused_total",
                  .help = "Calls refused because the workers' queue was full",
                  .labels = labels},
                 [](const P& p) { return Number(p.counts().refused); })
        .Guard();
}

std::shared_ptr<void> Observe(metrics::Registry& registry, const BatchStreamServerCore& stream) {
    using S = BatchStreamServerCore;
    return Readings(registry, stream)
        .Gauge({.name = "kessai_rpc_stream_streams", .help = "Batch streams that are open"},
               [](const S& s) { return Number(s.counts().streams); })
        .Gauge({.name = "kessai_rpc_stream_open",
                .help = "Requests of batch streams not answered yet"},
               [](const S& s) { return Number(s.counts().open); })
        .Counter({.name = "kessai_rpc_stream_requests_total",
                  .help = "Requests received on batch streams"},
                 [](const S& s) { return Number(s.counts().requests); })
        .Counter({.name = "kessai_rpc_stream_messages_in_total",
                  .help = "Messages received on batch streams"},
                 [](const S& s) { return Number(s.counts().messages_in); })
        .Counter({.name = "kessai_rpc_stream_messages_out_total",
                  .help = "Messages sent on batch streams"},
                 [](const S& s) { return Number(s.counts().messages_out); })
        .Counter({.name = "kessai_rpc_stream_reads_held_total",
                  .help = "Times a batch stream was not read further because too many of its "
                          "requests were open"},
                 [](const S& s) { return Number(s.counts().reads_held); })
        .Guard();
}

std::shared_ptr<void> Observe(metrics::Registry& registry, const BatchStreamClientCore& stream) {
    using C = BatchStreamClientCore;
    return Readings(registry, stream)
        .Gauge({.name = "kessai_rpc_client_stream_streams",
                .help = "Batch streams that take commands"},
               [](const C& c) { return Number(c.counts().streams); })
        .Gauge(
            {.name = "kessai_rpc_client_stream_open", .help = "Commands that wait for an answer"},
            [](const C& c) { return Number(c.counts().open); })
        .Counter({.name = "kessai_rpc_client_stream_commands_total",
                  .help = "Commands sent on batch streams"},
                 [](const C& c) { return Number(c.counts().sent); })
        .Counter({.name = "kessai_rpc_client_stream_messages_total",
                  .help = "Messages that carried commands"},
                 [](const C& c) { return Number(c.counts().messages_out); })
        .Counter({.name = "kessai_rpc_client_stream_refused_total",
                  .help = "Commands refused because the window was full"},
                 [](const C& c) { return Number(c.counts().refused_full); })
        .Counter({.name = "kessai_rpc_client_stream_expired_total",
                  .help = "Commands that got no answer in time"},
                 [](const C& c) { return Number(c.counts().expired); })
        .Counter({.name = "kessai_rpc_client_stream_broken_total",
                  .help = "Commands whose stream ended before their answer"},
                 [](const C& c) { return Number(c.counts().broken); })
        .Counter({.name = "kessai_rpc_client_stream_unsent_total",
                  .help = "Commands given up because no server could be reached"},
                 [](const C& c) { return Number(c.counts().unsent); })
        .Guard();
}

std::shared_ptr<void> Observe(metrics::Registry& registry, const auth::TokenVerifier& verifier) {
    using V = auth::TokenVerifier;
    return Readings(registry, verifier)
        .Counter({.name = "kessai_auth_token_hits_total",
                  .help = "Internal tokens that were known already"},
                 [](const V& v) { return Number(v.counts().hits); })
        .Counter({.name = "kessai_auth_token_misses_total",
                  .help = "Internal tokens that had to be verified"},
                 [](const V& v) { return Number(v.counts().misses); })
        .Guard();
}

}  // namespace kessai::rpc
