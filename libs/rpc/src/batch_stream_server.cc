#include "kessai/rpc/batch_stream_server.h"

#include <google/protobuf/io/coded_stream.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <utility>

#include "batch_server_stream.h"
#include "kessai/rpc/status.h"
#include "thread_sanitizer.h"
#include "wire.h"

namespace kessai::rpc {
namespace {

// Of one message, unless a single answer has more.
constexpr std::size_t kMessageBytes = 1024 * 1024;

/// Where the next item of a serialized batch ends, from where it begins.
std::size_t EndOfItem(const std::string& batch, std::size_t begin) {
    google::protobuf::io::CodedInputStream in(
        reinterpret_cast<const std::uint8_t*>(batch.data()) + begin,
        static_cast<int>(batch.size() - begin));
    std::uint32_t length = 0;
    const bool read = in.ReadTag() != 0 && in.ReadVarint32(&length);
    const std::size_t end = begin + static_cast<std::size_t>(in.CurrentPosition()) + length;
    KESSAI_CHECK(read && end <= batch.size(), "not a serialized batch");
    return end;
}

/// Adds `batch` to `parts`, cut between items where it is longer than a message.
void Split(std::string batch, std::deque<std::string>& parts) {
    std::size_t begin = 0;
    for (std::size_t end = 0; batch.size() - begin > kMessageBytes;) {
        const std::size_t next = EndOfItem(batch, end);
        if (next - begin > kMessageBytes && end > begin) {
            parts.push_back(batch.substr(begin, end - begin));
            begin = end;
        } else {
            end = next;
            if (end == batch.size()) break;
        }
    }
    if (begin > 0) batch.erase(0, begin);
    parts.push_back(std::move(batch));
}

}  // namespace

namespace internal {

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* BatchServerStream::Begin(
    const MethodState& method, const grpc::CallbackServerContext& grpc) {
    auto stream = std::make_shared<BatchServerStream>(method, *method.batches);
    Status admitted = CallContextBuilder::Admit(grpc, method, stream->context_, stream->observed_);
    if (admitted.ok() && method.batches->state()->draining.load()) {
        admitted = Status(Code::kUnavailable, reason::kDraining, "the server is being stopped");
    }
    std::unique_lock lock(stream->mutex_);
    stream->self_ = stream;
    if (stream->finished_) return stream.get();  // drained already
    if (admitted.ok()) {
        stream->sink_ = std::make_shared<BatchSink>(stream);
        // At once: it tells the client that its stream was admitted.
        stream->StartSendInitialMetadata();
    } else {
        stream->dead_ = true;
        stream->death_ = std::move(admitted);
    }
    stream->Advance(lock);
    GiveToGrpc(stream.get());
    return stream.get();
}

BatchServerStream::BatchServerStream(const MethodState& method, BatchStreamServerCore& core)
    : method_(method), core_(core), shared_(core.state()), report_(method) {
    shared_->streams.fetch_add(1, std::memory_order_relaxed);
    const std::lock_guard lock(shared_->mutex);
    shared_->live.insert(this);
}

void BatchServerStream::Advance(std::unique_lock<std::mutex>& lock) {
    while (!finished_) {
        const auto ending = Ending();
        const bool write = !writing_ && !dead_ && !unsent_.empty();
        const bool read =
            !reading_ && !reads_done_ && !dead_ && !draining_ && open_ < shared_->options.open_max;
        if (write) {
            writing_ = true;
            outgoing_ = ToBytes(TakeUnsent());
            ++starting_;
            lock.unlock();
            shared_->messages_out.fetch_add(1, std::memory_order_relaxed);
            GiveToGrpc(this);
            StartWrite(&outgoing_);
            lock.lock();
            --starting_;
        } else if (read) {
            reading_ = true;
            ++starting_;
            lock.unlock();
            GiveToGrpc(this);
            StartRead(&incoming_);
            lock.lock();
            --starting_;
        } else if (ending && starting_ == 0 && !writing_) {
            finished_ = true;
            // Finish may end in OnDone on another thread, which gives our own share up.
            const auto keep = shared_from_this();
            lock.unlock();
            report_.Finish(*ending, context_, observed_.get());
            GiveToGrpc(this);
            Finish(ToGrpc(*ending));
            lock.lock();
        } else {
            return;
        }
    }
}

std::vector<std::string> BatchServerStream::TakeUnsent() {
    std::vector<std::string> parts;
    for (std::size_t bytes = 0; !unsent_.empty(); unsent_.pop_front()) {
        bytes += unsent_.front().size();
        if (!parts.empty() && bytes > kMessageBytes) break;
        parts.push_back(std::move(unsent_.front()));
    }
    return parts;
}

std::optional<Status> BatchServerStream::Ending() const {
    if (dead_) return death_;
    if (open_ > 0 || !unsent_.empty()) return std::nullopt;
    if (reads_done_) return Status();
    if (draining_) {
        return Status(Code::kUnavailable, reason::kDraining, "the server is being stopped");
    }
    return std::nullopt;
}

void BatchServerStream::OnReadDone(bool ok) {
    const InGrpcCallback callback(this);
    std::unique_lock lock(mutex_);
    reading_ = false;
    if (!ok) {
        reads_done_ = true;
        Advance(lock);
        return;
    }
    if (dead_ || finished_ || sink_ == nullptr) return;
    const BatchSinkPtr sink = sink_;
    // Nothing is read meanwhile, so the bytes are ours; what a handler answers at once comes in
    // through Send, on this thread.
    reading_ = true;
    lock.unlock();
    shared_->messages_in.fetch_add(1, std::memory_order_relaxed);
    Result<int> received = 0;
    {
        grpc::ProtoBufferReader reader(&incoming_);
        received = core_.Receive(reader, sink, method_.environment->clock->SteadyNow());
    }
    incoming_.Clear();
    lock.lock();
    reading_ = false;
    if (!received.ok()) {
        dead_ = true;
        death_ = std::move(received).status();
    } else if (*received > shared_->options.batch_items_max) {
        dead_ = true;
        death_ = Status(Code::kInvalidArgument, reason::kMessageMalformed,
                        std::to_string(*received) + " requests in a message");
    } else if (open_ >= shared_->options.open_max) {
        shared_->reads_held.fetch_add(1, std::memory_order_relaxed);
    }
    Advance(lock);
}

void BatchServerStream::Accepted(int requests) {
    {
        const std::lock_guard lock(mutex_);
        open_ += requests;
    }
    shared_->requests.fetch_add(static_cast<std::uint64_t>(requests), std::memory_order_relaxed);
    shared_->open.fetch_add(requests, std::memory_order_relaxed);
}

void BatchServerStream::Send(std::string serialized_batch, int answers) {
    shared_->answers.fetch_add(static_cast<std::uint64_t>(answers), std::memory_order_relaxed);
    shared_->open.fetch_sub(answers, std::memory_order_relaxed);
    std::unique_lock lock(mutex_);
    open_ -= answers;
    KESSAI_CHECK(open_ >= 0, "more answers than requests");
    if (!dead_) Split(std::move(serialized_batch), unsent_);
    Advance(lock);
}

void BatchServerStream::OnWriteDone(bool ok) {
    const InGrpcCallback callback(this);
    std::unique_lock lock(mutex_);
    writing_ = false;
    if (!ok && !dead_) {
        dead_ = true;
        death_ = Status(Code::kCancelled, reason::kTransport, "the stream broke");
    }
    Advance(lock);
}

void BatchServerStream::OnCancel() {
    const InGrpcCallback callback(this);
    CallContextBuilder::Cancel(context_);
    std::unique_lock lock(mutex_);
    if (!dead_) {
        dead_ = true;
        death_ = Status(Code::kCancelled, reason::kTransport, "the stream was cancelled");
    }
    unsent_.clear();
    Advance(lock);
}

void BatchServerStream::Drain() {
    std::unique_lock lock(mutex_);
    draining_ = true;
    Advance(lock);
}

void BatchServerStream::OnDone() {
    TakeFromGrpc(this);
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->live.erase(this);
    }
    shared_->streams.fetch_sub(1, std::memory_order_relaxed);
    ServerEnvironment* const environment = method_.environment;
    std::shared_ptr<BatchServerStream> self;
    BatchSinkPtr sink;
    {
        const std::lock_guard lock(mutex_);
        self = std::move(self_);
        sink = std::move(sink_);
    }
    sink.reset();
    self.reset();
    // Whoever saw the server stop, saw this.
    GiveToGrpc(environment);
}

}  // namespace internal

BatchSink::BatchSink(std::shared_ptr<internal::BatchServerStream> stream)
    : stream_(std::move(stream)) {}

BatchSink::~BatchSink() = default;

void BatchSink::Send(std::string serialized_batch, int answers) {
    stream_->Send(std::move(serialized_batch), answers);
}

const CallContext& BatchSink::context() const {
    return stream_->context();
}

BatchStreamServerCore::BatchStreamServerCore(BatchStreamServerOptions options,
                                             std::string request_type, std::string response_type)
    : state_(std::make_shared<State>(options)) {
    KESSAI_CHECK(options.open_max > 0 && options.batch_items_max > 0, "bounds are positive");
    state_->request_type = std::move(request_type);
    state_->response_type = std::move(response_type);
}

BatchStreamServerCore::~BatchStreamServerCore() = default;

void BatchStreamServerCore::Accepted(const BatchSink& sink, int requests) {
    sink.stream_->Accepted(requests);
}

const BatchStreamServerOptions& BatchStreamServerCore::options() const {
    return state_->options;
}

const std::string& BatchStreamServerCore::request_type() const {
    return state_->request_type;
}

const std::string& BatchStreamServerCore::response_type() const {
    return state_->response_type;
}

void BatchStreamServerCore::Drain() {
    state_->draining.store(true);
    std::vector<std::shared_ptr<internal::BatchServerStream>> streams;
    {
        const std::lock_guard lock(state_->mutex);
        for (internal::BatchServerStream* stream : state_->live) {
            // One that is just being destroyed has nothing left to drain.
            if (auto alive = stream->weak_from_this().lock()) streams.push_back(std::move(alive));
        }
    }
    for (const auto& stream : streams) stream->Drain();
}

BatchStreamServerCore::Counts BatchStreamServerCore::counts() const {
    const State& s = *state_;
    return {.streams = s.streams.load(),
            .messages_in = s.messages_in.load(),
            .messages_out = s.messages_out.load(),
            .requests = s.requests.load(),
            .answers = s.answers.load(),
            .open = s.open.load(),
            .reads_held = s.reads_held.load()};
}

}  // namespace kessai::rpc
