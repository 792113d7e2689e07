#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kessai/rpc/batch_stream_client.h"
#include "kessai/time/clock.h"

namespace kessai::rpc {

/// The window of a BatchStreamClient: every command from Reserve to its end, which of them wait to
/// be sent (in order), which were sent on which stream, and which expire when. All operations but
/// `TakeSentOn` take constant time. Not thread safe: its owner's mutex guards it.
///
/// A sequence names a place and how often that was used, so that a late answer finds nothing.
class OpenCommands {
 public:
    using Open = BatchStreamClientCore::Open;
    using Sequence = std::uint64_t;

    explicit OpenCommands(int open_max);

    /// 0 when all places are taken.
    Sequence Reserve();
    void Unreserve(Sequence sequence);
    /// Precondition: reserved.
    void Queue(Sequence sequence, std::string bytes, SteadyInstant now, SteadyInstant deadline,
               std::unique_ptr<Open> open);

    /// The oldest that waits to be sent is now sent on `stream`. Precondition: waiting() > 0.
    std::string Send(std::uint64_t stream);
    /// How many wait, and how many bytes they have.
    int waiting() const { return waiting_; }
    std::size_t waiting_bytes() const { return waiting_bytes_; }
    std::size_t next_bytes();
    /// Since when the oldest waits. Precondition: waiting() > 0.
    SteadyInstant waiting_since();

    /// The command, when it was sent on `stream` and has not ended; else null.
    std::unique_ptr<Open> Take(Sequence sequence, std::uint64_t stream);
    /// All that were sent on `stream`.
    std::vector<std::unique_ptr<Open>> TakeSentOn(std::uint64_t stream);
    /// The oldest that waits. Precondition: waiting() > 0.
    std::unique_ptr<Open> TakeWaiting();

    struct Expired {
        std::unique_ptr<Open> open;
        /// 0: it was never sent.
        std::uint64_t stream;
    };
    /// Those whose deadline has passed.
    std::vector<Expired> TakeExpired(SteadyInstant now);

    /// Reserved, waiting and sent.
    int size() const { return static_cast<int>(places_.size() - free_.size()); }

 private:
    // Deadlines in a wheel of 10 ms buckets; one beyond its horizon goes round again.
    static constexpr std::size_t kBuckets = 1'024;
    static constexpr auto kTick = std::chrono::milliseconds(10);
    static constexpr std::uint32_t kNone = UINT32_MAX;

    enum class Phase : std::uint8_t { kFree, kReserved, kWaiting, kSent };

    struct Place {
        std::uint32_t uses = 1;
        Phase phase = Phase::kFree;
        std::uint32_t previous = kNone;
        std::uint32_t next = kNone;
        std::uint32_t bucket = kNone;
        std::uint64_t stream = 0;
        SteadyInstant since{};
        SteadyInstant deadline{};
        std::string bytes;
        std::unique_ptr<Open> open;
    };

    static Sequence SequenceOf(std::uint32_t index, const Place& place) {
        return static_cast<Sequence>(place.uses) << 32 | index;
    }
    static std::int64_t TickOf(SteadyInstant instant) { return instant.time_since_epoch() / kTick; }
    /// Null when the sequence is of an earlier use.
    Place* Find(Sequence sequence);
    std::uint32_t IndexOf(const Place& place) const {
        return static_cast<std::uint32_t>(&place - places_.data());
    }
    std::unique_ptr<Open> Release(Place& place);
    void Link(Place& place, std::int64_t from_tick);
    void Unlink(Place& place);
    /// Drops what has ended from the front of the queue.
    void Trim();

    std::vector<Place> places_;
    std::vector<std::uint32_t> free_;
    // In order of arrival; what expired meanwhile stays until it comes to the front.
    std::deque<Sequence> queue_;
    int waiting_ = 0;
    std::size_t waiting_bytes_ = 0;
    std::array<std::uint32_t, kBuckets> buckets_;
    std::int64_t last_tick_ = -1;
};

}  // namespace kessai::rpc
