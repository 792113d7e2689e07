#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "kessai/net/loop.h"
#include "kessai/net/task.h"
#include "kessai/result/result.h"
#include "kessai/rpc/worker_pool.h"

namespace kessai::gateway::app {

/// Runs `work` (which gives a Result or a Status) on a thread that may block, and goes on on
/// `loop`. RESOURCE_EXHAUSTED QUEUE_FULL when too much waits already.
///
/// `work` must capture nothing with a destructor by value (see net::Task). The caller waits, so its
/// locals can be captured by reference.
template <class F>
net::Task<std::invoke_result_t<F&>> RunBlocking(rpc::WorkerPool& pool, net::Loop& loop, F work) {
    using Outcome = std::invoke_result_t<F&>;
    struct Awaiter {
        rpc::WorkerPool& pool;
        net::Loop& loop;
        F& work;
        std::optional<Outcome> outcome;

        bool await_ready() const { return false; }
        bool await_suspend(std::coroutine_handle<> self) {
            Status accepted = pool.Submit([this, self] {
// When all of this is inlined (-O2), g++ 12 mixes up the alternatives of the moved-from temporary:
// it takes the pointer of a short string in the value, which points into the temporary, for the one
// that a Status deletes. Nothing is wrong, as the address sanitizer agrees.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wfree-nonheap-object"
                outcome.emplace(work());
#pragma GCC diagnostic pop
                loop.Resume(self);
            });
            if (accepted.ok()) return true;
            outcome.emplace(std::move(accepted));
            return false;
        }
        Outcome await_resume() {
            return std::move(*outcome);
        }
    };
    Awaiter awaiter{pool, loop, work, std::nullopt};
    co_return co_await awaiter;
}

}  // namespace kessai::gateway::app
