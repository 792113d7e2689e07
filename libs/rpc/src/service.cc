#include "kessai/rpc/service.h"

#include <google/protobuf/descriptor.h>
#include <grpcpp/impl/rpc_service_method.h>
#include <grpcpp/support/server_callback.h>

// The handlers that generated code registers; after server_callback.h.
#include <grpcpp/impl/codegen/server_callback_handlers.h>

#include <utility>

#include "batch_server_stream.h"
#include "kessai/rpc/batch_stream_server.h"
#include "kessai/rpc/reason.h"
#include "server_call.h"
#include "service_state.h"
#include "thread_sanitizer.h"

namespace kessai::rpc {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::MethodDescriptor;
using grpc::internal::RpcMethod;
using grpc::internal::RpcServiceMethod;

const MethodDescriptor& DescriptorOf(const Service::State& state, std::string_view method) {
    const auto* descriptor = state.descriptor->FindMethodByName(std::string(method));
    KESSAI_CHECK(descriptor != nullptr,
                 state.descriptor->full_name() + " has no method " + std::string(method));
    return *descriptor;
}

MethodState& Register(Service::State& state, std::string_view method,
                      const std::string& request_type, const std::string& response_type,
                      bool client_streams, bool server_streams) {
    const MethodDescriptor& descriptor = DescriptorOf(state, method);
    KESSAI_CHECK(descriptor.input_type()->full_name() == request_type &&
                     descriptor.output_type()->full_name() == response_type &&
                     descriptor.client_streaming() == client_streams &&
                     descriptor.server_streaming() == server_streams,
                 descriptor.full_name() + " is registered with other types than its contract has");
    MethodState& registered = state.methods[static_cast<std::size_t>(descriptor.index())];
    KESSAI_CHECK(!registered.registered, descriptor.full_name() + " is registered twice");
    registered.registered = true;
    return registered;
}

}  // namespace

void GrpcService::AddUnary(MethodState& method) {
    AddMethod(new RpcServiceMethod(method.path.c_str(), RpcMethod::NORMAL_RPC, nullptr));
    MarkMethodRawCallback(
        next_index_++, new grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>(
                           [&method](grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
                               TakeFromGrpc(&method);
                               return internal::UnaryCall::Begin(method, *context, *request,
                                                                 *response);
                           }));
}

void GrpcService::AddStreaming(MethodState& method) {
    AddMethod(new RpcServiceMethod(method.path.c_str(), RpcMethod::SERVER_STREAMING, nullptr));
    MarkMethodRawCallback(
        next_index_++,
        new grpc::internal::CallbackServerStreamingHandler<grpc::ByteBuffer, grpc::ByteBuffer>(
            [&method](grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
                TakeFromGrpc(&method);
                return internal::StreamingCall::Begin(method, *context, *request);
            }));
}

void GrpcService::AddBatches(MethodState& method) {
    AddMethod(new RpcServiceMethod(method.path.c_str(), RpcMethod::BIDI_STREAMING, nullptr));
    MarkMethodRawCallback(
        next_index_++, new grpc::internal::CallbackBidiHandler<grpc::ByteBuffer, grpc::ByteBuffer>(
                           [&method](grpc::CallbackServerContext* context) {
                               TakeFromGrpc(&method);
                               return internal::BatchServerStream::Begin(method, *context);
                           }));
}

Service::Service(std::string_view full_name, auth::MethodPolicy policy)
    : state_(std::make_unique<State>(std::move(policy))) {
    state_->descriptor =
        DescriptorPool::generated_pool()->FindServiceByName(std::string(full_name));
    KESSAI_CHECK(state_->descriptor != nullptr,
                 "no contract is linked in for service " + std::string(full_name));
    const Status fits = state_->policy.CheckAgainst(*state_->descriptor);
    KESSAI_CHECK(fits.ok(), fits.ToString());
    state_->methods.resize(static_cast<std::size_t>(state_->descriptor->method_count()));
    for (std::size_t i = 0; i < state_->methods.size(); ++i) {
        const MethodDescriptor& descriptor = *state_->descriptor->method(static_cast<int>(i));
        MethodState& method = state_->methods[i];
        method.service = state_->descriptor->full_name();
        method.method = descriptor.name();
        method.path = "/" + state_->descriptor->full_name() + "/" + descriptor.name();
        method.rule = &state_->policy.Get(descriptor.name());
    }
}

Service::~Service() = default;
Service::Service(Service&&) noexcept = default;

std::string_view Service::full_name() const {
    return state_->descriptor->full_name();
}

void Service::AddUnary(std::string_view method, WorkerPool* pool,
                       internal::RequestMaker make_request, const std::string& request_type,
                       const std::string& response_type, internal::AnyHandler handler) {
    MethodState& registered = Register(*state_, method, request_type, response_type, false, false);
    registered.pool = pool;
    registered.make_request = make_request;
    registered.handler = std::move(handler);
    state_->grpc.AddUnary(registered);
}

void Service::AddStreaming(std::string_view method, WorkerPool& pool,
                           internal::RequestMaker make_request, const std::string& request_type,
                           const std::string& item_type, internal::AnyHandler handler) {
    MethodState& registered = Register(*state_, method, request_type, item_type, false, true);
    registered.pool = &pool;
    registered.make_request = make_request;
    registered.handler = std::move(handler);
    state_->grpc.AddStreaming(registered);
}

void Service::Batches(std::string_view method, BatchStreamServerCore& stream) {
    MethodState& registered =
        Register(*state_, method, stream.request_type(), stream.response_type(), true, true);
    registered.batches = &stream;
    state_->grpc.AddBatches(registered);
}

void Service::Unimplemented(std::string_view method) {
    const MethodDescriptor& descriptor = DescriptorOf(*state_, method);
    MethodState& registered = state_->methods[static_cast<std::size_t>(descriptor.index())];
    KESSAI_CHECK(!registered.registered, descriptor.full_name() + " is registered twice");
    // Left out of the gRPC service: gRPC refuses what it doesn't know as UNIMPLEMENTED.
    registered.registered = true;
}

void Service::State::Attach(ServerEnvironment& environment) {
    for (MethodState& method : methods) {
        KESSAI_CHECK(method.registered, method.path + " is in the contract and has no handler");
        method.environment = &environment;
    }
}

}  // namespace kessai::rpc
