#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "kessai/result/check.h"

namespace kessai::net {

/// A coroutine that starts when it is awaited and gives its value to whoever awaits it:
///
///     Task<Result<Wallet>> LoadWallet(UserId user);
///     auto wallet = co_await LoadWallet(user);
///
/// Awaited at most once. It runs on whatever thread resumes it; what it awaits says which. The
/// frame lives until the Task object goes, so arguments taken by reference must outlive the await.
/// An exception that leaves it is rethrown where it is awaited.
///
/// GCC 12 destroys twice what a co_await expression builds in place, if it is a lambda that owns
/// something or an aggregate in braces: name it first, or capture by reference (README.md).
template <class T = void>
class Task;

namespace internal {

struct TaskPromiseBase {
    std::coroutine_handle<> continuation;
    std::exception_ptr failure;

    struct FinalAwaiter {
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> done) noexcept {
            const auto next = done.promise().continuation;
            return next ? next : std::noop_coroutine();
        }
        void await_resume() const noexcept {}
    };

    std::suspend_always initial_suspend() noexcept { return {}; }
    FinalAwaiter final_suspend() noexcept { return {}; }
    void unhandled_exception() noexcept { failure = std::current_exception(); }
};

template <class T>
struct TaskPromise : TaskPromiseBase {
    std::optional<T> value;
    Task<T> get_return_object();
    template <class U>
    void return_value(U&& result) {
        value.emplace(std::forward<U>(result));
    }
    T Take() {
        if (failure) std::rethrow_exception(failure);
        return std::move(*value);
    }
};

template <>
struct TaskPromise<void> : TaskPromiseBase {
    Task<void> get_return_object();
    void return_void() {}
    void Take() const {
        if (failure) std::rethrow_exception(failure);
    }
};

}  // namespace internal

template <class T>
class [[nodiscard]] Task {
 public:
    using promise_type = internal::TaskPromise<T>;

    Task() = default;
    explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    Task& operator=(Task&& other) noexcept {
        if (this != &other) {
            if (handle_) handle_.destroy();
            handle_ = std::exchange(other.handle_, {});
        }
        return *this;
    }
    ~Task() {
        if (handle_) handle_.destroy();
    }

    auto operator co_await() && noexcept {
        struct Awaiter {
            std::coroutine_handle<promise_type> handle;
            bool await_ready() const noexcept { return false; }
            std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
                handle.promise().continuation = caller;
                return handle;
            }
            T await_resume() { return handle.promise().Take(); }
        };
        return Awaiter{handle_};
    }

 private:
    std::coroutine_handle<promise_type> handle_;
};

namespace internal {

template <class T>
Task<T> TaskPromise<T>::get_return_object() {
    return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
inline Task<void> TaskPromise<void>::get_return_object() {
    return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

struct Detached {
    struct promise_type {
        Detached get_return_object() noexcept { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() noexcept {}
        [[noreturn]] void unhandled_exception() noexcept {
            CheckFailed("no exception", "an exception left a detached task", __FILE__, __LINE__);
        }
    };
};

}  // namespace internal

/// Starts `task` now, on this thread, and lets it run by itself. An exception that leaves it stops
/// the process.
inline void Spawn(Task<void> task) {
    [](Task<void> owned) -> internal::Detached { co_await std::move(owned); }(std::move(task));
}

/// A place where one coroutine waits for one value that a callback brings, on the same thread.
/// The value may come before the wait. Neither copied nor moved; outlives the wait.
template <class T>
class Arrival {
 public:
    Arrival() = default;
    Arrival(const Arrival&) = delete;
    Arrival& operator=(const Arrival&) = delete;

    /// Precondition: called once. Resumes the waiter, if there is one, before it returns.
    void Set(T value) {
        KESSAI_CHECK(!value_.has_value(), "a value arrives once");
        value_.emplace(std::move(value));
        if (auto waiter = std::exchange(waiter_, {})) waiter.resume();
    }
    bool is_set() const { return value_.has_value(); }

    auto operator co_await() noexcept {
        struct Awaiter {
            Arrival& arrival;
            bool await_ready() const noexcept { return arrival.value_.has_value(); }
            void await_suspend(std::coroutine_handle<> caller) noexcept {
                arrival.waiter_ = caller;
            }
            T await_resume() { return std::move(*arrival.value_); }
        };
        return Awaiter{*this};
    }

 private:
    std::optional<T> value_;
    std::coroutine_handle<> waiter_;
};

}  // namespace kessai::net
