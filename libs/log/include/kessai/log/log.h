#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "kessai/result/result.h"
#include "kessai/time/clock.h"

/// Structured logs: one JSON object a line on standard error.
///
///     log::Info("payment.completed", {{"payment_id", id}, {"took", took}});
///
/// gives {"ts":"2026-11-22T01:02:03.000004Z","level":"info","service":"payment",
/// "event":"payment.completed","trace_id":"…","span_id":"…","request_id":"…","payment_id":12,
/// "took_us":340}. The event is a fixed text in dotted snake_case, never made from data; data goes
/// into fields. Writing never blocks the caller: lines go through a bounded queue to one thread,
/// the oldest are dropped when it is full, and counted.
namespace kessai::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarn, kError, kOff };

/// A text that must not be printed: shows as "***". The reference lives as long as the text.
struct Secret {
    explicit Secret(std::string_view) {}
};

/// A bank account, card or wallet number: shows as "***" and its last four characters, or as "***"
/// alone when it has fewer than eight.
struct AccountNumber {
    explicit AccountNumber(std::string_view text) : digits(text) {}
    std::string_view digits;
};

/// One named value. Keeps references: it is made within the call that logs it.
class Field {
 public:
    using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool,
                               Duration, Instant, Secret, AccountNumber, const Status*>;

    Field(std::string_view name, std::string_view value) : name_(name), value_(value) {}
    Field(std::string_view name, const std::string& value)
        : name_(name), value_(std::string_view(value)) {}
    Field(std::string_view name, const char* value)
        : name_(name), value_(std::string_view(value)) {}
    template <std::signed_integral T>
    Field(std::string_view name, T value) : name_(name), value_(static_cast<std::int64_t>(value)) {}
    template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>) Field(std::string_view name, T value)
        : name_(name), value_(static_cast<std::uint64_t>(value)) {}
    template <std::floating_point T>
    Field(std::string_view name, T value) : name_(name), value_(static_cast<double>(value)) {}
    template <std::same_as<bool> T>
    Field(std::string_view name, T value) : name_(name), value_(value) {}
    /// Shows as whole microseconds, under the name with "_us" after it.
    template <class Rep, class Period>
    Field(std::string_view name, std::chrono::duration<Rep, Period> value)
        : name_(name), value_(std::chrono::duration_cast<Duration>(value)) {}
    /// Shows as RFC 3339 in UTC.
    Field(std::string_view name, Instant value) : name_(name), value_(value) {}
    Field(std::string_view name, Secret value) : name_(name), value_(value) {}
    Field(std::string_view name, AccountNumber value) : name_(name), value_(value) {}
    /// Shows as "CODE REASON: message".
    Field(std::string_view name, const Status& value) : name_(name), value_(&value) {}
    /// Anything with a `value()` that is a field's value, such as StrongId.
    template <class T>
    requires requires(const T& id) {
        { id.value() } -> std::integral;
        { id.is_none() } -> std::same_as<bool>;
    }
    Field(std::string_view name, const T& id) : Field(name, id.value()) {}

    std::string_view name() const { return name_; }
    const Value& value() const { return value_; }

 private:
    std::string_view name_;
    Value value_;
};

using Fields = std::initializer_list<Field>;

/// What a request's lines have in common. Cheap to copy, so that it can travel with a request over
/// threads and coroutines.
struct Context {
    /// Lower-case hex as in traceparent; all NUL when there is none.
    std::array<char, 32> trace_id{};
    std::array<char, 16> span_id{};
    /// At most 64 characters are kept.
    std::array<char, 64> request_id{};

    void SetRequestId(std::string_view id);
};

/// Gives this thread's lines a context until the end of the scope; the one before comes back then.
/// Must not live across a co_await: pass the Context along and log with it instead.
class ContextScope {
 public:
    explicit ContextScope(const Context& context);
    ~ContextScope();
    ContextScope(const ContextScope&) = delete;
    ContextScope& operator=(const ContextScope&) = delete;

 private:
    Context context_;
    const Context* before_;
};

/// The context of this thread's lines, or an empty one.
const Context& CurrentContext();

struct Options {
    Level level = Level::kInfo;
    /// Lines that wait for the writer; the oldest is dropped when one more comes. A line is at
    /// most 16 KiB, longer ones are cut field by field.
    std::size_t queue_lines = 8192;
};

/// The process's log while it lives; there is one at a time. Before and after it, only warnings
/// and errors are written, at once, by the thread that logs them.
class Output {
 public:
    /// Writes to `descriptor` (standard error unless a test says otherwise), which stays the
    /// caller's.
    Output(std::string_view service, const Options& options, int descriptor = 2,
           const Clock& clock = SystemClock());
    /// Writes what waits, for two seconds at most.
    ~Output();
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;
};

/// Lines dropped since the start, because the queue was full or the descriptor did not take them.
std::uint64_t DroppedLines();
/// Changes the level at run time.
void SetLevel(Level level);

namespace internal {
extern std::atomic<Level> least_level;
void Write(Level level, const Context& context, std::string_view event, Fields fields);
}  // namespace internal

inline bool Enabled(Level level) {
    return level >= internal::least_level.load(std::memory_order_relaxed);
}

inline void Debug(std::string_view event, Fields fields = {}) {
    if (Enabled(Level::kDebug)) internal::Write(Level::kDebug, CurrentContext(), event, fields);
}
inline void Info(std::string_view event, Fields fields = {}) {
    if (Enabled(Level::kInfo)) internal::Write(Level::kInfo, CurrentContext(), event, fields);
}
inline void Warn(std::string_view event, Fields fields = {}) {
    if (Enabled(Level::kWarn)) internal::Write(Level::kWarn, CurrentContext(), event, fields);
}
inline void Error(std::string_view event, Fields fields = {}) {
    if (Enabled(Level::kError)) internal::Write(Level::kError, CurrentContext(), event, fields);
}

// The same with the context given, for code that changes threads.
inline void Debug(const Context& context, std::string_view event, Fields fields = {}) {
    if (Enabled(Level::kDebug)) internal::Write(Level::kDebug, context, event, fields);
}
inline void Info(const Context& context, std::string_view event, Fields fields = {}) {
    if (Enabled(Level::kInfo)) internal::Write(Level::kInfo, context, event, fields);
}
inline void Warn(const Context& context, std::string_view event, Fields fields = {}) {
    if (Enabled(Level::kWarn)) internal::Write(Level::kWarn, context, event, fields);
}
inline void Error(const Context& context, std::string_view event, Fields fields = {}) {
    if (Enabled(Level::kError)) internal::Write(Level::kError, context, event, fields);
}

/// Lets one line in `every` through, for what may happen thousands of times a second. Thread safe.
///
///     static log::Limit limit(1s);
///     if (limit.Allow()) log::Warn("…", {{"suppressed", limit.TakeSuppressed()}});
class Limit {
 public:
    explicit Limit(Duration every, const Clock& clock = SystemClock())
        : every_(every), clock_(clock) {}
    bool Allow();
    /// How many were not allowed since this was last asked.
    std::uint64_t TakeSuppressed() { return suppressed_.exchange(0); }

 private:
    const Duration every_;
    const Clock& clock_;
    std::atomic<std::int64_t> next_us_{0};
    std::atomic<std::uint64_t> suppressed_{0};
};

}  // namespace kessai::log
