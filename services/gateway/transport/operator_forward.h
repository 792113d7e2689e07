#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "app/blocking.h"
#include "kessai/auth/token.h"
#include "kessai/http/message.h"
#include "kessai/rpc/call.h"
#include "kessai/rpc/channel.h"
#include "kessai/rpc/worker_pool.h"
#include "kessai/time/clock.h"
#include "transport/grpc_wait.h"
#include "transport/operator_answers.h"
#include "transport/proto_json.h"
#include "transport/request_scope.h"

namespace kessai::gateway::transport {

/// How a service is called in an operator's name, for what is left of the request's time. `token`
/// and the scope must outlive it.
inline rpc::CallOptions OptionsOfOperator(const RequestScope& scope, const Clock& clock,
                                          const std::string& token) {
    rpc::CallOptions options;
    options.deadline = scope.request.deadline;
    options.timeout =
        std::chrono::duration_cast<Duration>(scope.request.deadline - clock.SteadyNow());
    options.token = token;
    options.traceparent = scope.traceparent;
    options.wait_for_ready = true;
    return options;
}

/// Calls in the operator's name. `audience` is the service. What it is given must outlive it.
template <class Request, class Response>
net::Task<Result<Response>> AskInOperatorsName(const RequestScope& scope, auth::TokenSigner& signer,
                                               const Clock& clock, const rpc::Channel& channel,
                                               std::string_view audience,
                                               const rpc::Method<Request, Response>& method,
                                               Request request) {
    auto token = signer.Mint(*scope.caller, audience);
    if (!token.ok()) co_return token.status();
    const rpc::CallOptions options = OptionsOfOperator(scope, clock, *token);
    auto call = CallOnLoop(*scope.request.loop, channel, method, request, options);
    co_return co_await call;
}

/// The same, and shows the answer.
template <class Request, class Response>
net::Task<http::Response> ForwardOperator(const RequestScope& scope, auth::TokenSigner& signer,
                                          const Clock& clock, const rpc::Channel& channel,
                                          std::string_view audience,
                                          const rpc::Method<Request, Response>& method,
                                          Request request) {
    auto answer = co_await AskInOperatorsName(scope, signer, clock, channel, audience, method,
                                              std::move(request));
    if (!answer.ok()) co_return RefuseOperator(scope, answer.status());
    http::Response response;
    response.subject = scope.caller->subject;
    response.body = ProtoToJson(*answer);
    co_return response;
}

/// Calls for a stream in the operator's name, off the loop. `take` returning false ends it well.
/// What it is given must outlive it.
template <class Request, class Item>
net::Task<Status> StreamOperator(const RequestScope& scope, auth::TokenSigner& signer,
                                 const Clock& clock, const rpc::Channel& channel,
                                 std::string_view audience, rpc::WorkerPool& workers,
                                 const rpc::Method<Request, Item>& method, const Request& request,
                                 const std::function<bool(const Item&)>& take) {
    auto token = signer.Mint(*scope.caller, audience);
    if (!token.ok()) co_return token.status();
    const rpc::CallOptions options = OptionsOfOperator(scope, clock, *token);
    bool enough = false;
    const Status status = co_await app::RunBlocking(workers, *scope.request.loop, [&]() -> Status {
        return rpc::CallStreaming(
            channel, method, request, options, [&](const Item& item) -> Status {
                enough = !take(item);
                return enough ? Status(Code::kCancelled, "ENOUGH", "") : OkStatus();
            });
    });
    co_return enough ? OkStatus() : status;
}

/// Shows a page of a stream whose items have a `position`, which is the token of the next page and
/// needs no escapes in JSON: {"entries":[…],"nextPageToken":"…"}. `size` items at most. What it is
/// given must outlive it.
template <class Request, class Item>
net::Task<http::Response> PageOfStream(const RequestScope& scope, auth::TokenSigner& signer,
                                       const Clock& clock, const rpc::Channel& channel,
                                       std::string_view audience, rpc::WorkerPool& workers,
                                       const rpc::Method<Request, Item>& method, Request request,
                                       std::size_t size) {
    http::Response response;
    response.subject = scope.caller->subject;
    response.body = "{\"entries\":[";
    std::string position;
    std::size_t count = 0;
    bool more = false;
    const std::function<bool(const Item&)> take = [&](const Item& entry) {
        more = count == size;
        if (more) return false;
        if (count++ > 0) response.body += ',';
        response.body += ProtoToJson(entry);
        position = entry.position();
        return true;
    };
    const Status status = co_await StreamOperator(scope, signer, clock, channel, audience, workers,
                                                  method, request, take);
    if (!status.ok()) co_return RefuseOperator(scope, status);
    response.body += "],\"nextPageToken\":\"" + (more ? position : std::string()) + "\"}";
    co_return response;
}

}  // namespace kessai::gateway::transport
