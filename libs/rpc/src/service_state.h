#pragma once

#include <grpcpp/impl/service_type.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kessai/auth/policy.h"
#include "kessai/auth/token.h"
#include "kessai/rpc/observer.h"
#include "kessai/rpc/service.h"

namespace google::protobuf {
class ServiceDescriptor;
}

namespace kessai::rpc {

/// What the calls of a server share.
struct ServerEnvironment {
    const Clock* clock = nullptr;
    const auth::TokenVerifier* verifier = nullptr;
    CallObserver* observer = nullptr;
    Duration deadline_default{};
    Duration deadline_max{};
    bool tls = false;
    std::atomic<std::int64_t> open_calls{0};
};

struct MethodState {
    /// Names with the life of the process: the descriptor's.
    std::string_view service;
    std::string_view method;
    std::string path;
    const auth::MethodRule* rule = nullptr;
    WorkerPool* pool = nullptr;
    internal::RequestMaker make_request = nullptr;
    internal::AnyHandler handler;
    BatchStreamServerCore* batches = nullptr;
    bool registered = false;
    ServerEnvironment* environment = nullptr;
};

/// What gRPC knows as a service. The same classes of gRPC as generated code uses, for messages that
/// stay bytes until here.
class GrpcService final : public grpc::Service {
 public:
    void AddUnary(MethodState& method);
    void AddStreaming(MethodState& method);
    void AddBatches(MethodState& method);

 private:
    int next_index_ = 0;
};

struct Service::State {
    const google::protobuf::ServiceDescriptor* descriptor = nullptr;
    auth::MethodPolicy policy;
    // Never resized after construction: methods are pointed at.
    std::vector<MethodState> methods;
    GrpcService grpc;

    explicit State(auth::MethodPolicy rules) : policy(std::move(rules)) {}
    /// Stops the process when a method was not registered.
    void Attach(ServerEnvironment& environment);
};

}  // namespace kessai::rpc
