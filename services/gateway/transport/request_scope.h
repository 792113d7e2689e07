#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "app/call_context.h"
#include "kessai/http/message.h"
#include "kessai/net/loop.h"
#include "kessai/net/task.h"
#include "kessai/result/check.h"

namespace kessai::gateway::transport {

/// What a handler gets beside the request.
struct RequestScope {
    const http::Request& request;
    /// To be handed on; empty when the request is not traced.
    std::string traceparent = {};
    /// Operator routes: who asks, with the route's scope checked.
    auth::PrincipalPtr caller = {};

    app::CallContext CallAs(auth::PrincipalPtr principal) const {
        return {std::move(principal), request.deadline, traceparent, request.loop};
    }
};

using ApiHandler = std::function<net::Task<http::Response>(const RequestScope&)>;

/// One object of a kind for each event loop, because its users must not share it over threads.
template <class T>
class PerLoop {
 public:
    void Add(net::Loop& loop, T& object) { objects_.emplace_back(&loop, &object); }
    T& Of(const net::Loop* loop) const {
        for (const auto& [owner, object] : objects_) {
            if (owner == loop) return *object;
        }
        CheckFailed("a known loop", "no object for this event loop", __FILE__, __LINE__);
    }
    template <class F>
    void ForEach(F visit) const {
        for (const auto& [owner, object] : objects_) visit(*owner, *object);
    }

 private:
    std::vector<std::pair<net::Loop*, T*>> objects_;
};

}  // namespace kessai::gateway::transport
