#include "kessai/ids/id_generator.h"

#include <algorithm>

#include "kessai/result/check.h"

namespace kessai {
namespace {

constexpr int kSequenceBits = 12;
constexpr int kWorkerBits = 10;
constexpr int kTimeShift = kSequenceBits + kWorkerBits;
constexpr std::int64_t kSequenceLimit = std::int64_t{1} << kSequenceBits;
constexpr std::int64_t kTimeLimit = std::int64_t{1} << 41;
// 2024-01-01T00:00:00Z in milliseconds since 1970.
constexpr std::int64_t kEpochMs = 1'704'067'200'000;

}  // namespace

std::int64_t IdGenerator::MillisAt(Instant instant) {
    return std::chrono::floor<std::chrono::milliseconds>(instant).time_since_epoch().count() -
           kEpochMs;
}

IdGenerator::IdGenerator(int worker, const Clock& clock, std::int64_t floor_ms)
    // The predecessor may have used every sequence number of floor_ms: begin after it.
    : clock_(clock), worker_(worker), last_ms_(floor_ms), sequence_(kSequenceLimit - 1) {
    KESSAI_CHECK(worker >= 0 && worker < kWorkers, "the worker number fits its bits");
}

std::int64_t IdGenerator::Next() {
    const std::int64_t now_ms = MillisAt(clock_.Now());
    const std::lock_guard lock(mutex_);
    if (now_ms > last_ms_) {
        last_ms_ = now_ms;
        sequence_ = 0;
    } else if (++sequence_ >= kSequenceLimit) {
        ++last_ms_;
        sequence_ = 0;
    }
    KESSAI_CHECK(last_ms_ < kTimeLimit, "the time part of ids is used up");
    return last_ms_ << kTimeShift | worker_ << kSequenceBits | sequence_;
}

void IdGenerator::Observe(std::int64_t id) {
    const std::int64_t id_ms = id >> kTimeShift;
    const std::lock_guard lock(mutex_);
    // Within one millisecond ids of a higher worker are larger: step over the whole millisecond.
    if (id_ms >= last_ms_) {
        last_ms_ = id_ms;
        sequence_ = kSequenceLimit - 1;
    }
}

std::int64_t IdGenerator::highest_ms() const {
    const std::lock_guard lock(mutex_);
    return last_ms_;
}

Instant IdGenerator::TimeOf(std::int64_t id) {
    return Instant(std::chrono::milliseconds((id >> kTimeShift) + kEpochMs));
}

int IdGenerator::WorkerOf(std::int64_t id) {
    return static_cast<int>(id >> kSequenceBits & (kWorkers - 1));
}

std::int64_t IdGenerator::LowestAt(Instant instant) {
    const auto ceiling = std::chrono::ceil<std::chrono::milliseconds>(instant);
    return std::max<std::int64_t>(0, MillisAt(ceiling)) << kTimeShift;
}

}  // namespace kessai
