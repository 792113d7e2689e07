#include "kessai/tracing/tracer.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

namespace kessai::tracing {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

/// An OTLP/HTTP collector: answers each request with the next of its statuses (the last for ever)
/// and keeps the bodies.
class Collector {
 public:
    explicit Collector(std::vector<int> statuses) : statuses_(std::move(statuses)) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length), 0);
        EXPECT_EQ(::listen(listener_, 16), 0);
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
        endpoint_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
        thread_ = std::thread([this] { Serve(); });
    }
    ~Collector() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }

    const std::string& endpoint() const { return endpoint_; }
    /// The bodies, when there are `count` or 10 s are over.
    std::vector<std::string> Wait(std::size_t count) {
        std::unique_lock lock(mutex_);
        arrived_.wait_for(lock, seconds(10), [&] { return bodies_.size() >= count; });
        return bodies_;
    }
    std::string head() {
        const std::lock_guard lock(mutex_);
        return head_;
    }

 private:
    void Serve() {
        while (true) {
            const int client = ::accept(listener_, nullptr, nullptr);
            if (client < 0) return;
            // One request a connection keeps this simple; the exporter connects again.
            std::string text;
            char buffer[65'536];
            std::size_t body_at = std::string::npos;
            std::size_t total = 0;
            while (body_at == std::string::npos || text.size() < total) {
                const ssize_t got = ::recv(client, buffer, sizeof buffer, 0);
                if (got <= 0) break;
                text.append(buffer, static_cast<std::size_t>(got));
                if (body_at == std::string::npos && text.find("\r\n\r\n") != std::string::npos) {
                    body_at = text.find("\r\n\r\n") + 4;
                    const std::size_t at = text.find("Content-Length: ");
                    total = body_at + std::stoul(text.substr(at + 16));
                }
            }
            Reply(client, text, body_at);
            ::close(client);
        }
    }
    void Reply(int client, const std::string& text, std::size_t body_at) {
        std::string reply;
        {
            const std::lock_guard lock(mutex_);
            const std::size_t turn = std::min(bodies_.size(), statuses_.size() - 1);
            reply = "HTTP/1.1 " + std::to_string(statuses_[turn]) +
                    " X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        }
        EXPECT_GT(::send(client, reply.data(), reply.size(), MSG_NOSIGNAL), 0);
        const std::lock_guard lock(mutex_);
        head_ = text.substr(0, body_at);
        bodies_.push_back(text.substr(body_at));
        arrived_.notify_all();
    }

    std::vector<int> statuses_;
    int listener_ = -1;
    std::string endpoint_;
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<std::string> bodies_;
    std::string head_;
    std::thread thread_;
};

class TracerTest : public testing::Test {
 protected:
    std::unique_ptr<Tracer> Make(Options options) {
        return std::make_unique<Tracer>(std::move(options), "payment", "1.0", registry_);
    }
    std::uint64_t Exported() {
        return registry_
            .AddCounter({.name = "kessai_tracing_spans_exported_total",
                         .help = "Spans that the collector took"})
            .value();
    }
    std::uint64_t Dropped(std::string_view reason) {
        return registry_
            .AddCounters({.name = "kessai_tracing_spans_dropped_total",
                          .help = "Sampled spans that were not exported"},
                         {{"reason", {"queue_full", "export_failed"}}})
            .With(reason)
            .value();
    }

    metrics::Registry registry_;
};

// Goal: children keep the trace and the decision of their parent, and have ids of their own.
TEST_F(TracerTest, ChildrenFollowTheirParent) {
    const auto tracer = Make({.endpoint = "http://127.0.0.1:9", .sample_ratio = 1});
    std::set<std::string> ids;
    for (const bool sampled : {true, false}) {
        SpanContext parent;
        parent.trace_id.fill(7);
        parent.span_id.fill(8);
        parent.sampled = sampled;
        const Span child = tracer->Start("payment.Capture", Kind::kServer, parent);
        EXPECT_EQ(child.context().trace_id, parent.trace_id);
        EXPECT_NE(child.context().span_id, parent.span_id);
        EXPECT_EQ(child.context().sampled, sampled);
        EXPECT_EQ(child.recording(), sampled);
    }
    for (int i = 0; i < 1'000; ++i) {
        const Span root = tracer->Start("root", Kind::kServer, SpanContext{});
        ASSERT_TRUE(root.context().valid());
        ids.insert(TraceIdOf(root.context()));
        ids.insert(SpanIdOf(root.context()));
    }
    EXPECT_EQ(ids.size(), 2'000u);
}

// Goal: the share of sampled traces is what was asked for, also when it is small.
// Method: 200,000 roots at three ratios; the bounds are over six standard deviations wide.
TEST_F(TracerTest, SamplesTheShareAskedFor) {
    constexpr int kRoots = 200'000;
    for (const double ratio : {0.0, 0.002, 0.25, 1.0}) {
        const auto tracer =
            Make({.endpoint = "http://127.0.0.1:9", .sample_ratio = ratio, .queue_spans = 1});
        int sampled = 0;
        for (int i = 0; i < kRoots; ++i) {
            sampled += tracer->Start("r", Kind::kServer, SpanContext{}).context().sampled;
        }
        const double expected = ratio * kRoots;
        EXPECT_NEAR(sampled, expected, 6 * std::sqrt(expected * (1 - ratio)) + 1e-9) << ratio;
    }
}

// Goal: without an endpoint nothing is recorded, but ids still connect the log lines, and another
// process's decision is passed on.
TEST_F(TracerTest, WithoutAnEndpointContextsStillFlow) {
    const auto tracer = Make({.sample_ratio = 1});
    Span root = tracer->Start("r", Kind::kServer, SpanContext{});
    EXPECT_TRUE(root.context().valid());
    EXPECT_FALSE(root.context().sampled);
    EXPECT_FALSE(root.recording());
    root.SetAttribute("ignored", 1);
    root.SetStatus(Status(Code::kInternal, "X", "x"));
    SpanContext parent = root.context();
    parent.sampled = true;
    EXPECT_TRUE(tracer->Start("c", Kind::kClient, parent).context().sampled);
}

// Goal: a scope makes its span the parent of what starts within, on this thread only.
TEST_F(TracerTest, ScopesNest) {
    const auto tracer = Make({});
    EXPECT_FALSE(CurrentSpan().valid());
    const Span outer = tracer->Start("outer");
    {
        const Scope scope(outer, "r-1");
        EXPECT_EQ(CurrentSpan(), outer.context());
        EXPECT_EQ(std::string(log::CurrentContext().request_id.data()), "r-1");
        const Span inner = tracer->Start("inner");
        EXPECT_EQ(inner.context().trace_id, outer.context().trace_id);
        {
            const Scope inner_scope(inner);
            EXPECT_EQ(CurrentSpan(), inner.context());
        }
        EXPECT_EQ(CurrentSpan(), outer.context());
        std::thread([] { EXPECT_FALSE(CurrentSpan().valid()); }).join();
    }
    EXPECT_FALSE(CurrentSpan().valid());
    EXPECT_EQ(log::CurrentContext().request_id[0], '\0');
}

// Goal: a collector gets spans as OTLP/HTTP JSON has them.
TEST_F(TracerTest, ExportsOtlpJson) {
    Collector collector({200});
    SpanContext parent;
    parent.trace_id.fill(0xab);
    parent.span_id.fill(0xcd);
    parent.sampled = true;
    std::string span_id;
    {
        const auto tracer = Make({.endpoint = collector.endpoint()});
        Span span = tracer->Start("payment.Capture", Kind::kServer, parent);
        span_id = SpanIdOf(span.context());
        span.SetAttribute("rpc.method", "Capture");
        span.SetAttribute("batch.size", 12);
        span.SetAttribute("retried", true);
        span.SetAttribute("broken", "\xff");
        span.SetAttribute("long", std::string(5'000, 'x'));
        span.SetStatus(Status(Code::kAborted, "DEADLOCK", "secret details"));
    }
    const auto bodies = collector.Wait(1);
    ASSERT_EQ(bodies.size(), 1u);
    EXPECT_THAT(collector.head(), HasSubstr("POST /v1/traces HTTP/1.1\r\n"));
    EXPECT_THAT(collector.head(), HasSubstr("Content-Type: application/json\r\n"));
    const json body = json::parse(bodies[0]);
    const json& resource = body["resourceSpans"][0]["resource"]["attributes"];
    EXPECT_EQ(resource[0]["key"], "service.name");
    EXPECT_EQ(resource[0]["value"]["stringValue"], "payment");
    EXPECT_EQ(resource[1]["value"]["stringValue"], "1.0");
    const json& span = body["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    EXPECT_EQ(span["traceId"], "abababababababababababababababab");
    EXPECT_EQ(span["parentSpanId"], "cdcdcdcdcdcdcdcd");
    EXPECT_EQ(span["spanId"], span_id);
    EXPECT_EQ(span["name"], "payment.Capture");
    EXPECT_EQ(span["kind"], 2);
    EXPECT_LE(std::stoll(span["startTimeUnixNano"].get<std::string>()),
              std::stoll(span["endTimeUnixNano"].get<std::string>()));
    EXPECT_EQ(span["attributes"][0]["value"]["stringValue"], "Capture");
    EXPECT_EQ(span["attributes"][1]["value"]["intValue"], "12");
    EXPECT_EQ(span["attributes"][2]["value"]["boolValue"], true);
    EXPECT_EQ(span["attributes"][3]["value"]["stringValue"], "\ufffd");
    EXPECT_EQ(span["attributes"][4]["value"]["stringValue"].get<std::string>().size(), 1024u);
    EXPECT_EQ(span["status"]["code"], 2);
    EXPECT_EQ(span["status"]["message"], "ABORTED DEADLOCK");
    EXPECT_EQ(Exported(), 1u);
}

TEST_F(TracerTest, AttributesAreBounded) {
    Collector collector({200});
    {
        const auto tracer = Make({.endpoint = collector.endpoint(), .sample_ratio = 1});
        Span span = tracer->Start("r");
        for (int i = 0; i < 100; ++i) span.SetAttribute("a" + std::to_string(i), i);
    }
    const auto bodies = collector.Wait(1);
    ASSERT_EQ(bodies.size(), 1u);
    const json body = json::parse(bodies[0]);
    EXPECT_EQ(body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"].size(), 32u);
}

// Goal: a collector that is out of breath gets the same batch again.
TEST_F(TracerTest, RetriesWhatMayPass) {
    Collector collector({503, 429, 200});
    const auto tracer = Make({.endpoint = collector.endpoint(),
                              .sample_ratio = 1,
                              .batch_spans = 1,
                              .batch_delay = milliseconds(5)});
    tracer->Start("r").End();
    const auto bodies = collector.Wait(3);
    ASSERT_EQ(bodies.size(), 3u);
    EXPECT_EQ(bodies[0], bodies[2]);
}

// Goal: a batch that a collector refuses is dropped and counted, and the next one is sent.
TEST_F(TracerTest, DropsWhatIsRefused) {
    Collector collector({400, 200});
    {
        const auto tracer = Make({.endpoint = collector.endpoint() + "/",
                                  .sample_ratio = 1,
                                  .batch_spans = 1,
                                  .batch_delay = milliseconds(5)});
        tracer->Start("first").End();
        ASSERT_EQ(collector.Wait(1).size(), 1u);
        tracer->Start("second").End();
        ASSERT_EQ(collector.Wait(2).size(), 2u);
    }
    EXPECT_EQ(Dropped("export_failed"), 1u);
    EXPECT_EQ(Exported(), 1u);
}

// Goal: a collector that isn't there costs spans, not the time of callers or of the end.
// Method: a queue of 10 and 1,000 spans against a port that nobody listens on.
TEST_F(TracerTest, AMissingCollectorCostsSpansOnly) {
    const SteadyInstant began = SystemClock().SteadyNow();
    {
        const auto tracer =
            Make({.endpoint = "http://127.0.0.1:9", .sample_ratio = 1, .queue_spans = 10});
        for (int i = 0; i < 1'000; ++i) tracer->Start("r").End();
        EXPECT_EQ(Dropped("queue_full"), 990u);
    }
    EXPECT_LT(SystemClock().SteadyNow() - began, seconds(8));
    EXPECT_EQ(Dropped("queue_full") + Dropped("export_failed"), 1'000u);
}

// Goal: spans are sent in batches of the size that was asked for.
TEST_F(TracerTest, SendsInBatches) {
    Collector collector({200});
    {
        const auto tracer =
            Make({.endpoint = collector.endpoint(), .sample_ratio = 1, .batch_spans = 10});
        for (int i = 0; i < 25; ++i) tracer->Start("r").End();
    }
    const auto bodies = collector.Wait(3);
    ASSERT_EQ(bodies.size(), 3u);
    EXPECT_EQ(json::parse(bodies[2])["resourceSpans"][0]["scopeSpans"][0]["spans"].size(), 5u);
    EXPECT_EQ(Exported(), 25u);
}

TEST_F(TracerTest, MovedSpansEndOnce) {
    Collector collector({200});
    {
        const auto tracer = Make({.endpoint = collector.endpoint(), .sample_ratio = 1});
        Span span = tracer->Start("one");
        Span moved = std::move(span);
        span = tracer->Start("two");
        moved.End();
        moved.End();
    }
    const auto bodies = collector.Wait(1);
    ASSERT_EQ(bodies.size(), 1u);
    EXPECT_EQ(json::parse(bodies[0])["resourceSpans"][0]["scopeSpans"][0]["spans"].size(), 2u);
}

}  // namespace
}  // namespace kessai::tracing
