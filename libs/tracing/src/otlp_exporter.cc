#include "otlp_exporter.h"

#include <curl/curl.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kessai/log/log.h"

namespace kessai::tracing {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kCloseTimeout{2};
constexpr int kAttemptsMax = 4;
constexpr std::string_view kQueueFull = "queue_full";
constexpr std::string_view kExportFailed = "export_failed";

enum class Outcome { kSent, kTryAgain, kRefused };

json Attribute(std::string_view key, json value) {
    return {{"key", key}, {"value", std::move(value)}};
}

json ToJson(const SpanData& span) {
    const auto nanos = [](Instant at) { return std::to_string(ToMicros(at)) + "000"; };
    json out = {{"traceId", TraceIdOf(span.context)},
                {"spanId", SpanIdOf(span.context)},
                {"name", span.name},
                {"kind", static_cast<int>(span.kind)},
                {"startTimeUnixNano", nanos(span.start)},
                {"endTimeUnixNano", nanos(span.start + span.took)}};
    const SpanContext parent{span.context.trace_id, span.parent_span_id, false};
    if (parent.valid()) out["parentSpanId"] = SpanIdOf(parent);
    json& attributes = out["attributes"] = json::array();
    for (const auto& [name, value] : span.attributes) {
        if (const auto* text = std::get_if<std::string>(&value)) {
            attributes.push_back(Attribute(name, {{"stringValue", *text}}));
        } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
            attributes.push_back(Attribute(name, {{"intValue", std::to_string(*number)}}));
        } else {
            attributes.push_back(Attribute(name, {{"boolValue", std::get<bool>(value)}}));
        }
    }
    if (span.failed) out["status"] = {{"code", 2}, {"message", span.failure}};
    return out;
}

std::string TracesUrl(const std::string& endpoint) {
    const std::size_t scheme = endpoint.find("://");
    const std::size_t path = endpoint.find('/', scheme == std::string::npos ? 0 : scheme + 3);
    if (path == std::string::npos) return endpoint + "/v1/traces";
    if (path + 1 == endpoint.size()) return endpoint + "v1/traces";
    return endpoint;
}

std::size_t Discard(char*, std::size_t size, std::size_t count, void*) {
    return size * count;
}

/// One connection to the collector, kept alive between batches.
class Collector {
 public:
    explicit Collector(const std::string& url) {
        static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
        KESSAI_CHECK(initialised == CURLE_OK, "libcurl does not start");
        handle_ = curl_easy_init();
        KESSAI_CHECK(handle_ != nullptr, "libcurl has no handle");
        headers_ = curl_slist_append(headers_, "Content-Type: application/json");
        headers_ = curl_slist_append(headers_, "Expect:");
        curl_easy_setopt(handle_, CURLOPT_URL, url.c_str());
        curl_easy_setopt(handle_, CURLOPT_HTTPHEADER, headers_);
        curl_easy_setopt(handle_, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(handle_, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, &Discard);
    }
    ~Collector() {
        curl_easy_cleanup(handle_);
        curl_slist_free_all(headers_);
    }
    Collector(const Collector&) = delete;
    Collector& operator=(const Collector&) = delete;

    Outcome Post(const std::string& body, Duration timeout, std::string& problem) {
        const auto timeout_ms =
            std::max<long>(1, std::chrono::ceil<std::chrono::milliseconds>(timeout).count());
        curl_easy_setopt(handle_, CURLOPT_TIMEOUT_MS, timeout_ms);
        curl_easy_setopt(handle_, CURLOPT_POSTFIELDS, body.data());
        curl_easy_setopt(handle_, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
        const CURLcode code = curl_easy_perform(handle_);
        if (code != CURLE_OK) {
            problem = curl_easy_strerror(code);
            return Outcome::kTryAgain;
        }
        long status = 0;
        curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
        if (status >= 200 && status < 300) return Outcome::kSent;
        problem = "HTTP status " + std::to_string(status);
        const bool passing = status == 429 || status == 502 || status == 503 || status == 504;
        return passing ? Outcome::kTryAgain : Outcome::kRefused;
    }

 private:
    CURL* handle_ = nullptr;
    curl_slist* headers_ = nullptr;
};

}  // namespace

std::string ToOtlpJson(const std::vector<SpanData>& batch, std::string_view service,
                       std::string_view version) {
    json spans = json::array();
    for (const SpanData& span : batch) spans.push_back(ToJson(span));
    const json resource = {
        {"attributes", json::array({Attribute("service.name", {{"stringValue", service}}),
                                    Attribute("service.version", {{"stringValue", version}})})}};
    const json scope = {{"scope", {{"name", "kessai"}}}, {"spans", std::move(spans)}};
    const json request = {{"resourceSpans", json::array({{{"resource", resource},
                                                          {"scopeSpans", json::array({scope})}}})}};
    return request.dump(-1, ' ', false, json::error_handler_t::replace);
}

Exporter::Exporter(Options options, std::string_view service, std::string_view version,
                   metrics::Registry& registry, const Clock& clock)
    : options_(std::move(options)),
      service_(service),
      version_(version),
      clock_(clock),
      exported_(registry.AddCounter({.name = "kessai_tracing_spans_exported_total",
                                     .help = "Spans that the collector took"})),
      dropped_(registry.AddCounters(
          {.name = "kessai_tracing_spans_dropped_total",
           .help = "Sampled spans that were not exported"},
          {{"reason", {std::string(kQueueFull), std::string(kExportFailed)}}})) {
    if (!options_.endpoint.empty()) sender_ = std::thread([this] { Run(); });
}

Exporter::~Exporter() {
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
        give_up_at_ = clock_.SteadyNow() + kCloseTimeout;
    }
    changed_.notify_all();
    if (sender_.joinable()) sender_.join();
}

void Exporter::Add(SpanData span) {
    bool full_batch = false;
    {
        const std::lock_guard lock(mutex_);
        if (queue_.size() >= options_.queue_spans) {
            dropped_.With(kQueueFull).Add();
            return;
        }
        queue_.push_back(std::move(span));
        full_batch = queue_.size() == options_.batch_spans;
    }
    if (full_batch) changed_.notify_one();
}

std::vector<SpanData> Exporter::NextBatch() {
    std::unique_lock lock(mutex_);
    do {
        changed_.wait_for(lock, options_.batch_delay,
                          [&] { return closing_ || queue_.size() >= options_.batch_spans; });
    } while (queue_.empty() && !closing_);
    std::vector<SpanData> batch;
    while (!queue_.empty() && batch.size() < options_.batch_spans) {
        batch.push_back(std::move(queue_.front()));
        queue_.pop_front();
    }
    return batch;
}

bool Exporter::WaitBeforeRetry(Duration pause) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, pause, [&] { return closing_; });
}

void Exporter::Run() {
    pthread_setname_np(pthread_self(), "span-exporter");
    Collector collector(TracesUrl(options_.endpoint));
    log::Limit complaints(std::chrono::seconds(60), clock_);
    while (true) {
        const std::vector<SpanData> batch = NextBatch();
        if (batch.empty()) return;
        const std::string body = ToOtlpJson(batch, service_, version_);
        Outcome outcome = Outcome::kTryAgain;
        std::string problem = "no time left";
        Duration pause = std::chrono::milliseconds(500);
        for (int attempt = 0; attempt < kAttemptsMax && outcome == Outcome::kTryAgain; ++attempt) {
            if (attempt > 0 && !WaitBeforeRetry(pause)) break;
            if (attempt > 0) pause *= 2;
            Duration timeout = options_.export_timeout;
            {
                const std::lock_guard lock(mutex_);
                if (closing_) {
                    timeout = std::min(timeout, std::chrono::duration_cast<Duration>(
                                                    give_up_at_ - clock_.SteadyNow()));
                }
            }
            if (timeout <= Duration(0)) break;
            outcome = collector.Post(body, timeout, problem);
        }
        if (outcome == Outcome::kSent) {
            exported_.Add(batch.size());
            continue;
        }
        dropped_.With(kExportFailed).Add(batch.size());
        if (complaints.Allow()) {
            log::Warn("tracing.export_failed", {{"problem", problem},
                                                {"spans", batch.size()},
                                                {"suppressed", complaints.TakeSuppressed()}});
        }
    }
}

}  // namespace kessai::tracing
