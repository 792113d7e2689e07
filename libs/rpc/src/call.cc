#include "kessai/rpc/call.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message_lite.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/rpc_method.h>
#include <grpcpp/support/sync_stream.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "channel_state.h"
#include "grpc_time.h"
#include "kessai/rpc/metadata.h"
#include "kessai/rpc/observer.h"
#include "kessai/rpc/reason.h"
#include "kessai/rpc/status.h"
#include "thread_sanitizer.h"
#include "wire.h"

namespace kessai::rpc::internal {
namespace {

using grpc::internal::RpcMethod;

/// What every outgoing call gets: deadline, token, trace context, and a word to the observer.
class ClientCall {
 public:
    ClientCall(const Channel& channel, const std::string& path, const CallOptions& options)
        : state_(channel.state()), started_(state_.clock->SteadyNow()) {
        std::string_view traceparent = options.traceparent;
        if (state_.observer != nullptr) {
            // The path is a Method's: it lives as long as the process.
            const std::string_view name = std::string_view(path).substr(1);
            const auto slash = name.rfind('/');
            observed_ = state_.observer->Begin({.side = Side::kClient,
                                                .service = name.substr(0, slash),
                                                .method = name.substr(slash + 1),
                                                .parent_traceparent = options.traceparent});
            traceparent = observed_->traceparent();
        }
        Duration left = options.timeout;
        if (options.deadline != SteadyInstant::max()) {
            left =
                std::min(left, std::chrono::duration_cast<Duration>(options.deadline - started_));
        }
        out_of_time_ = left <= Duration::zero();
        context_.set_deadline(DeadlineIn(left));
        context_.set_wait_for_ready(options.wait_for_ready);
        if (!options.token.empty()) {
            context_.AddMetadata(metadata::kToken, std::string(options.token));
        }
        if (!traceparent.empty()) {
            context_.AddMetadata(metadata::kTraceparent, std::string(traceparent));
        }
    }

    grpc::ClientContext& context() { return context_; }
    /// No time is left: the call need not begin.
    bool out_of_time() const { return out_of_time_; }

    Status Finish(Status status) {
        if (observed_ != nullptr) {
            const auto duration =
                std::chrono::duration_cast<Duration>(state_.clock->SteadyNow() - started_);
            observed_->End(
                {.status = status, .duration = duration, .principal = nullptr, .peer = {}});
        }
        return status;
    }
    Status FinishOutOfTime() {
        return Finish(Status(Code::kDeadlineExceeded, reason::kNotSent, "no time was left"));
    }

 private:
    const Channel::State& state_;
    const SteadyInstant started_;
    std::unique_ptr<ObservedCall> observed_;
    bool out_of_time_ = false;
    grpc::ClientContext context_;
};

Status Parse(grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message) {
    if (FromBytes(bytes, message)) return {};
    // The call was carried out; what it gave can't be read.
    return Status(Code::kInternal, reason::kOutcomeUnknown,
                  "the answer is not a " + message.GetTypeName());
}

/// Owns itself until its answer has been handed on.
struct AsyncCall {
    AsyncCall(const Channel& on, const std::string& path, const CallOptions& options)
        : channel(on), stub(on.grpc_channel()), call(channel, path, options) {}

    void Answered(const grpc::Status& outcome) {
        TakeFromGrpc(this);
        const std::unique_ptr<AsyncCall> self(this);
        if (call.out_of_time()) {
            done(call.FinishOutOfTime());
        } else {
            done(call.Finish(outcome.ok() ? Parse(answer, *response) : FromGrpc(outcome)));
        }
    }

    // Kept: the caller's may be gone before the answer.
    const Channel channel;
    grpc::GenericStub stub;
    ClientCall call;
    grpc::ByteBuffer request;
    grpc::ByteBuffer answer;
    google::protobuf::MessageLite* response = nullptr;
    std::function<void(Status)> done;
};

}  // namespace

std::string CheckedPath(std::string_view full_name, const std::string& request_type,
                        const std::string& response_type) {
    const auto* method = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
        std::string(full_name));
    KESSAI_CHECK(method != nullptr, "no contract linked in has method " + std::string(full_name));
    KESSAI_CHECK(method->input_type()->full_name() == request_type &&
                     method->output_type()->full_name() == response_type,
                 std::string(full_name) + " has other types in its contract");
    return "/" + method->service()->full_name() + "/" + method->name();
}

Status CallUnary(const Channel& channel, const std::string& path,
                 const google::protobuf::MessageLite& request,
                 google::protobuf::MessageLite& response, const CallOptions& options) {
    ClientCall call(channel, path, options);
    if (call.out_of_time()) return call.FinishOutOfTime();
    grpc::ByteBuffer answer;
    const grpc::Status outcome = grpc::internal::BlockingUnaryCall(
        channel.grpc_channel().get(), RpcMethod(path.c_str(), nullptr, RpcMethod::NORMAL_RPC),
        &call.context(), ToBytes(request), &answer);
    return call.Finish(outcome.ok() ? Parse(answer, response) : FromGrpc(outcome));
}

void StartUnary(const Channel& channel, const std::string& path,
                const google::protobuf::MessageLite& request, const CallOptions& options,
                google::protobuf::MessageLite& response, std::function<void(Status)> done) {
    auto call = std::make_unique<AsyncCall>(channel, path, options);
    call->request = ToBytes(request);
    call->response = &response;
    call->done = std::move(done);
    AsyncCall* const started = call.release();
    GiveToGrpc(started);
    // Out of time or not, the answer comes on gRPC's thread, never from within: callers may hold
    // locks. gRPC ends a call whose deadline has passed without sending it. It copies the callback
    // about, so that is a pointer only.
    started->stub.UnaryCall(&started->call.context(), path, grpc::StubOptions(), &started->request,
                            &started->answer,
                            [started](const grpc::Status& outcome) { started->Answered(outcome); });
}

Status CallStreaming(const Channel& channel, const std::string& path,
                     const google::protobuf::MessageLite& request,
                     google::protobuf::MessageLite& item, const CallOptions& options,
                     const std::function<Status()>& on_item) {
    ClientCall call(channel, path, options);
    if (call.out_of_time()) return call.FinishOutOfTime();
    const std::unique_ptr<grpc::ClientReader<grpc::ByteBuffer>> reader(
        grpc::internal::ClientReaderFactory<grpc::ByteBuffer>::Create(
            channel.grpc_channel().get(),
            RpcMethod(path.c_str(), nullptr, RpcMethod::SERVER_STREAMING), &call.context(),
            ToBytes(request)));
    Status refused;
    for (grpc::ByteBuffer bytes; refused.ok() && reader->Read(&bytes);) {
        refused = Parse(bytes, item);
        if (refused.ok()) refused = on_item();
    }
    if (!refused.ok()) call.context().TryCancel();
    const grpc::Status outcome = reader->Finish();
    return call.Finish(refused.ok() ? FromGrpc(outcome) : std::move(refused));
}

}  // namespace kessai::rpc::internal
