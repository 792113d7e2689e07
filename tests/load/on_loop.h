#pragma once

#include <future>
#include <memory>
#include <type_traits>
#include <utility>

#include "kessai/net/loop.h"
#include "kessai/net/task.h"

namespace kessai::load {

namespace internal {

// The promise is shared: whoever waits may be gone before set_value has returned.
template <class F, class Value>
net::Task<void> Carry(F& work, std::shared_ptr<std::promise<Value>> done) {
    if constexpr (std::is_void_v<Value>) {
        co_await work();
        done->set_value();
    } else {
        Value value = co_await work();
        done->set_value(std::move(value));
    }
}

}  // namespace internal

/// Runs the coroutine that `work` makes on `loop`; its value comes with the future. `work` must
/// stay until then.
template <class F>
auto StartOn(net::Loop& loop, F& work) {
    using Value =
        decltype(std::declval<std::invoke_result_t<F&>>().operator co_await().await_resume());
    auto done = std::make_shared<std::promise<Value>>();
    std::future<Value> value = done->get_future();
    loop.Post(
        [&work, done = std::move(done)] { net::Spawn(internal::Carry<F, Value>(work, done)); });
    return value;
}

/// The same, and waits. Not on the loop's thread.
template <class F>
auto AwaitOn(net::Loop& loop, F work) {
    return StartOn(loop, work).get();
}

}  // namespace kessai::load
