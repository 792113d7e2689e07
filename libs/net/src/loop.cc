#include "kessai/net/loop.h"

#include <pthread.h>

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "kessai/result/check.h"

namespace kessai::net {

namespace {
constexpr auto kTick = std::chrono::milliseconds(10);
constexpr std::size_t kSlots = 512;  // one turn of the wheel is some 5 s; later timers go round

std::int64_t TickOf(SteadyInstant when) {
    // Rounded up, so that a timer is never early.
    const auto since = when.time_since_epoch();
    return (since + kTick - std::chrono::nanoseconds(1)) / kTick;
}
}  // namespace

struct Loop::Impl {
    explicit Impl(std::string loop_name)
        : name(std::move(loop_name)), context(1), guard(context.get_executor()), ticker(context) {}

    std::string name;
    boost::asio::io_context context;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard;
    boost::asio::steady_timer ticker;
    std::thread thread;
    std::atomic<std::thread::id> thread_id{};
    bool stopped = false;

    std::mutex mutex;
    std::vector<Work> mailbox;   // guarded by mutex
    std::vector<Work> draining;  // the loop's own

    std::array<Timer*, kSlots> wheel{};
    std::size_t timers = 0;
    std::int64_t last_tick = 0;
    bool ticking = false;

    void Drain() {
        {
            const std::lock_guard lock(mutex);
            draining.swap(mailbox);
        }
        for (auto& work : draining) work();
        draining.clear();
    }

    void Link(Timer& timer) {
        Timer*& head = wheel[static_cast<std::size_t>(timer.tick_) % kSlots];
        timer.next_ = head;
        if (head != nullptr) head->link_ = &timer.next_;
        timer.link_ = &head;
        head = &timer;
        ++timers;
        if (!ticking) {
            ticking = true;
            last_tick = TickOf(SystemClock().SteadyNow()) - 1;
            Tick();
        }
    }

    void Tick() {
        ticker.expires_after(kTick);
        ticker.async_wait([this](const boost::system::error_code& error) {
            if (error) return;
            Expire();
        });
    }

    void Expire() {
        const SteadyInstant now = SystemClock().SteadyNow();
        const std::int64_t now_tick = now.time_since_epoch() / kTick;
        // After a long stall one turn visits every slot.
        const std::int64_t from =
            std::max(last_tick + 1, now_tick - static_cast<std::int64_t>(kSlots) + 1);
        last_tick = std::max(last_tick, now_tick);
        Timer* expired = nullptr;
        for (std::int64_t tick = from; tick <= now_tick; ++tick) {
            Timer* timer = wheel[static_cast<std::size_t>(tick) % kSlots];
            while (timer != nullptr) {
                Timer* next = timer->next_;
                if (timer->tick_ <= now_tick) {
                    timer->Unlink();
                    if (timer->due_ <= now) {
                        // A list of its own: a callback may cancel or destroy any other timer.
                        timer->next_ = expired;
                        if (expired != nullptr) expired->link_ = &timer->next_;
                        timer->link_ = &expired;
                        expired = timer;
                        ++timers;
                    } else {
                        // It was moved to a later time while linked.
                        timer->tick_ = TickOf(timer->due_);
                        Link(*timer);
                    }
                }
                timer = next;
            }
        }
        while (expired != nullptr) {
            Timer* timer = expired;
            timer->Unlink();
            timer->due_ = SteadyInstant::max();
            timer->on_expiry_();
        }
        if (timers == 0) {
            ticking = false;
        } else {
            Tick();
        }
    }
};

Loop::Loop(std::string name) : impl_(std::make_unique<Impl>(std::move(name))) {}

Loop::~Loop() {
    Stop();
}

void Loop::Start() {
    KESSAI_CHECK(!impl_->thread.joinable(), "a loop starts once");
    impl_->thread = std::thread([this] {
        pthread_setname_np(pthread_self(), impl_->name.substr(0, 15).c_str());
        impl_->thread_id = std::this_thread::get_id();
        impl_->context.run();
    });
}

void Loop::Stop() {
    if (impl_->stopped) return;
    impl_->stopped = true;
    KESSAI_CHECK(!InLoop(), "a loop can't wait for itself");
    if (!impl_->thread.joinable()) return;
    Post([this] { impl_->context.stop(); });
    impl_->thread.join();
}

bool Loop::InLoop() const {
    return impl_->thread_id.load(std::memory_order_relaxed) == std::this_thread::get_id();
}

const std::string& Loop::name() const {
    return impl_->name;
}

void Loop::Post(Work work) {
    bool wake;
    {
        const std::lock_guard lock(impl_->mutex);
        wake = impl_->mailbox.empty();
        impl_->mailbox.push_back(std::move(work));
    }
    if (wake) boost::asio::post(impl_->context, [impl = impl_.get()] { impl->Drain(); });
}

void Loop::Resume(std::coroutine_handle<> waiting) {
    Post([waiting] { waiting.resume(); });
}

void Loop::Defer(Work work) {
    // Asio wants copyable-free move-only handlers to be movable only: a Work is.
    boost::asio::post(impl_->context, [deferred = std::move(work)]() mutable { deferred(); });
}

boost::asio::io_context& Loop::context() {
    return impl_->context;
}

void Timer::ExpiresAfter(Duration time) {
    ExpiresAt(SystemClock().SteadyNow() + time);
}

void Timer::ExpiresAt(SteadyInstant when) {
    due_ = when;
    if (when == SteadyInstant::max()) return Unlink();
    const std::int64_t tick = TickOf(when);
    if (link_ != nullptr) {
        // Later than where it hangs: it is moved when the wheel comes by, which costs nothing now.
        if (tick >= tick_) return;
        Unlink();
    }
    auto& impl = *loop_.impl_;
    tick_ = std::max(tick, impl.ticking ? impl.last_tick + 1 : 0);
    impl.Link(*this);
}

void Timer::Unlink() {
    if (link_ == nullptr) return;
    *link_ = next_;
    if (next_ != nullptr) next_->link_ = link_;
    next_ = nullptr;
    link_ = nullptr;
    --loop_.impl_->timers;
}

}  // namespace kessai::net
