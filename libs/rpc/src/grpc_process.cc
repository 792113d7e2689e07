#include "grpc_process.h"

#include <absl/synchronization/mutex.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>

#include <cstddef>
#include <new>

namespace kessai::rpc {
namespace {

/// A channel that made one call by callback, which was cancelled before it began: nothing connects.
struct KeptChannel {
    grpc::GenericStub stub{
        grpc::CreateChannel("ipv4:127.0.0.1:9", grpc::InsecureChannelCredentials())};
    grpc::ClientContext context;
    grpc::Slice nothing;
    grpc::ByteBuffer request{&nothing, 1};
    grpc::ByteBuffer response;

    KeptChannel() {
        context.TryCancel();
        stub.UnaryCall(&context, "/kessai.Kept/Kept", grpc::StubOptions(), &request, &response,
                       [](grpc::Status) {});
    }
};

}  // namespace

void PrepareGrpc() {
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    // Never destroyed, on purpose; in memory of its own, where leak checkers find it in use.
    alignas(KeptChannel) static std::byte memory[sizeof(KeptChannel)];
    [[maybe_unused]] static const auto* const kept = new (memory) KeptChannel();
}

}  // namespace kessai::rpc
