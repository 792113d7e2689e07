#include "kessai/runtime/options.h"

namespace kessai::runtime {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

void DescribeService(config::Schema schema, ServiceOptions& options) {
    schema.Text("name", &options.name,
                {.description = "Name in logs, metrics and spans", .max_length = 64});
    schema.Text("admin_host", &options.admin_host,
                {.description = "Address that the admin server listens on", .max_length = 255});
    schema.Int("admin_port", &options.admin_port,
               {.description = "Port of /livez, /readyz and /metrics; 0 takes a free one",
                .required = true});
    schema.Time("drain_delay", &options.drain_delay,
                {.description = "From the end of readiness to the end of accepting; as long as "
                                "load balancers and clients take to hear of it",
                 .max = minutes(5)});
    schema.Time("drain_timeout", &options.drain_timeout,
                {.description = "For finishing what was accepted; at least the longest deadline "
                                "of a call",
                 .min = Duration(1'000),
                 .max = minutes(10)});
    schema.Time("stop_timeout", &options.stop_timeout,
                {.description = "For stopping all components after that",
                 .min = Duration(1'000),
                 .max = minutes(5)});
}

void DescribeLog(config::Schema schema, log::Options& options) {
    schema.Choice("level", &options.level,
                  {{"debug", log::Level::kDebug},
                   {"info", log::Level::kInfo},
                   {"warn", log::Level::kWarn},
                   {"error", log::Level::kError}},
                  {.description = "The least level that is written"});
    schema.Int("queue_lines", &options.queue_lines,
               {.description = "Lines that wait for the writer; the oldest is dropped when full",
                .unit = "lines",
                .min = 64,
                .max = 1 << 20});
}

void DescribeTracing(config::Schema schema, tracing::Options& options) {
    schema.Text("endpoint", &options.endpoint,
                {.description = "Base address of an OTLP/HTTP collector such as "
                                "http://collector:4318; empty switches export off"});
    schema.Real("sample_ratio", &options.sample_ratio,
                {.description = "Share of the traces beginning here that is sampled; others "
                                "follow their parent",
                 .min = 0,
                 .max = 1});
    schema.Int("queue_spans", &options.queue_spans,
               {.description = "Finished spans that wait; more are dropped",
                .unit = "spans",
                .min = 1,
                .max = 1 << 20});
    schema.Int("batch_spans", &options.batch_spans,
               {.description = "Most spans in one request to the collector",
                .unit = "spans",
                .min = 1,
                .max = 8192});
    schema.Time("batch_delay", &options.batch_delay,
                {.description = "How long a span may wait for its batch to fill",
                 .min = Duration(1'000),
                 .max = minutes(1)});
    schema.Time("export_timeout", &options.export_timeout,
                {.description = "Of one request to the collector",
                 .min = Duration(1'000),
                 .max = minutes(1)});
    schema.Check([&options]() -> Status {
        const std::string& endpoint = options.endpoint;
        if (endpoint.empty() || endpoint.starts_with("http://") ||
            endpoint.starts_with("https://")) {
            return {};
        }
        return Status(Code::kInvalidArgument, config::kConfigInvalid,
                      "tracing.endpoint: expected http:// or https://");
    });
}

}  // namespace

void Describe(config::Schema& schema, Options& options) {
    DescribeService(schema.Under("service"), options.service);
    DescribeLog(schema.Under("log"), options.log);
    DescribeTracing(schema.Under("tracing"), options.tracing);
}

}  // namespace kessai::runtime
