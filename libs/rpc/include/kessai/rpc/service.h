#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "kessai/auth/policy.h"
#include "kessai/result/result.h"
#include "kessai/rpc/call_context.h"
#include "kessai/rpc/worker_pool.h"

namespace google::protobuf {
class Arena;
class Message;
class MessageLite;
}  // namespace google::protobuf

namespace kessai::rpc {

class BatchStreamServerCore;

namespace internal {

/// One call in progress, whatever its type; see service.cc.
class ServerCall;

/// A share in a call that still owes its answer.
class PendingAnswer {
 public:
    explicit PendingAnswer(std::shared_ptr<ServerCall> call) : call_(std::move(call)) {}
    PendingAnswer(PendingAnswer&&) noexcept = default;
    /// An answer that is dropped becomes INTERNAL HANDLER_FAILED.
    ~PendingAnswer();

    const CallContext& context() const;
    const google::protobuf::Message& request() const;
    /// Exactly one of these, once.
    void Refuse(Status status);
    void Respond(const google::protobuf::MessageLite& response);
    /// Streams of answers: blocks until the transport has room; false when nobody listens any more.
    bool Write(const google::protobuf::MessageLite& item);
    void FinishStream(Status status);

 private:
    std::shared_ptr<ServerCall> call_;
};

using AnyHandler = std::function<void(PendingAnswer)>;
using RequestMaker = google::protobuf::Message* (*)(google::protobuf::Arena*);

}  // namespace internal

/// How a handler that finishes later answers: call it once, from any thread. Move-only; dropped
/// without an answer, the caller gets INTERNAL HANDLER_FAILED. Request and context stay valid until
/// it is called or dropped.
template <class Response>
class Answer {
 public:
    explicit Answer(internal::PendingAnswer pending) : pending_(std::move(pending)) {}
    const CallContext& context() const { return pending_.context(); }
    void operator()(Result<Response> outcome) {
        if (outcome.ok()) {
            pending_.Respond(*outcome);
        } else {
            pending_.Refuse(std::move(outcome).status());
        }
    }
    void operator()(const Response& response) { pending_.Respond(response); }

 private:
    internal::PendingAnswer pending_;
};

/// Where the handler of a server stream puts its items.
template <class Item>
class StreamWriter {
 public:
    explicit StreamWriter(internal::PendingAnswer& pending) : pending_(pending) {}
    /// Blocks until there is room for it. False when the caller has gone or the call's deadline has
    /// passed: return then.
    bool Write(const Item& item) { return pending_.Write(item); }

 private:
    internal::PendingAnswer& pending_;
};

/// The methods of one gRPC service and who may call them.
///
/// Everything that every call needs is done here and not in handlers: deadline (a default where the
/// caller set none, clamped to the longest), internal token → Principal, the method's rule, peer
/// certificate, trace context, metrics and access log (through the server's CallObserver), and
/// refusals in place of exceptions.
///
/// Register every method of the contract, then hand it to Server::Add. Handlers get requests that
/// were parsed; whether their fields make sense is the handlers' to say. They must not throw.
class Service {
 public:
    /// `full_name` as in the .proto: "kessai.payment.v1.PaymentService"; its generated code must be
    /// linked in. Stops the process when the policy doesn't fit the contract (a test shows it
    /// does).
    Service(std::string_view full_name, auth::MethodPolicy policy);
    ~Service();
    Service(Service&&) noexcept;

    /// A handler that may block, run on `pool` (which must outlive the server): RESOURCE_EXHAUSTED
    /// QUEUE_FULL when that is full. A call whose deadline passed while it queued is dropped.
    template <class Request, class Response>
    void Blocking(std::string_view method, WorkerPool& pool,
                  std::function<Result<Response>(const CallContext&, const Request&)> handler) {
        AddUnary(method, &pool, MakeRequest<Request>, TypeName<Request>(), TypeName<Response>(),
                 [handler = std::move(handler)](internal::PendingAnswer pending) {
                     Result<Response> outcome =
                         handler(pending.context(), static_cast<const Request&>(pending.request()));
                     Answer<Response> answer(std::move(pending));
                     answer(std::move(outcome));
                 });
    }
    /// service.Blocking("GetCode", pool, queries, &Queries::GetCode);
    template <class Owner, class Request, class Response>
    void Blocking(std::string_view method, WorkerPool& pool, Owner& owner,
                  Result<Response> (Owner::*handler)(const CallContext&, const Request&)) {
        Blocking<Request, Response>(method, pool,
                                    [&owner, handler](const CallContext& c, const Request& r) {
                                        return (owner.*handler)(c, r);
                                    });
    }

    /// A handler that never blocks, run on gRPC's thread, which answers now or later.
    template <class Request, class Response>
    void Async(std::string_view method,
               std::function<void(const CallContext&, const Request&, Answer<Response>)> handler) {
        AddUnary(method, nullptr, MakeRequest<Request>, TypeName<Request>(), TypeName<Response>(),
                 [handler = std::move(handler)](internal::PendingAnswer pending) {
                     const CallContext& context = pending.context();
                     const auto& request = static_cast<const Request&>(pending.request());
                     handler(context, request, Answer<Response>(std::move(pending)));
                 });
    }
    template <class Owner, class Request, class Response>
    void Async(std::string_view method, Owner& owner,
               void (Owner::*handler)(const CallContext&, const Request&, Answer<Response>)) {
        Async<Request, Response>(
            method, [&owner, handler](const CallContext& c, const Request& r, Answer<Response> a) {
                (owner.*handler)(c, r, std::move(a));
            });
    }

    /// A stream of answers, written by a blocking handler on `pool`.
    template <class Request, class Item>
    void Streaming(
        std::string_view method, WorkerPool& pool,
        std::function<Status(const CallContext&, const Request&, StreamWriter<Item>&)> handler) {
        AddStreaming(method, pool, MakeRequest<Request>, TypeName<Request>(), TypeName<Item>(),
                     [handler = std::move(handler)](internal::PendingAnswer pending) {
                         StreamWriter<Item> writer(pending);
                         Status status =
                             handler(pending.context(),
                                     static_cast<const Request&>(pending.request()), writer);
                         pending.FinishStream(std::move(status));
                     });
    }

    /// A stream of batches both ways (batch_stream_server.h), which must outlive the server.
    void Batches(std::string_view method, BatchStreamServerCore& stream);

    /// In the contract, not in this build: refused as UNIMPLEMENTED, without a reason of ours.
    void Unimplemented(std::string_view method);

    std::string_view full_name() const;

    struct State;
    State& state() { return *state_; }

 private:
    template <class Request>
    static google::protobuf::Message* MakeRequest(google::protobuf::Arena* arena) {
        return Request::default_instance().New(arena);
    }
    template <class M>
    static std::string TypeName() {
        return M::default_instance().GetTypeName();
    }
    void AddUnary(std::string_view method, WorkerPool* pool, internal::RequestMaker make_request,
                  const std::string& request_type, const std::string& response_type,
                  internal::AnyHandler handler);
    void AddStreaming(std::string_view method, WorkerPool& pool,
                      internal::RequestMaker make_request, const std::string& request_type,
                      const std::string& item_type, internal::AnyHandler handler);

    std::unique_ptr<State> state_;
};

}  // namespace kessai::rpc
