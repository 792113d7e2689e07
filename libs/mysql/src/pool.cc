#include "kessai/mysql/pool.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "kessai/files/followed_file.h"
#include "kessai/mysql/error.h"
#include "kessai/result/check.h"
#include "session_impl.h"

namespace kessai::mysql {
namespace {

Status PoolClosed() {
    return Status(Code::kFailedPrecondition, reason::kPoolClosed, "the pool is closed");
}

}  // namespace

/// Shared by the pool and its leases. `in_use + idle ≤ sessions_max`; what is in use is a lease, or
/// a caller that connects.
struct Lease::PoolState {
    struct Waiter {
        std::condition_variable changed;
        bool granted = false;
        /// Null: the right to connect.
        std::unique_ptr<Session> session;
    };

    PoolState(PoolOptions pool_options, const Clock& pool_clock, QueryObserver* query_observer)
        : options(std::move(pool_options)), clock(pool_clock), observer(query_observer) {
        KESSAI_CHECK(options.sessions_max > 0, "a pool has sessions");
        options.idle_max = std::min<Duration>(
            options.idle_max, std::chrono::seconds(options.connect.wait_timeout_s) * 3 / 4);
        if (options.password_file.empty()) return;
        password_file.emplace(files::FollowedFile::Options{
            .path = options.password_file,
            .check_interval = options.password_check_interval,
            .take = [this](std::string_view content) { return TakePassword(content); },
            .on_change =
                [this](const Status& outcome) {
                    if (!outcome.ok() && observer != nullptr) observer->OnPasswordFile(outcome);
                }});
        password_file->Start();
    }

    /// Makes `session` (null: a new one) fit for use. Precondition: the caller is counted in
    /// in_use; it stays so if this is refused.
    Result<std::unique_ptr<Session>> MakeReady(std::unique_ptr<Session> session);
    /// With the password in force, or the one that its file has by now if that is refused.
    template <class Connected>
    Result<std::unique_ptr<Connected>> Connect(ConnectOptions connect);
    Status TakePassword(std::string_view content);
    std::string Password() {
        const std::lock_guard lock(mutex);
        return options.connect.password;
    }
    /// Takes one back: null, or not usable, when only its place is given back.
    void Return(std::unique_ptr<Session> session);
    bool Outlived(const Session::Impl& impl) const {
        const SteadyInstant now = clock.SteadyNow();
        return now - impl.connected_at > impl.lifetime || now - impl.idle_since > options.idle_max;
    }
    /// Precondition: the mutex is held.
    void NoteFailure(const Status& failure) {
        ++totals.broken_total;
        if (failure.reason() == reason::kReadOnly) {
            ++failovers;
        } else {
            ++losses;
        }
    }

    PoolOptions options;
    const Clock& clock;
    QueryObserver* const observer;

    std::mutex mutex;
    bool closed = false;
    int in_use = 0;
    /// The last that came back is used first, so that those too many grow old and are closed.
    std::deque<std::unique_ptr<Session>> idle;
    std::deque<Waiter*> waiters;
    /// Only its totals; the numbers of the moment are made when asked for.
    PoolStats totals;
    std::uint64_t losses = 0;
    std::uint64_t failovers = 0;
    std::minstd_rand random{std::random_device{}()};
    /// Last: its thread ends before what it sets.
    std::optional<files::FollowedFile> password_file;
};

Status Lease::PoolState::TakePassword(std::string_view content) {
    // A line's end is no part of it, as when the configuration is read.
    if (content.ends_with('\n')) content.remove_suffix(1);
    if (content.ends_with('\r')) content.remove_suffix(1);
    if (content.empty()) {
        return Status(Code::kInvalidArgument, reason::kPasswordEmpty,
                      options.password_file + " is empty");
    }
    {
        const std::lock_guard lock(mutex);
        if (options.connect.password == content) return {};
        options.connect.password = content;
    }
    if (observer != nullptr) observer->OnPasswordFile(OkStatus());
    return {};
}

template <class Connected>
Result<std::unique_ptr<Connected>> Lease::PoolState::Connect(ConnectOptions connect) {
    auto session = Connected::Connect(connect, clock, observer);
    if (session.ok() || session.status().reason() != reason::kLoginRefused || !password_file) {
        return session;
    }
    // What is wrong with the file was reported; the refusal of the login is what counts here.
    (void)password_file->Reload();
    std::string password = Password();
    if (password == connect.password) return session;
    connect.password = std::move(password);
    return Connected::Connect(connect, clock, observer);
}

Result<std::unique_ptr<Session>> Lease::PoolState::MakeReady(std::unique_ptr<Session> session) {
    if (session) {
        Session::Impl& impl = *session->impl_;
        std::uint64_t losses_now = 0;
        bool replace = Outlived(impl);
        {
            const std::lock_guard lock(mutex);
            losses_now = losses;
            replace = replace || impl.failovers_seen != failovers;
        }
        const bool validate = impl.losses_seen != losses_now ||
                              clock.SteadyNow() - impl.idle_since > options.validate_after_idle;
        if (!replace && validate) {
            if (session->Ping().ok()) {
                impl.losses_seen = losses_now;
            } else {
                replace = true;
                const std::lock_guard lock(mutex);
                NoteFailure(session->failure());
            }
        }
        if (!replace) return session;
        session.reset();
        const std::lock_guard lock(mutex);
        ++totals.closed_total;
    }

    ConnectOptions connect;
    std::uint64_t losses_before = 0;
    std::uint64_t failovers_before = 0;
    double fraction = 0;
    {
        const std::lock_guard lock(mutex);
        connect = options.connect;
        losses_before = losses;
        failovers_before = failovers;
        fraction = std::uniform_real_distribution<double>(0.9, 1.0)(random);
    }
    KESSAI_ASSIGN_OR_RETURN(session, Connect<Session>(std::move(connect)));
    session->impl_->losses_seen = losses_before;
    session->impl_->failovers_seen = failovers_before;
    session->impl_->lifetime = Duration(
        static_cast<Duration::rep>(static_cast<double>(options.lifetime_max.count()) * fraction));
    const std::lock_guard lock(mutex);
    ++totals.opened_total;
    return session;
}

void Lease::PoolState::Return(std::unique_ptr<Session> session) {
    // Sessions to close, which talks to the server, after the mutex is released.
    std::deque<std::unique_ptr<Session>> dropped;
    {
        const std::lock_guard lock(mutex);
        if (session) {
            Session::Impl& impl = *session->impl_;
            if (!session->usable()) NoteFailure(session->failure());
            impl.idle_since = clock.SteadyNow();
            if (closed || !session->usable() || Outlived(impl) ||
                impl.failovers_seen != failovers) {
                dropped.push_back(std::move(session));
            }
        }
        if (!waiters.empty()) {
            Waiter* const next = waiters.front();
            waiters.pop_front();
            next->granted = true;
            next->session = std::move(session);
            next->changed.notify_one();
        } else {
            --in_use;
            if (session) idle.push_back(std::move(session));
        }
        while (!idle.empty() && Outlived(*idle.front()->impl_)) {
            dropped.push_back(std::move(idle.front()));
            idle.pop_front();
        }
        totals.closed_total += dropped.size();
    }
}

Lease::Lease(std::shared_ptr<PoolState> pool, std::unique_ptr<Session> session)
    : pool_(std::move(pool)), session_(std::move(session)) {}

Lease::Lease(Lease&& other) noexcept = default;

Lease& Lease::operator=(Lease&& other) noexcept {
    if (this != &other) {
        GiveBack();
        pool_ = std::move(other.pool_);
        session_ = std::move(other.session_);
    }
    return *this;
}

Lease::~Lease() {
    GiveBack();
}

void Lease::GiveBack() {
    if (!session_) return;
    if (session_->in_transaction()) session_->impl_->Rollback();
    pool_->Return(std::move(session_));
    pool_.reset();
}

Pool::Pool(PoolOptions options, const Clock& clock, QueryObserver* observer)
    : state_(std::make_shared<Lease::PoolState>(std::move(options), clock, observer)) {}

Pool::~Pool() {
    Close();
}

Result<std::unique_ptr<ScanSession>> Pool::ConnectScan() {
    ConnectOptions connect;
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->closed) return PoolClosed();
        connect = state_->options.connect;
    }
    return state_->Connect<ScanSession>(std::move(connect));
}

Result<Lease> Pool::Acquire(Duration timeout) {
    Lease::PoolState& state = *state_;
    std::unique_ptr<Session> session;
    {
        std::unique_lock lock(state.mutex);
        const auto exhausted = [&] {
            ++state.totals.exhausted_total;
            return Status(Code::kResourceExhausted, reason::kPoolExhausted,
                          "all " + std::to_string(state.options.sessions_max) +
                              " sessions are in use, " + std::to_string(state.waiters.size()) +
                              " callers wait");
        };
        if (state.closed) return PoolClosed();
        const int open = state.in_use + static_cast<int>(state.idle.size());
        if (state.waiters.empty() && (!state.idle.empty() || open < state.options.sessions_max)) {
            ++state.in_use;
            if (!state.idle.empty()) {
                session = std::move(state.idle.back());
                state.idle.pop_back();
            }
        } else {
            if (timeout <= Duration::zero() ||
                state.waiters.size() >= static_cast<std::size_t>(state.options.waiters_max)) {
                return exhausted();
            }
            Lease::PoolState::Waiter waiter;
            state.waiters.push_back(&waiter);
            waiter.changed.wait_for(lock, timeout, [&] { return waiter.granted || state.closed; });
            if (!waiter.granted) {
                std::erase(state.waiters, &waiter);
                return state.closed ? PoolClosed() : exhausted();
            }
            session = std::move(waiter.session);
        }
    }
    auto ready = state.MakeReady(std::move(session));
    if (!ready.ok()) {
        state.Return(nullptr);
        return std::move(ready).status();
    }
    return Lease(state_, std::move(ready).value());
}

void Pool::Close() {
    if (state_->password_file) state_->password_file->Stop();
    std::deque<std::unique_ptr<Session>> dropped;
    const std::lock_guard lock(state_->mutex);
    state_->closed = true;
    state_->totals.closed_total += state_->idle.size();
    dropped.swap(state_->idle);
    for (auto* waiter : state_->waiters) waiter->changed.notify_one();
}

PoolStats Pool::stats() const {
    const std::lock_guard lock(state_->mutex);
    PoolStats stats = state_->totals;
    stats.in_use = state_->in_use;
    stats.idle = static_cast<int>(state_->idle.size());
    stats.waiting = static_cast<int>(state_->waiters.size());
    return stats;
}

const Clock& Pool::clock() const {
    return state_->clock;
}

}  // namespace kessai::mysql
