#include "kessai/net/run.h"

#include <future>

namespace kessai::net {

void RunOn(Loop& loop, const std::function<Task<void>()>& work) {
    std::promise<void> done;
    const auto body = [&]() -> Task<void> {
        co_await work();
        done.set_value();
    };
    loop.Post([&] { Spawn(body()); });
    done.get_future().wait();
}

}  // namespace kessai::net
