#include "open_commands.h"

#include <algorithm>

#include "kessai/result/check.h"

namespace kessai::rpc {

OpenCommands::OpenCommands(int open_max) : places_(static_cast<std::size_t>(open_max)) {
    KESSAI_CHECK(open_max > 0, "a window has a place");
    free_.reserve(places_.size());
    // The lowest are used first, so that a quiet client touches little memory.
    for (std::size_t i = places_.size(); i > 0; --i) {
        free_.push_back(static_cast<std::uint32_t>(i - 1));
    }
    buckets_.fill(kNone);
}

OpenCommands::Sequence OpenCommands::Reserve() {
    if (free_.empty()) return 0;
    const std::uint32_t index = free_.back();
    free_.pop_back();
    places_[index].phase = Phase::kReserved;
    return SequenceOf(index, places_[index]);
}

OpenCommands::Place* OpenCommands::Find(Sequence sequence) {
    const auto index = static_cast<std::uint32_t>(sequence);
    if (index >= places_.size()) return nullptr;
    Place& place = places_[index];
    return place.phase != Phase::kFree && SequenceOf(index, place) == sequence ? &place : nullptr;
}

void OpenCommands::Unreserve(Sequence sequence) {
    Place* place = Find(sequence);
    KESSAI_CHECK(place != nullptr && place->phase == Phase::kReserved, "not a reserved place");
    Release(*place);
}

void OpenCommands::Queue(Sequence sequence, std::string bytes, SteadyInstant now,
                         SteadyInstant deadline, std::unique_ptr<Open> open) {
    Place* place = Find(sequence);
    KESSAI_CHECK(place != nullptr && place->phase == Phase::kReserved, "not a reserved place");
    if (last_tick_ < 0) last_tick_ = TickOf(now);
    place->phase = Phase::kWaiting;
    place->since = now;
    place->deadline = deadline;
    place->bytes = std::move(bytes);
    place->open = std::move(open);
    ++waiting_;
    waiting_bytes_ += place->bytes.size();
    queue_.push_back(sequence);
    Link(*place, last_tick_);
}

void OpenCommands::Trim() {
    while (!queue_.empty()) {
        const Place* place = Find(queue_.front());
        if (place != nullptr && place->phase == Phase::kWaiting) return;
        queue_.pop_front();
    }
}

std::size_t OpenCommands::next_bytes() {
    Trim();
    return Find(queue_.front())->bytes.size();
}

SteadyInstant OpenCommands::waiting_since() {
    Trim();
    return Find(queue_.front())->since;
}

std::string OpenCommands::Send(std::uint64_t stream) {
    Trim();
    KESSAI_CHECK(!queue_.empty(), "nothing waits");
    Place& place = *Find(queue_.front());
    queue_.pop_front();
    place.phase = Phase::kSent;
    place.stream = stream;
    --waiting_;
    waiting_bytes_ -= place.bytes.size();
    return std::move(place.bytes);
}

std::unique_ptr<OpenCommands::Open> OpenCommands::Release(Place& place) {
    if (place.phase == Phase::kWaiting) {
        --waiting_;
        waiting_bytes_ -= place.bytes.size();
    }
    Unlink(place);
    place.phase = Phase::kFree;
    place.stream = 0;
    place.bytes.clear();
    // Never 0, so that no sequence is.
    if (++place.uses == 0) place.uses = 1;
    free_.push_back(IndexOf(place));
    return std::move(place.open);
}

std::unique_ptr<OpenCommands::Open> OpenCommands::Take(Sequence sequence, std::uint64_t stream) {
    Place* place = Find(sequence);
    if (place == nullptr || place->phase != Phase::kSent || place->stream != stream) return nullptr;
    return Release(*place);
}

std::vector<std::unique_ptr<OpenCommands::Open>> OpenCommands::TakeSentOn(std::uint64_t stream) {
    std::vector<std::unique_ptr<Open>> taken;
    for (Place& place : places_) {
        if (place.phase == Phase::kSent && place.stream == stream) taken.push_back(Release(place));
    }
    return taken;
}

std::unique_ptr<OpenCommands::Open> OpenCommands::TakeWaiting() {
    Trim();
    KESSAI_CHECK(!queue_.empty(), "nothing waits");
    Place& place = *Find(queue_.front());
    queue_.pop_front();
    return Release(place);
}

void OpenCommands::Link(Place& place, std::int64_t from_tick) {
    // Looked at in the first tick that begins after the deadline, at most a whole turn from now.
    const std::int64_t tick = std::clamp<std::int64_t>(
        TickOf(place.deadline) + 1, from_tick + 1, from_tick + static_cast<std::int64_t>(kBuckets));
    place.bucket = static_cast<std::uint32_t>(static_cast<std::size_t>(tick) % kBuckets);
    place.previous = kNone;
    place.next = buckets_[place.bucket];
    if (place.next != kNone) places_[place.next].previous = IndexOf(place);
    buckets_[place.bucket] = IndexOf(place);
}

void OpenCommands::Unlink(Place& place) {
    if (place.bucket == kNone) return;
    if (place.previous != kNone) {
        places_[place.previous].next = place.next;
    } else {
        buckets_[place.bucket] = place.next;
    }
    if (place.next != kNone) places_[place.next].previous = place.previous;
    place.bucket = place.previous = place.next = kNone;
}

std::vector<OpenCommands::Expired> OpenCommands::TakeExpired(SteadyInstant now) {
    std::vector<Expired> expired;
    if (last_tick_ < 0) return expired;
    const std::int64_t now_tick = TickOf(now);
    // After a pause of more than a turn, one turn sees everything.
    std::int64_t tick = std::max(last_tick_ + 1, now_tick - static_cast<std::int64_t>(kBuckets));
    for (; tick <= now_tick; ++tick) {
        std::uint32_t index =
            std::exchange(buckets_[static_cast<std::size_t>(tick) % kBuckets], kNone);
        while (index != kNone) {
            Place& place = places_[index];
            index = place.next;
            place.bucket = place.previous = place.next = kNone;
            if (place.deadline <= now) {
                const std::uint64_t stream = place.stream;
                expired.push_back({Release(place), stream});
            } else {
                Link(place, now_tick);
            }
        }
    }
    last_tick_ = std::max(last_tick_, now_tick);
    Trim();
    return expired;
}

}  // namespace kessai::rpc
