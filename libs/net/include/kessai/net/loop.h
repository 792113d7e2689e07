#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <string>

#include "kessai/net/unique_function.h"
#include "kessai/time/clock.h"

namespace boost::asio {
class io_context;
}

namespace kessai::net {

using Work = UniqueFunction<void()>;

class Timer;

/// One thread with one event loop (Boost.Asio's io_context). What belongs to a loop (streams,
/// timers, coroutines that wait for them) is touched on its thread only, so nothing in it locks.
///
/// Post and Resume may be called from any thread; all else on the loop's thread, or before Start.
/// Whoever owns a loop ends what runs on it before Stop: a coroutine that still waits then is lost.
class Loop {
 public:
    explicit Loop(std::string name);
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    void Start();
    /// Runs what was posted before it, then ends the thread. Again does nothing.
    void Stop();
    bool InLoop() const;
    const std::string& name() const;

    /// Runs `work` on the loop's thread, in the order of posting. Many posts cost one wake-up.
    void Post(Work work);
    /// Resumes `waiting` on the loop's thread.
    void Resume(std::coroutine_handle<> waiting);
    /// Runs `work` after the handlers that are ready now: to gather what they have to send.
    void Defer(Work work);

    /// `co_await loop.Switch()`: goes on on the loop's thread.
    auto Switch() {
        struct Awaiter {
            Loop& loop;
            bool await_ready() const { return loop.InLoop(); }
            void await_suspend(std::coroutine_handle<> self) { loop.Resume(self); }
            void await_resume() const {}
        };
        return Awaiter{*this};
    }
    /// `co_await loop.Yield()`: lets others that are ready go first.
    auto Yield() {
        struct Awaiter {
            Loop& loop;
            bool await_ready() const { return false; }
            void await_suspend(std::coroutine_handle<> self) {
                loop.Defer([self] { self.resume(); });
            }
            void await_resume() const {}
        };
        return Awaiter{*this};
    }
    /// `co_await loop.Sleep(5s)`, to the wheel's tick of 10 ms.
    auto Sleep(Duration time);

    boost::asio::io_context& context();

 private:
    friend class Timer;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Calls back once when its time has come, never early, at most some 10 ms late. Setting and moving
/// it costs some nanoseconds (a hashed wheel), so there may be one a request. Loop's thread only.
class Timer {
 public:
    Timer(Loop& loop, Work on_expiry) : loop_(loop), on_expiry_(std::move(on_expiry)) {}
    ~Timer() { Unlink(); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    void ExpiresAt(SteadyInstant when);
    void ExpiresAfter(Duration time);
    void Cancel() {
        due_ = SteadyInstant::max();
        Unlink();
    }
    /// SteadyInstant::max() when it is not set.
    SteadyInstant due() const { return due_; }

 private:
    friend class Loop;
    void Unlink();

    Loop& loop_;
    Work on_expiry_;
    SteadyInstant due_ = SteadyInstant::max();
    std::int64_t tick_ = 0;
    Timer* next_ = nullptr;
    Timer** link_ = nullptr;  // who points at us; null when not in the wheel
};

inline auto Loop::Sleep(Duration time) {
    struct Awaiter {
        Loop& loop;
        Duration time;
        std::coroutine_handle<> waiter;
        Timer timer;
        Awaiter(Loop& on, Duration sleep)
            : loop(on), time(sleep), timer(on, [this] { waiter.resume(); }) {}
        bool await_ready() const { return time <= Duration::zero(); }
        void await_suspend(std::coroutine_handle<> self) {
            waiter = self;
            timer.ExpiresAfter(time);
        }
        void await_resume() const {}
    };
    return Awaiter(*this, time);
}

}  // namespace kessai::net
