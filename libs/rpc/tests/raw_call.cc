#include "raw_call.h"

#include <grpc/support/time.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/rpc_method.h>
#include <grpcpp/support/byte_buffer.h>

#include "kessai/rpc/metadata.h"
#include "kessai/rpc/status.h"

namespace kessai::rpc {
namespace {

Status CallRaw(const Channel& channel, const std::string& method, const std::string& bytes,
               const std::string& token, bool deadline) {
    const std::string path = "/kessai.payment.v1.PaymentService/" + method;
    grpc::ClientContext context;
    context.AddMetadata(metadata::kToken, token);
    if (deadline) {
        context.set_deadline(
            gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(10, GPR_TIMESPAN)));
    }
    const grpc::Slice slice(bytes);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    return FromGrpc(grpc::internal::BlockingUnaryCall(
        channel.grpc_channel().get(),
        grpc::internal::RpcMethod(path.c_str(), nullptr, grpc::internal::RpcMethod::NORMAL_RPC),
        &context, request, &response));
}

}  // namespace

Status CallWithBytes(const Channel& channel, const std::string& method, const std::string& bytes,
                     const std::string& token) {
    return CallRaw(channel, method, bytes, token, true);
}

Status CallWithoutDeadline(const Channel& channel, const std::string& token) {
    return CallRaw(channel, "GetPayment", "", token, false);
}

struct UnreadStream::Call {
    explicit Call(const Channel& channel) : stub(channel.grpc_channel()) {}
    /// Waits for the one operation under way.
    void Wait() {
        void* tag = nullptr;
        bool ok = false;
        queue.Next(&tag, &ok);
    }

    grpc::GenericStub stub;
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream;
};

UnreadStream::UnreadStream(const Channel& channel, const std::string& token)
    : call_(std::make_unique<Call>(channel)) {
    call_->context.AddMetadata(metadata::kToken, token);
    call_->stream = call_->stub.PrepareCall(
        &call_->context, "/kessai.payment.v1.PaymentService/ListDayRows", &call_->queue);
    call_->stream->StartCall(this);
    call_->Wait();
    const grpc::Slice empty("");
    call_->stream->WriteLast(grpc::ByteBuffer(&empty, 1), grpc::WriteOptions(), this);
    call_->Wait();
}

UnreadStream::~UnreadStream() {
    call_->context.TryCancel();
    grpc::Status status;
    call_->stream->Finish(&status, this);
    call_->Wait();
    call_->queue.Shutdown();
    call_->Wait();
}

}  // namespace kessai::rpc
