#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/client_callback.h>

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "address_resolver.h"
#include "kessai/rpc/batch_stream_client.h"
#include "open_commands.h"

namespace kessai::rpc {

namespace internal {

/// One stream to one server. Its fields are guarded by the client's mutex; gRPC keeps it (through
/// `self_`) until it is done with it.
///
/// gRPC's rules for it: one read and one write at a time; what is started outside of its callbacks
/// needs a hold, which is given up when the stream has ended and no start is under way.
class BatchClientStream final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                                public std::enable_shared_from_this<BatchClientStream> {
 public:
    enum class Phase {
        /// Called; the server has not admitted it yet.
        kOpening,
        /// Takes commands.
        kUp,
        /// Takes no more; the open ones are waited for.
        kLeaving,
        /// Half-closed by us.
        kClosing,
        /// The server's last word was read, or it broke.
        kEnded,
    };

    BatchClientStream(std::shared_ptr<BatchStreamClientCore::State> client, std::uint64_t id,
                      std::string address);

    /// Calls the server. Not under the mutex.
    void Open(grpc::GenericStub& stub, const std::string& path);
    /// Not under the mutex.
    void Write();
    void HalfClose();
    void Cancel();
    void GiveUpHold();

    void OnReadInitialMetadataDone(bool ok) override;
    void OnReadDone(bool ok) override;
    void OnWriteDone(bool ok) override;
    void OnDone(const grpc::Status& status) override;

    const std::uint64_t id;
    const std::string address;
    Phase phase = Phase::kOpening;
    int open = 0;
    bool writing = false;
    int starting = 0;
    bool held = true;
    bool cancelled = false;
    SteadyInstant leave_until{};
    grpc::ByteBuffer outgoing;

 private:
    const std::shared_ptr<BatchStreamClientCore::State> client_;
    std::shared_ptr<BatchClientStream> self_;
    grpc::ClientContext context_;
    grpc::ByteBuffer incoming_;
};

}  // namespace internal

/// All of a client but its types. Threads: callers (Submit, Flush), gRPC's (a stream's events), the
/// timer thread (holds, deadlines, connections) and the resolver thread.
class BatchStreamClientCore::State : public std::enable_shared_from_this<State> {
 public:
    using Stream = internal::BatchClientStream;
    using StreamPtr = std::shared_ptr<Stream>;

    State(BatchStreamClientOptions options, const Clock& clock, BatchStreamClientCore& owner);

    Status Start();
    bool Stop(Duration bound);
    bool Ready();
    Status WaitReady(Duration timeout);
    void Flush();
    Counts counts();
    bool started() const { return started_; }

    Result<std::uint64_t> Reserve();
    void Unreserve(std::uint64_t sequence);
    void Submit(std::uint64_t sequence, std::string serialized, SteadyInstant deadline,
                std::unique_ptr<Open> open);
    std::vector<std::unique_ptr<Open>> Take(std::uint64_t stream,
                                            std::span<const std::uint64_t> sequences);

    void OnOpened(Stream& stream);
    /// False when the stream is to be given up.
    bool OnMessage(Stream& stream, grpc::ByteBuffer& bytes);
    void OnReadEnd(Stream& stream);
    void OnWritten(Stream& stream);
    void OnDone(const StreamPtr& stream, const grpc::Status& status);

    const Clock& clock() const { return clock_; }
    const BatchStreamClientOptions& options() const { return options_; }

    std::string path;
    int request_field_number = 1;

 private:
    friend class internal::BatchClientStream;

    /// A server that a name resolved to.
    struct Upstream {
        std::string address;
        std::shared_ptr<grpc::Channel> channel;
        std::unique_ptr<grpc::GenericStub> stub;
        // Null while there is none; the one that takes commands otherwise.
        StreamPtr stream;
        // Not among the addresses any more.
        bool vanished = false;
        int failures = 0;
        SteadyInstant next_try{};
    };
    using Lock = std::unique_lock<std::mutex>;

    /// Begins every message that is due, ends streams that are to be ended. The mutex is held at
    /// the call and at the return, not in between.
    void Advance(Lock& lock);
    bool SendDue(SteadyInstant now);
    Stream* FreeStream();
    void StartWrite(Lock& lock, StreamPtr stream);
    void StartClose(Lock& lock, StreamPtr stream);
    void DropHold(Lock& lock, StreamPtr stream);
    std::vector<std::string> Gather(Stream& stream);

    void RunTimer();
    SteadyInstant NextWake(SteadyInstant now);
    void ExpireCommands(Lock& lock, SteadyInstant now);
    void FailUnsent(Lock& lock, SteadyInstant now);
    void LookAfterUpstreams(Lock& lock, SteadyInstant now);
    void Leave(Upstream& upstream, SteadyInstant now);
    Duration Backoff(int failures);

    void RunResolver();
    void SetAddresses(const std::vector<std::string>& addresses);
    Upstream MakeUpstream(const std::string& address);

    const BatchStreamClientOptions options_;
    const Clock& clock_;
    // There until Stop has returned; streams end before.
    BatchStreamClientCore& owner_;
    std::shared_ptr<grpc::ChannelCredentials> credentials_;
    std::string server_name_;
    std::vector<HostPort> hosts_;
    bool started_ = false;

    std::mutex mutex_;
    std::condition_variable timer_wake_;
    std::condition_variable resolver_wake_;
    // Streams came up or ended, commands ended.
    std::condition_variable changed_;
    OpenCommands commands_;
    std::vector<Upstream> upstreams_;
    // Every stream that gRPC still has, by id.
    std::map<std::uint64_t, StreamPtr> streams_;
    std::uint64_t next_stream_id_ = 1;
    SteadyInstant last_message_{};
    SteadyInstant planned_wake_{};
    bool flush_now_ = false;
    // No new commands; then, none that were reserved before either.
    bool draining_ = false;
    bool closed_ = false;
    bool stopping_ = false;
    bool resolve_now_ = false;
    bool resolver_done_ = false;
    std::minstd_rand jitter_{std::random_device{}()};
    Counts counts_{};
    std::thread timer_;
    std::thread resolver_;
};

}  // namespace kessai::rpc
