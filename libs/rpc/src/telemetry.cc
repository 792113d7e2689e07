#include "kessai/rpc/telemetry.h"

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

#include "kessai/log/log.h"
#include "kessai/result/check.h"

namespace kessai::rpc {
namespace {

constexpr int kCodes = 17;

std::vector<std::string> MethodsOf(std::string_view service) {
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

}  // namespace

CallTelemetry::CallTelemetry(metrics::Registry& registry, std::string_view service)
    : open_(
          registry.AddGauge({.name = "kessai_rpc_calls_open", .help = "Calls being answered now"})),
      calls_(registry.AddCounters(
          {.name = "kessai_rpc_calls_total", .help = "Calls answered, by method and code"},
          {{"method", MethodsOf(service)}, {"code", Codes()}})),
      seconds_(registry.AddHistograms(
          {.name = "kessai_rpc_call_seconds", .help = "Time from a call's arrival to its answer"},
          {{"method", MethodsOf(service)}}, metrics::kLatency)) {}

void CallTelemetry::OnStart(std::string_view, std::string_view) {
    open_.Add();
}

void CallTelemetry::OnFinish(const CallRecord& record) {
    open_.Subtract();
    calls_.With({record.method, CodeName(record.status.code())}).Add();
    seconds_.With(record.method).Observe(record.duration);
    const log::Level level =
        IsOurFault(record.status.code()) ? log::Level::kWarn : log::Level::kDebug;
    if (!log::Enabled(level)) return;
    const log::Fields fields = {
        {"method", record.method},
        {"duration", record.duration},
        {"subject", record.principal == nullptr ? std::string_view()
                                                : std::string_view(record.principal->subject)},
        {"peer", record.peer},
        {"status", record.status}};
    if (level == log::Level::kWarn) {
        log::Warn("rpc.call", fields);
    } else {
        log::Debug("rpc.call", fields);
    }
}

}  // namespace kessai::rpc
