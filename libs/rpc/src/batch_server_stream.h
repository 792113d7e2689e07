#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "kessai/rpc/batch_stream_server.h"
#include "server_call.h"

namespace kessai::rpc {

/// What the streams of one BatchStreamServerCore share; outlives it where a sink is still kept.
struct BatchStreamServerCore::State {
    explicit State(BatchStreamServerOptions opts) : options(opts) {}

    const BatchStreamServerOptions options;
    std::string request_type;
    std::string response_type;

    std::atomic<std::uint64_t> streams{0};
    std::atomic<std::uint64_t> messages_in{0};
    std::atomic<std::uint64_t> messages_out{0};
    std::atomic<std::uint64_t> requests{0};
    std::atomic<std::uint64_t> answers{0};
    std::atomic<std::int64_t> open{0};
    std::atomic<std::uint64_t> reads_held{0};
    std::atomic<bool> draining{false};

    std::mutex mutex;
    std::unordered_set<internal::BatchServerStream*> live;
};

namespace internal {

/// One stream from a client. Its own shared pointer keeps it until gRPC is done with it; sinks keep
/// the object (not the gRPC call) for as long as somebody owes answers.
///
/// gRPC's rules for it: one read and one write at a time; Finish once, after which nothing may be
/// started; what is started may be called back on another thread before the call returns. So every
/// start is decided under the mutex and made outside of it, with `starting_` counted, and Finish
/// waits until no start is under way.
class BatchServerStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                                public std::enable_shared_from_this<BatchServerStream> {
 public:
    static grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Begin(
        const MethodState& method, const grpc::CallbackServerContext& grpc);
    BatchServerStream(const MethodState& method, BatchStreamServerCore& core);

    void Accepted(int requests);
    void Send(std::string serialized_batch, int answers);
    const CallContext& context() const { return context_; }
    /// Reads no more, and ends as UNAVAILABLE DRAINING when all that was read is answered.
    void Drain();

    void OnReadDone(bool ok) override;
    void OnWriteDone(bool ok) override;
    void OnCancel() override;
    void OnDone() override;

 private:
    /// Starts what the state allows: the next read, the next write, the end. The mutex is held at
    /// the call and at the return, not in between.
    void Advance(std::unique_lock<std::mutex>& lock);
    std::vector<std::string> TakeUnsent();
    std::optional<Status> Ending() const;

    const MethodState& method_;
    BatchStreamServerCore& core_;
    const std::shared_ptr<BatchStreamServerCore::State> shared_;
    CallContext context_;
    CallReport report_;
    std::unique_ptr<ObservedCall> observed_;

    std::mutex mutex_;
    std::shared_ptr<BatchServerStream> self_;
    BatchSinkPtr sink_;
    grpc::ByteBuffer incoming_;
    grpc::ByteBuffer outgoing_;
    std::deque<std::string> unsent_;
    // Requests read and not answered.
    std::int64_t open_ = 0;
    int starting_ = 0;
    bool reading_ = false;
    bool writing_ = false;
    // The client half-closed.
    bool reads_done_ = false;
    bool draining_ = false;
    // The caller has gone, or the stream was refused: answers go nowhere.
    bool dead_ = false;
    Status death_;
    bool finished_ = false;
};

}  // namespace internal
}  // namespace kessai::rpc
