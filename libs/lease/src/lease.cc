#include "kessai/lease/lease.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "kessai/result/check.h"
#include "periodic_thread.h"

namespace kessai::lease {

struct Lease::Impl {
    Impl(mysql::Pool& lease_pool, LeaseOptions lease_options, const Clock& lease_clock)
        : pool(lease_pool), options(std::move(lease_options)), clock(lease_clock) {
        if (options.owner.empty()) options.owner = NewOwner();
        KESSAI_CHECK(
            options.margin < options.duration && 3 * options.renew_every <= options.duration,
            "a lease is renewed well before it ends");
    }

    Duration Step();
    void Ask();
    void Report();
    bool HeldLocked() const {
        return grant.has_value() && clock.SteadyNow() < grant->ends_at - options.margin;
    }

    mysql::Pool& pool;
    LeaseOptions options;
    const Clock& clock;
    std::function<void(bool)> on_change;

    mutable std::mutex mutex;
    std::optional<Grant> grant;
    /// What on_change was told last. Of the lease's thread.
    bool reported = false;

    PeriodicThread thread;
};

Lease::Lease(mysql::Pool& pool, LeaseOptions options, const Clock& clock)
    : impl_(std::make_unique<Impl>(pool, std::move(options), clock)) {}

Lease::~Lease() {
    Stop();
}

void Lease::OnChange(std::function<void(bool held)> callback) {
    impl_->on_change = std::move(callback);
}

void Lease::Start() {
    impl_->thread.Start([impl = impl_.get()] { return impl->Step(); });
}

/// Renews or acquires. After a failure the lease simply is not prolonged.
void Lease::Impl::Ask() {
    auto session = pool.Acquire(options.renew_every);
    if (!session.ok()) return;
    std::optional<Grant> next;
    {
        const std::lock_guard lock(mutex);
        next = grant;
    }
    if (next.has_value()) {
        const Status renewed = Renew(**session, *next, options.duration, clock);
        if (renewed.reason() == kLeaseLost) {
            next.reset();
        } else if (!renewed.ok()) {
            return;
        }
    }
    if (!next.has_value()) {
        auto acquired = TryAcquire(**session, options.name, options.owner, options.duration, clock);
        if (acquired.ok()) next = std::move(acquired).value();
    }
    const std::lock_guard lock(mutex);
    grant = std::move(next);
}

void Lease::Impl::Report() {
    bool held = false;
    {
        const std::lock_guard lock(mutex);
        held = HeldLocked();
    }
    if (held == reported) return;
    reported = held;
    if (on_change) on_change(held);
}

Duration Lease::Impl::Step() {
    Ask();
    Report();
    const std::lock_guard lock(mutex);
    if (!HeldLocked()) return options.renew_every;
    // Not later than the lease's end, to report it.
    const auto left =
        std::chrono::ceil<Duration>(grant->ends_at - options.margin - clock.SteadyNow());
    return std::clamp<Duration>(left, std::chrono::milliseconds(1), options.renew_every);
}

void Lease::Stop() {
    impl_->thread.Stop();
    std::optional<Grant> grant;
    {
        const std::lock_guard lock(impl_->mutex);
        grant = std::exchange(impl_->grant, std::nullopt);
    }
    impl_->Report();
    if (!grant.has_value()) return;
    // Best effort: without it others wait for the lease's end.
    auto session = impl_->pool.Acquire(impl_->options.renew_every);
    if (session.ok()) (void)Release(**session, *grant);
}

std::optional<Grant> Lease::Current() const {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->HeldLocked()) return std::nullopt;
    Grant grant = *impl_->grant;
    grant.ends_at -= impl_->options.margin;
    return grant;
}

}  // namespace kessai::lease
