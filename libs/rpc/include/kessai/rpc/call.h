#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "kessai/result/result.h"
#include "kessai/rpc/channel.h"
#include "kessai/time/clock.h"

namespace google::protobuf {
class MessageLite;
}

namespace kessai::rpc {

/// A unary method of a contract, by its full name. Checked against the contract when made: a name
/// or a type that isn't there stops the process, so make them once (MethodOf).
template <class Request, class Response>
class Method {
 public:
    explicit Method(std::string_view full_name);
    /// "/kessai.payment.v1.PaymentService/GetCode".
    const std::string& path() const { return path_; }

 private:
    std::string path_;
};

/// A name that is known when the program is compiled, for MethodOf.
template <std::size_t kSize>
struct Name {
    consteval Name(const char (&name)[kSize]) { std::copy_n(name, kSize, text); }  // NOLINT
    constexpr std::string_view view() const { return {text, kSize - 1}; }

    char text[kSize];
};

/// A contract's method, made when it is first asked for.
///
///     constexpr rpc::Name kPayment = "kessai.payment.v1.PaymentService";
///     constexpr auto& GetCode = rpc::MethodOf<kPayment, "GetCode", GetCodeRequest, Payment>;
///
///     auto payment = rpc::Call(channel, GetCode(), request, {.timeout = 2s, .token = token});
template <Name kService, Name kMethod, class Request, class Response>
const Method<Request, Response>& MethodOf() {
    static const Method<Request, Response> method(std::string(kService.view()) + "." +
                                                  std::string(kMethod.view()));
    return method;
}

struct CallOptions {
    /// How long to wait; at most the time that is left of the call being served (`deadline`).
    Duration timeout = std::chrono::seconds(5);
    /// Of the call being served, on the steady clock: CallContext::deadline().
    SteadyInstant deadline = SteadyInstant::max();
    /// The internal token, as TokenSigner made it; empty: none.
    std::string_view token = {};
    /// W3C traceparent to hand on; empty: none.
    std::string_view traceparent = {};
    /// Wait (within the deadline) for a connection instead of failing at once without one.
    bool wait_for_ready = false;
};

namespace internal {
std::string CheckedPath(std::string_view full_name, const std::string& request_type,
                        const std::string& response_type);
Status CallUnary(const Channel& channel, const std::string& path,
                 const google::protobuf::MessageLite& request,
                 google::protobuf::MessageLite& response, const CallOptions& options);
void StartUnary(const Channel& channel, const std::string& path,
                const google::protobuf::MessageLite& request, const CallOptions& options,
                google::protobuf::MessageLite& response, std::function<void(Status)> done);
/// Server streams: calls `parse` for each item until it refuses.
Status CallStreaming(const Channel& channel, const std::string& path,
                     const google::protobuf::MessageLite& request,
                     google::protobuf::MessageLite& item, const CallOptions& options,
                     const std::function<Status()>& on_item);
}  // namespace internal

template <class Request, class Response>
Method<Request, Response>::Method(std::string_view full_name)
    : path_(internal::CheckedPath(full_name, Request::default_instance().GetTypeName(),
                                  Response::default_instance().GetTypeName())) {}

/// Calls and waits. For threads that may block; never from gRPC's own (handlers of Service::Async,
/// callbacks). Refusals: the service's own; else see FromGrpc (OUTCOME_UNKNOWN, TRANSPORT), and
/// DEADLINE_EXCEEDED NOT_SENT when no time was left.
template <class Request, class Response>
Result<Response> Call(const Channel& channel, const Method<Request, Response>& method,
                      const Request& request, const CallOptions& options) {
    Response response;
    KESSAI_RETURN_IF_ERROR(internal::CallUnary(channel, method.path(), request, response, options));
    return response;
}

/// Calls; `done(Result<Response>)` is called once, on one of gRPC's threads, and must not block.
/// `request` and what `options` points at are not needed after the return.
template <class Request, class Response>
void CallAsync(const Channel& channel, const Method<Request, Response>& method,
               const Request& request, const CallOptions& options,
               std::function<void(Result<Response>)> done) {
    auto response = std::make_shared<Response>();
    auto& target = *response;
    internal::StartUnary(channel, method.path(), request, options, target,
                         [response = std::move(response), done = std::move(done)](Status status) {
                             if (status.ok()) {
                                 done(std::move(*response));
                             } else {
                                 done(std::move(status));
                             }
                         });
}

/// Calls a method that answers with a stream, and hands each item to `on_item(const Item&)` on the
/// calling thread; a refusal from there ends the call and is returned. `timeout` is for the whole.
template <class Request, class Item, class F>
Status CallStreaming(const Channel& channel, const Method<Request, Item>& method,
                     const Request& request, const CallOptions& options, F on_item) {
    Item item;
    return internal::CallStreaming(channel, method.path(), request, item, options,
                                   [&]() -> Status { return on_item(std::as_const(item)); });
}

}  // namespace kessai::rpc
