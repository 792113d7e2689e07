#include <charconv>
#include <cstdio>
#include <mutex>
#include <thread>

#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::seconds;

constexpr hours kJstOffset{9};

class MachineClock final : public Clock {
 public:
    Instant Now() const override {
        return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    }
    SteadyInstant SteadyNow() const override { return std::chrono::steady_clock::now(); }
    void SleepFor(Duration duration) const override { std::this_thread::sleep_for(duration); }
};

Status Malformed(std::string_view text) {
    return Status(Code::kInvalidArgument, "DATE_MALFORMED",
                  "not a date (YYYY-MM-DD): " + std::string(text));
}

std::string FormatLocal(Instant local, const char* suffix) {
    const auto day = floor<days>(local);
    const std::chrono::year_month_day date(day);
    const auto since_midnight = floor<seconds>(local - day).count();
    char text[48];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d%s",
                  static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), static_cast<int>(since_midnight / 3600),
                  static_cast<int>(since_midnight / 60 % 60), static_cast<int>(since_midnight % 60),
                  suffix);
    return text;
}

}  // namespace

const Clock& SystemClock() {
    static const MachineClock clock;
    return clock;
}

struct ManualClock::State {
    std::mutex mutex;
    Instant now;
    SteadyInstant steady;
};

ManualClock::ManualClock(Instant start) : state_(std::make_shared<State>()) {
    state_->now = start;
}

Instant ManualClock::Now() const {
    const std::lock_guard lock(state_->mutex);
    return state_->now;
}

SteadyInstant ManualClock::SteadyNow() const {
    const std::lock_guard lock(state_->mutex);
    return state_->steady;
}

void ManualClock::SleepFor(Duration duration) const {
    const std::lock_guard lock(state_->mutex);
    state_->now += duration;
    state_->steady += duration;
}

void ManualClock::Advance(Duration by) {
    const std::lock_guard lock(state_->mutex);
    state_->now += by;
    state_->steady += by;
}

void ManualClock::Set(Instant to) {
    const std::lock_guard lock(state_->mutex);
    state_->now = to;
}

Result<BusinessDate> BusinessDate::Parse(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return Malformed(text);
    std::int32_t number = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (i == 4 || i == 7) continue;
        if (text[i] < '0' || text[i] > '9') return Malformed(text);
        number = number * 10 + (text[i] - '0');
    }
    auto date = FromNumber(number);
    if (!date.ok()) return Malformed(text);
    return date;
}

Result<BusinessDate> BusinessDate::FromNumber(std::int32_t yyyymmdd) {
    const std::chrono::year_month_day date(
        std::chrono::year(yyyymmdd / 10'000),
        std::chrono::month(static_cast<unsigned>(yyyymmdd / 100 % 100)),
        std::chrono::day(static_cast<unsigned>(yyyymmdd % 100)));
    if (yyyymmdd < 19'000'101 || yyyymmdd > 99'991'231 || !date.ok()) {
        return Malformed(std::to_string(yyyymmdd));
    }
    return BusinessDate(std::chrono::sys_days(date));
}

BusinessDate BusinessDate::OfJst(Instant instant) {
    return BusinessDate(floor<days>(instant + kJstOffset));
}

std::string BusinessDate::ToString() const {
    const std::int32_t number = ToNumber();
    char text[32];
    std::snprintf(text, sizeof text, "%04d-%02d-%02d", number / 10'000, number / 100 % 100,
                  number % 100);
    return text;
}

std::int32_t BusinessDate::ToNumber() const {
    const std::chrono::year_month_day date(day_);
    return static_cast<int>(date.year()) * 10'000 +
           static_cast<std::int32_t>(static_cast<unsigned>(date.month())) * 100 +
           static_cast<std::int32_t>(static_cast<unsigned>(date.day()));
}

Instant BusinessDate::StartsAt() const {
    return Instant(day_) - kJstOffset;
}

std::string FormatUtc(Instant instant) {
    return FormatLocal(instant, "Z");
}
std::string FormatJst(Instant instant) {
    return FormatLocal(instant + kJstOffset, "+09:00");
}

}  // namespace kessai
