#pragma once

#include <coroutine>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "kessai/net/loop.h"
#include "kessai/net/task.h"
#include "kessai/redis/options.h"
#include "kessai/redis/reply.h"
#include "kessai/redis/script.h"

namespace kessai::redis {

/// One connection to Redis, on an event loop. Commands of one turn of the loop go out in one write,
/// and their answers come back in order (pipelining). It connects by itself, again after a loss;
/// while there is no connection every command is refused at once as REDIS_DOWN, so a dead Redis
/// costs its callers no time. It sends nothing again by itself: see the refusals in options.h for
/// what is known. Loop's thread only, but for `up`.
class AsyncClient {
    class Call;

 public:
    /// `observer` may be null; it and `loop` outlive the client. Refuses with FAILED_PRECONDITION
    /// TLS_FILES_UNUSABLE.
    static Result<std::unique_ptr<AsyncClient>> Create(net::Loop& loop, Options options,
                                                       Observer* observer = nullptr);
    /// Precondition: Stop has returned, or Start was never called.
    ~AsyncClient();

    /// Begins to connect; from any thread.
    void Start();
    /// Refuses what waits, and ends.
    net::Task<void> Stop();
    /// Whether commands would be sent now; any thread.
    bool up() const;

    /// `auto reply = co_await client.Execute(args)`, with args such as {"GET", key}; they are not
    /// needed after the call (which is before the await). Bytes are allowed.
    [[nodiscard]] Call Execute(std::span<const std::string_view> args);

    /// Runs a script by its digest, and by its text when the server does not know it.
    net::Task<Result<Reply>> Evaluate(const Script& script, std::span<const std::string_view> keys,
                                      std::span<const std::string_view> args);

 private:
    struct State;

    /// A command on its way; lives in the awaiting coroutine.
    class [[nodiscard]] Call {
     public:
        Call(const Call&) = delete;
        Call& operator=(const Call&) = delete;

        bool await_ready() const noexcept { return outcome_.has_value(); }
        void await_suspend(std::coroutine_handle<> waiter) noexcept { waiter_ = waiter; }
        Result<Reply> await_resume() { return std::move(*outcome_); }

        /// Precondition: awaited to its end, or refused at once.
        ~Call();

     private:
        friend class AsyncClient;
        friend struct State;
        Call(State& state, std::span<const std::string_view> args);

        std::optional<Result<Reply>> outcome_;
        std::coroutine_handle<> waiter_;
    };

    explicit AsyncClient(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
};

}  // namespace kessai::redis
