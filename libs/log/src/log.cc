#include "kessai/log/log.h"

#include <poll.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/sink.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <mutex>
#include <shared_mutex>

#include "record.h"

namespace kessai::log {
namespace {

constexpr std::chrono::seconds kCloseTimeout{2};
/// What a pipe that polls as writable takes without blocking: Linux's PIPE_BUF.
constexpr std::size_t kPipeBytesMax = 4096;
/// Lines are gathered up to this while more are waiting.
constexpr std::size_t kGatheredBytesMax = 64 << 10;

/// Lines that the writer could not write, and those dropped by outputs that are gone.
std::atomic<std::uint64_t> lines_lost{0};

std::size_t WriteBytesMax(int descriptor) {
    struct stat about {};
    const bool is_file = ::fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
    return is_file ? kGatheredBytesMax + internal::kLineBytesMax : kPipeBytesMax;
}

/// Writes lines to a descriptor, several at a time while more are waiting. Waits while it takes
/// nothing; once closing, not for longer than the rest of kCloseTimeout, so that a stuck reader
/// cannot hold the process. Called by the writer's thread.
class DescriptorSink final : public spdlog::sinks::sink {
 public:
    DescriptorSink(int descriptor, const Clock& clock)
        : descriptor_(descriptor), write_bytes_max_(WriteBytesMax(descriptor)), clock_(clock) {}

    /// The queue that the lines come from; before the first of them.
    void From(spdlog::details::thread_pool& queue) { queue_ = &queue; }

    void Close() {
        give_up_at_.store((clock_.SteadyNow() + kCloseTimeout).time_since_epoch().count());
    }
    /// After the writer's thread has ended.
    void Finish() { WriteGathered(); }

    void log(const spdlog::details::log_msg& message) override {
        gathered_.append(message.payload.data(), message.payload.size());
        if (gathered_.size() >= kGatheredBytesMax || queue_->queue_size() == 0) WriteGathered();
    }
    void flush() override {}
    void set_pattern(const std::string&) override {}
    void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

 private:
    void WriteGathered() {
        std::string_view rest = gathered_;
        while (!rest.empty() && WaitUntilWritable()) {
            const ssize_t written =
                ::write(descriptor_, rest.data(), std::min(rest.size(), write_bytes_max_));
            if (written < 0 && errno != EAGAIN && errno != EINTR) break;
            if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
        }
        const auto lost = std::count(rest.begin(), rest.end(), '\n');
        lines_lost.fetch_add(static_cast<std::uint64_t>(lost), std::memory_order_relaxed);
        gathered_.clear();
    }

    bool WaitUntilWritable() const {
        constexpr int kSliceMs = 50;
        while (true) {
            const auto give_up_at = give_up_at_.load(std::memory_order_relaxed);
            const bool late =
                give_up_at != 0 && clock_.SteadyNow().time_since_epoch().count() >= give_up_at;
            pollfd waiting{descriptor_, POLLOUT, 0};
            const int ready = ::poll(&waiting, 1, late ? 0 : kSliceMs);
            if (ready > 0) return (waiting.revents & (POLLERR | POLLNVAL)) == 0;
            if (late || (ready < 0 && errno != EINTR)) return false;
        }
    }

    const int descriptor_;
    const std::size_t write_bytes_max_;
    const Clock& clock_;
    spdlog::details::thread_pool* queue_ = nullptr;
    std::string gathered_;
    std::atomic<SteadyInstant::rep> give_up_at_{0};
};

struct Backend {
    std::string service;
    const Clock& clock;
    std::shared_ptr<DescriptorSink> sink;
    std::shared_ptr<spdlog::details::thread_pool> writer;
    std::shared_ptr<spdlog::async_logger> logger;
};

/// Shared by those that log, exclusive for coming and going.
std::shared_mutex backend_mutex;
std::unique_ptr<Backend> backend;

thread_local const Context* current_context = nullptr;

void WriteAtOnce(std::string_view line) {
    while (!line.empty()) {
        const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
        if (written < 0 && errno != EINTR) return;
        if (written > 0) line.remove_prefix(static_cast<std::size_t>(written));
    }
}

}  // namespace

namespace internal {

std::atomic<Level> least_level{Level::kWarn};

void Write(Level at_level, const Context& context, std::string_view event, Fields fields) {
    thread_local std::string line;
    line.clear();
    const std::shared_lock lock(backend_mutex);
    if (backend == nullptr) {
        Render(line, SystemClock().Now(), at_level, "-", context, event, fields);
        WriteAtOnce(line);
        return;
    }
    Render(line, backend->clock.Now(), at_level, backend->service, context, event, fields);
    backend->logger->log(spdlog::level::critical, line);
}

}  // namespace internal

Output::Output(std::string_view service, const Options& options, int descriptor,
               const Clock& clock) {
    auto sink = std::make_shared<DescriptorSink>(descriptor, clock);
    auto writer = std::make_shared<spdlog::details::thread_pool>(
        std::max<std::size_t>(options.queue_lines, 1), 1);
    sink->From(*writer);
    auto logger = std::make_shared<spdlog::async_logger>(
        std::string(service), sink, writer, spdlog::async_overflow_policy::overrun_oldest);
    const std::unique_lock lock(backend_mutex);
    KESSAI_CHECK(backend == nullptr, "a process has one log at a time");
    backend = std::make_unique<Backend>(Backend{std::string(service), clock, std::move(sink),
                                                std::move(writer), std::move(logger)});
    SetLevel(options.level);
}

Output::~Output() {
    std::unique_ptr<Backend> closing;
    {
        const std::unique_lock lock(backend_mutex);
        SetLevel(Level::kWarn);
        closing = std::move(backend);
    }
    closing->sink->Close();
    lines_lost.fetch_add(closing->writer->overrun_counter(), std::memory_order_relaxed);
    closing->writer.reset();  // takes what waits, then joins its thread
    closing->sink->Finish();
}

std::uint64_t DroppedLines() {
    const std::shared_lock lock(backend_mutex);
    const std::uint64_t lost = lines_lost.load(std::memory_order_relaxed);
    return backend == nullptr ? lost : lost + backend->writer->overrun_counter();
}

void SetLevel(Level level) {
    internal::least_level.store(level, std::memory_order_relaxed);
}

void Context::SetRequestId(std::string_view id) {
    request_id = {};
    std::copy_n(id.begin(), std::min(id.size(), request_id.size()), request_id.begin());
}

ContextScope::ContextScope(const Context& context) : context_(context), before_(current_context) {
    current_context = &context_;
}

ContextScope::~ContextScope() {
    current_context = before_;
}

const Context& CurrentContext() {
    static const Context none;
    return current_context == nullptr ? none : *current_context;
}

bool Limit::Allow() {
    const auto now_us = std::chrono::duration_cast<Duration>(clock_.SteadyNow().time_since_epoch());
    std::int64_t next_us = next_us_.load(std::memory_order_relaxed);
    if (now_us.count() >= next_us &&
        next_us_.compare_exchange_strong(next_us, now_us.count() + every_.count())) {
        return true;
    }
    suppressed_.fetch_add(1, std::memory_order_relaxed);
    return false;
}

}  // namespace kessai::log
