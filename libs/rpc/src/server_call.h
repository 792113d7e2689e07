#pragma once

#include <google/protobuf/arena.h>
#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "kessai/rpc/service.h"
#include "service_state.h"

namespace kessai::rpc {

/// Fills a CallContext in from what gRPC received, and admits the call or refuses it: deadline,
/// peer, token, rule, trace. The one place for all methods.
class CallContextBuilder {
 public:
    static Status Admit(const grpc::CallbackServerContext& grpc, const MethodState& method,
                        CallContext& context, std::unique_ptr<ObservedCall>& observed);
    static void Cancel(CallContext& context) { context.cancelled_.store(true); }
};

/// Counts a call as open until it is finished, and times it.
class CallReport {
 public:
    explicit CallReport(const MethodState& method);
    void Finish(const Status& status, const CallContext& context, ObservedCall* observed);

 private:
    ServerEnvironment& environment_;
    const SteadyInstant started_;
};

namespace internal {

class ServerCall : public std::enable_shared_from_this<ServerCall> {
 public:
    virtual ~ServerCall() = default;
    const CallContext& context() const { return context_; }
    const google::protobuf::Message& request() const { return *request_; }

    virtual void Respond(const google::protobuf::MessageLite& response) = 0;
    virtual bool Write(const google::protobuf::MessageLite& item) = 0;
    /// Refuses, or (streams only) ends well.
    virtual void End(Status status) = 0;

 protected:
    explicit ServerCall(const MethodState& method);
    /// Admits, parses and hands to the handler, or ends the call.
    void Run(const grpc::CallbackServerContext& grpc, const grpc::ByteBuffer& bytes);
    Status Prepare(const grpc::CallbackServerContext& grpc, const grpc::ByteBuffer& bytes);
    void Handle();
    /// Once; what comes after it must not touch the call's gRPC side.
    void Report(const Status& status);

    const MethodState& method_;
    CallContext context_;

 private:
    CallReport report_;
    // Null without an observer.
    std::unique_ptr<ObservedCall> observed_;
    // Most requests fit: no allocation of the arena's own.
    alignas(8) char first_block_[1024];
    google::protobuf::Arena arena_;
    google::protobuf::Message* request_ = nullptr;
};

class UnaryCall final : public ServerCall, public grpc::ServerUnaryReactor {
 public:
    static grpc::ServerUnaryReactor* Begin(const MethodState& method,
                                           const grpc::CallbackServerContext& grpc,
                                           const grpc::ByteBuffer& request,
                                           grpc::ByteBuffer& response);
    UnaryCall(const MethodState& method, grpc::ByteBuffer& response);

    void Respond(const google::protobuf::MessageLite& response) override;
    bool Write(const google::protobuf::MessageLite& item) override;
    void End(Status status) override;

    void OnCancel() override;
    void OnDone() override;

 private:
    // Owned by gRPC; there until Finish.
    grpc::ByteBuffer& response_;
    // Until gRPC is done with the reactor; answers that are still owed have shares of their own.
    std::shared_ptr<ServerCall> self_;
};

class StreamingCall final : public ServerCall, public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
    static grpc::ServerWriteReactor<grpc::ByteBuffer>* Begin(
        const MethodState& method, const grpc::CallbackServerContext& grpc,
        const grpc::ByteBuffer& request);
    StreamingCall(const MethodState& method, const grpc::CallbackServerContext& grpc);

    void Respond(const google::protobuf::MessageLite& response) override;
    bool Write(const google::protobuf::MessageLite& item) override;
    void End(Status status) override;

    void OnWriteDone(bool ok) override;
    void OnCancel() override;
    void OnDone() override;

 private:
    /// Waits for the write on its way, until the deadline, then cancels the call; false when the
    /// caller has gone.
    bool WaitForRoom(std::unique_lock<std::mutex>& lock);
    /// Until the call's deadline.
    Duration TimeLeft() const;

    /// Lives until OnDone.
    const grpc::CallbackServerContext& grpc_;
    std::mutex mutex_;
    std::condition_variable room_;
    bool writing_ = false;
    bool gone_ = false;
    grpc::ByteBuffer outgoing_;
    std::shared_ptr<ServerCall> self_;
};

}  // namespace internal
}  // namespace kessai::rpc
