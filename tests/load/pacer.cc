#include "load/pacer.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cmath>
#include <utility>
#include <vector>

namespace kessai::load {

namespace {
/// Moments closer together share a wake-up: it costs some microseconds, as much as a request.
constexpr auto kWakeGap = std::chrono::microseconds(250);
/// Moments handled before others on the loop get their turn.
constexpr int kPortion = 16;
}  // namespace

SteadyInstant Schedule::At(std::uint64_t n) const {
    const double ns = static_cast<double>(n) * 1e9 / per_second_;
    return first_ + std::chrono::nanoseconds(static_cast<std::int64_t>(std::llround(ns)));
}

std::uint64_t Schedule::DueBy(SteadyInstant now) const {
    if (now < first_) return 0;
    const double elapsed_s = std::chrono::duration<double>(now - first_).count();
    auto n = static_cast<std::uint64_t>(elapsed_s * per_second_) + 1;
    // Rounding may be one off either way.
    while (n > 0 && At(n - 1) > now) --n;
    while (At(n) <= now) ++n;
    return n;
}

struct Pacer::Impl : std::enable_shared_from_this<Impl> {
    struct Lane {
        Schedule schedule;
        std::uint64_t count;
        OnDue on_due;
        std::uint64_t next = 0;
    };

    Impl(net::Loop& on, const Clock& time) : loop(on), clock(time), timer(on.context()) {}

    net::Loop& loop;
    const Clock& clock;
    boost::asio::steady_timer timer;
    std::vector<Lane> lanes;
    net::Work on_done;
    Histogram lateness;
    SteadyInstant woken{};
    bool stopped = false;

    /// The lane whose next moment is first; null when all are done.
    Lane* First() {
        Lane* first = nullptr;
        SteadyInstant when;
        for (Lane& lane : lanes) {
            if (lane.next >= lane.count) continue;
            const SteadyInstant at = lane.schedule.At(lane.next);
            if (first == nullptr || at < when) {
                first = &lane;
                when = at;
            }
        }
        return first;
    }

    void Turn() {
        if (stopped) return;
        woken = clock.SteadyNow();
        for (int portion = 0; portion < kPortion; ++portion) {
            Lane* lane = First();
            if (lane == nullptr) {
                stopped = true;
                if (on_done) on_done();
                return;
            }
            const SteadyInstant intended = lane->schedule.At(lane->next);
            // Not `woken`: calls take time, and a moment that came meanwhile is due.
            const SteadyInstant now = clock.SteadyNow();
            if (intended > now) return Sleep(intended);
            lateness.Record(std::chrono::duration_cast<Duration>(now - intended));
            lane->on_due(lane->next++, intended);
            if (stopped) return;
        }
        loop.Defer([self = shared_from_this()] { self->Turn(); });
    }

    void Sleep(SteadyInstant until) {
        timer.expires_at(std::max(until, woken + kWakeGap));
        timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
            if (!error) self->Turn();
        });
    }
};

Pacer::Pacer(net::Loop& loop, const Clock& clock) : impl_(std::make_shared<Impl>(loop, clock)) {}
Pacer::~Pacer() {
    Stop();
}

void Pacer::Add(const Schedule& schedule, std::uint64_t count, OnDue on_due) {
    impl_->lanes.push_back({schedule, count, std::move(on_due)});
}

void Pacer::Start(net::Work on_done) {
    impl_->on_done = std::move(on_done);
    impl_->Turn();
}

void Pacer::Stop() {
    impl_->stopped = true;
    impl_->timer.cancel();
}

const Histogram& Pacer::lateness() const {
    return impl_->lateness;
}

}  // namespace kessai::load
