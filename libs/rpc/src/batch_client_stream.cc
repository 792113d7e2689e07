#include <utility>

#include "batch_client_state.h"
#include "thread_sanitizer.h"

namespace kessai::rpc::internal {

BatchClientStream::BatchClientStream(std::shared_ptr<BatchStreamClientCore::State> client,
                                     std::uint64_t stream_id, std::string to_address)
    : id(stream_id), address(std::move(to_address)), client_(std::move(client)) {}

void BatchClientStream::Open(grpc::GenericStub& stub, const std::string& path) {
    self_ = shared_from_this();
    stub.PrepareBidiStreamingCall(&context_, path, grpc::StubOptions(), this);
    AddHold();
    StartRead(&incoming_);
    GiveToGrpc(this);
    StartCall();
}

void BatchClientStream::Write() {
    GiveToGrpc(this);
    StartWrite(&outgoing);
}

void BatchClientStream::HalfClose() {
    GiveToGrpc(this);
    StartWritesDone();
}

void BatchClientStream::Cancel() {
    GiveToGrpc(this);
    context_.TryCancel();
}

void BatchClientStream::GiveUpHold() {
    GiveToGrpc(this);
    RemoveHold();
}

void BatchClientStream::OnReadInitialMetadataDone(bool ok) {
    const InGrpcCallback callback(this);
    // When not, the read fails too and ends the stream.
    if (ok) client_->OnOpened(*this);
}

void BatchClientStream::OnReadDone(bool ok) {
    const InGrpcCallback callback(this);
    if (ok && client_->OnMessage(*this, incoming_)) {
        incoming_.Clear();
        GiveToGrpc(this);
        StartRead(&incoming_);
        return;
    }
    if (ok) Cancel();
    client_->OnReadEnd(*this);
}

void BatchClientStream::OnWriteDone(bool) {
    const InGrpcCallback callback(this);
    // A write that failed is followed by the end of the reads, which says all.
    client_->OnWritten(*this);
}

void BatchClientStream::OnDone(const grpc::Status& status) {
    TakeFromGrpc(this);
    const auto self = std::move(self_);
    client_->OnDone(self, status);
}

}  // namespace kessai::rpc::internal
