// Goal: every call shows as a metric by contract, method and code, and as a span of its caller's
// trace. Method: a client and a server with telemetry of their own on one registry; read what a
// scrape says and what the handler was told.
#include "kessai/rpc/telemetry.h"

#include <gtest/gtest.h>

#include <mutex>

#include "kessai/rpc/batch_stream_client.h"
#include "kessai/tracing/tracer.h"
#include "test_service.h"

namespace kessai::rpc {
namespace {

constexpr const char* kService = "kessai.payment.v1.PaymentService";

TEST(TelemetryTest, CallsShowAsMetricsAndSpans) {
    metrics::Registry registry;
    tracing::Tracer tracer({.sample_ratio = 1.0}, "payment", "test", registry);
    CallTelemetry at_server(registry, {kService}, &tracer);
    CallTelemetry at_client(registry, {kService}, &tracer, Side::kClient);
    TestTokens tokens;
    std::mutex mutex;
    std::string traceparent;
    tracing::SpanContext current;
    TestServer server(
        tokens,
        {.get_payment = [&](const CallContext& call,
                            const pb::GetPaymentRequest& request) -> Result<pb::Payment> {
            const std::lock_guard lock(mutex);
            traceparent = call.traceparent();
            current = tracing::CurrentSpan();
            if (request.payment_id() == 0) {
                return Status(Code::kNotFound, "PAYMENT_UNKNOWN", "none");
            }
            return pb::Payment();
        }},
        {}, &at_server);
    const auto channel =
        Channel::Create({.target = server.address()}, SystemClock(), &at_client).value();
    const std::string parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const std::string token = tokens.Merchant();
    pb::GetPaymentRequest request;
    const auto call = [&] {
        return Call(channel, GetPaymentMethod(), request, {.token = token, .traceparent = parent});
    };
    EXPECT_FALSE(call().ok());
    request.set_payment_id(1);
    EXPECT_TRUE(call().ok());
    EXPECT_TRUE(call().ok());

    // The handler's span belongs to the caller's trace and is none of the spans before it.
    const std::lock_guard lock(mutex);
    const auto context = tracing::ParseTraceparent(traceparent);
    ASSERT_TRUE(context) << traceparent;
    EXPECT_EQ(tracing::TraceIdOf(*context), "0af7651916cd43dd8448eb211c80319c");
    EXPECT_NE(tracing::SpanIdOf(*context), "b7ad6b7169203331");
    EXPECT_EQ(current, *context);

    const std::string scrape = registry.Expose();
    for (const char* line : {"kessai_rpc_calls_total{contract=\"kessai.payment.v1.PaymentService\","
                             "method=\"GetPayment\",code=\"OK\"} 2",
                             "kessai_rpc_calls_total{contract=\"kessai.payment.v1.PaymentService\","
                             "method=\"GetPayment\",code=\"NOT_FOUND\"} 1",
                             "kessai_rpc_client_calls_total{contract=\"kessai.payment.v1."
                             "PaymentService\",method=\"GetPayment\",code=\"OK\"} 2",
                             "kessai_rpc_client_calls_total{contract=\"kessai.payment.v1."
                             "PaymentService\",method=\"GetPayment\",code=\"NOT_FOUND\"} 1",
                             "kessai_rpc_call_seconds_count{contract=\"kessai.payment.v1."
                             "PaymentService\",method=\"GetPayment\"} 3",
                             "kessai_rpc_calls_open 0"}) {
        EXPECT_TRUE(scrape.find(line) != std::string::npos) << line;
    }
}

TEST(TelemetryTest, PartsShowTheirCounts) {
    metrics::Registry registry;
    TestTokens tokens;
    TestServer server(tokens, {.execute = [](ReceivedBatch<ExecuteStream> batch) {
                          BatchAnswers<ExecuteStream> answers;
                          for (const pb::Command& command : batch.message->commands()) {
                              answers.Add(batch.sink, command.sequence());
                          }
                      }});
    BatchStreamClientOptions options;
    options.method = "kessai.payment.v1.PaymentService.Execute";
    options.target = server.address();
    BatchStreamClient<ExecuteStream> client(options, SystemClock());
    const auto guards = {Observe(registry, server.pool()), Observe(registry, server.stream()),
                         Observe(registry, client), Observe(registry, tokens.verifier)};
    ASSERT_TRUE(client.Start().ok());
    ASSERT_TRUE(client.WaitReady(seconds(10)).ok());
    ASSERT_TRUE(client.Send(pb::Command(), seconds(10), [](const Status&, pb::Outcome*) {}).ok());
    ASSERT_TRUE(Eventually([&] { return client.counts().answered == 1; }));
    const std::string scrape = registry.Expose();
    for (const char* line :
         {"kessai_rpc_pool_refused_total{pool=\"test\"} 0", "kessai_rpc_stream_requests_total 1",
          "kessai_rpc_stream_streams 1", "kessai_rpc_client_stream_commands_total 1",
          "kessai_rpc_client_stream_open 0", "kessai_auth_token_misses_total 0"}) {
        EXPECT_TRUE(scrape.find(line) != std::string::npos) << line;
    }
}

}  // namespace
}  // namespace kessai::rpc
