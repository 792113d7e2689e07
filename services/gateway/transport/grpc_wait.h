#pragma once

#include <coroutine>
#include <functional>
#include <optional>
#include <utility>

#include "kessai/net/loop.h"
#include "kessai/result/result.h"
#include "kessai/rpc/call.h"

namespace kessai::gateway::transport {

/// `co_await OnLoop<T>(loop, start)`: calls `start(done)`, and goes on on `loop` with the value
/// that `done` (copyable, takes a T) is called with: once, on any thread, maybe before `start`
/// returns. Allocates nothing.
template <class T, class Start>
class OnLoopCall {
 public:
    class Done {
     public:
        void operator()(T value) const {
            call_->value_.emplace(std::move(value));
            call_->loop_.Resume(waiter_);
        }

     private:
        friend class OnLoopCall;
        Done(OnLoopCall* call, std::coroutine_handle<> waiter) : call_(call), waiter_(waiter) {}
        OnLoopCall* call_;
        std::coroutine_handle<> waiter_;
    };

    OnLoopCall(net::Loop& loop, Start start) : loop_(loop), start_(std::move(start)) {}
    OnLoopCall(const OnLoopCall&) = delete;
    OnLoopCall& operator=(const OnLoopCall&) = delete;

    bool await_ready() const { return false; }
    /// We live in the frame of `self`, which can't run before this thread is back in its loop.
    void await_suspend(std::coroutine_handle<> self) { start_(Done(this, self)); }
    T await_resume() { return std::move(*value_); }

 private:
    net::Loop& loop_;
    Start start_;
    std::optional<T> value_;
};

template <class T, class Start>
OnLoopCall<T, Start> OnLoop(net::Loop& loop, Start start) {
    return OnLoopCall<T, Start>(loop, std::move(start));
}

/// A unary call from an event loop. `request` and what `options` points at must stay until the
/// await.
template <class Request, class Response>
auto CallOnLoop(net::Loop& loop, const rpc::Channel& channel,
                const rpc::Method<Request, Response>& method, const Request& request,
                const rpc::CallOptions& options) {
    return OnLoop<Result<Response>>(loop, [&channel, &method, &request, &options](auto done) {
        rpc::CallAsync(channel, method, request, options,
                       std::function<void(Result<Response>)>(done));
    });
}

}  // namespace kessai::gateway::transport
