#include "kessai/rpc/batch_stream_client.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <algorithm>
#include <utility>

#include "batch_client_state.h"
#include "channel_state.h"
#include "grpc_process.h"
#include "grpc_time.h"
#include "kessai/rpc/status.h"
#include "tls_credentials.h"
#include "wire.h"

namespace kessai::rpc {
namespace {

using Phase = internal::BatchClientStream::Phase;

// The timer thread's rhythm: with commands or connections to look after, and without.
constexpr Duration kTick = std::chrono::milliseconds(10);
constexpr Duration kIdleTick = std::chrono::milliseconds(100);
// For streams to end after they were cancelled.
constexpr Duration kCloseGrace = std::chrono::seconds(1);

constexpr const char* kStopped = "the client was stopped";

Status OutcomeUnknownOn(Code code, const std::string& what) {
    return Status(code, reason::kOutcomeUnknown, what);
}

/// "kessai.payment.v1.PaymentService.Execute", checked against its contract, as a path.
Result<std::string> PathOf(const std::string& full_name, const std::string& request_type,
                           const std::string& response_type, int* request_field_number) {
    const auto* method =
        google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(full_name);
    if (method == nullptr || !method->client_streaming() || !method->server_streaming() ||
        method->input_type()->full_name() != request_type ||
        method->output_type()->full_name() != response_type) {
        return Status(Code::kInvalidArgument, "METHOD_MALFORMED",
                      full_name + " is no stream of " + request_type + " and " + response_type);
    }
    KESSAI_CHECK(method->input_type()->field_count() == 1 &&
                     method->input_type()->field(0)->is_repeated() &&
                     method->output_type()->field_count() == 1 &&
                     method->output_type()->field(0)->is_repeated(),
                 "batches hold one repeated field");
    *request_field_number = method->input_type()->field(0)->number();
    return "/" + method->service()->full_name() + "/" + method->name();
}

/// One serialized batch of serialized items.
grpc::ByteBuffer Join(const std::vector<std::string>& items, int field_number) {
    using google::protobuf::io::CodedOutputStream;
    constexpr int kLengthDelimited = 2;
    const auto tag = static_cast<std::uint32_t>(field_number << 3 | kLengthDelimited);
    std::size_t size = 0;
    for (const std::string& item : items) {
        size += CodedOutputStream::VarintSize32(tag) +
                CodedOutputStream::VarintSize64(item.size()) + item.size();
    }
    grpc::Slice slice(size);
    auto* out = const_cast<std::uint8_t*>(slice.begin());
    for (const std::string& item : items) {
        out = CodedOutputStream::WriteVarint32ToArray(tag, out);
        out = CodedOutputStream::WriteVarint64ToArray(item.size(), out);
        out = std::copy(item.begin(), item.end(), out);
    }
    return grpc::ByteBuffer(&slice, 1);
}

}  // namespace

BatchStreamClientCore::State::State(BatchStreamClientOptions options, const Clock& clock,
                                    BatchStreamClientCore& owner)
    : options_(std::move(options)), clock_(clock), owner_(owner), commands_(options_.open_max) {}

Status BatchStreamClientCore::State::Start() {
    KESSAI_CHECK(!started_, "a client starts once");
    PrepareGrpc();
    credentials_ = grpc::InsecureChannelCredentials();
    if (!options_.resolve) {
        KESSAI_ASSIGN_OR_RETURN(hosts_, ParseTarget(options_.target));
    }
    if (options_.tls) {
        KESSAI_RETURN_IF_ERROR(options_.tls->Check());
        credentials_ = ClientTls(*options_.tls);
        server_name_ =
            options_.server_name.empty() ? HostOfTarget(options_.target) : options_.server_name;
    }
    started_ = true;
    timer_ = std::thread([self = shared_from_this()] { self->RunTimer(); });
    // Shares the state: a resolver that hangs must not keep Stop waiting.
    resolver_ = std::thread([self = shared_from_this()] { self->RunResolver(); });
    return {};
}

// --- commands -----------------------------------------------------------------------------------

Result<std::uint64_t> BatchStreamClientCore::State::Reserve() {
    const std::lock_guard lock(mutex_);
    if (draining_) {
        return Status(Code::kUnavailable, reason::kDraining, "the client is being stopped");
    }
    const std::uint64_t sequence = commands_.Reserve();
    if (sequence == 0) {
        ++counts_.refused_full;
        return Status(Code::kResourceExhausted, reason::kQueueFull,
                      std::to_string(options_.open_max) + " commands are open");
    }
    return sequence;
}

void BatchStreamClientCore::State::Unreserve(std::uint64_t sequence) {
    const std::lock_guard lock(mutex_);
    commands_.Unreserve(sequence);
    changed_.notify_all();
}

void BatchStreamClientCore::State::Submit(std::uint64_t sequence, std::string serialized,
                                          SteadyInstant deadline, std::unique_ptr<Open> open) {
    Lock lock(mutex_);
    if (closed_) {
        commands_.Unreserve(sequence);
        lock.unlock();
        open->Complete(Status(Code::kUnavailable, reason::kNotSent, kStopped), nullptr);
        return;
    }
    commands_.Queue(sequence, std::move(serialized), clock_.SteadyNow(), deadline, std::move(open));
    Advance(lock);
    // What could not go now goes after the hold: the timer thread may have to be told.
    if (commands_.waiting() > 0 && planned_wake_ > last_message_ + options_.hold &&
        FreeStream() != nullptr) {
        planned_wake_ = last_message_ + options_.hold;
        lock.unlock();
        timer_wake_.notify_one();
    }
}

void BatchStreamClientCore::State::Flush() {
    Lock lock(mutex_);
    flush_now_ = commands_.waiting() > 0;
    Advance(lock);
}

std::vector<std::unique_ptr<BatchStreamClientCore::Open>> BatchStreamClientCore::State::Take(
    std::uint64_t stream, std::span<const std::uint64_t> sequences) {
    std::vector<std::unique_ptr<Open>> taken;
    taken.reserve(sequences.size());
    Lock lock(mutex_);
    int found = 0;
    for (const std::uint64_t sequence : sequences) {
        taken.push_back(commands_.Take(sequence, stream));
        if (taken.back() != nullptr) ++found;
    }
    counts_.answered += static_cast<std::uint64_t>(found);
    counts_.late += sequences.size() - static_cast<std::size_t>(found);
    if (const auto it = streams_.find(stream); it != streams_.end()) it->second->open -= found;
    if (draining_) changed_.notify_all();
    Advance(lock);
    return taken;
}

// --- sending ------------------------------------------------------------------------------------

bool BatchStreamClientCore::State::SendDue(SteadyInstant now) {
    return commands_.waiting() > 0 && (flush_now_ || now - last_message_ >= options_.hold ||
                                       commands_.waiting() >= options_.batch_items_max ||
                                       commands_.waiting_bytes() >= options_.batch_bytes_max);
}

internal::BatchClientStream* BatchStreamClientCore::State::FreeStream() {
    Stream* best = nullptr;
    for (const Upstream& upstream : upstreams_) {
        Stream* stream = upstream.stream.get();
        if (stream == nullptr || stream->phase != Phase::kUp || stream->writing) continue;
        if (best == nullptr || stream->open < best->open) best = stream;
    }
    return best;
}

std::vector<std::string> BatchStreamClientCore::State::Gather(Stream& stream) {
    std::vector<std::string> items;
    std::size_t bytes = 0;
    while (commands_.waiting() > 0 && static_cast<int>(items.size()) < options_.batch_items_max) {
        bytes += commands_.next_bytes();
        if (!items.empty() && bytes > options_.batch_bytes_max) break;
        items.push_back(commands_.Send(stream.id));
    }
    stream.open += static_cast<int>(items.size());
    counts_.sent += items.size();
    ++counts_.messages_out;
    return items;
}

void BatchStreamClientCore::State::StartWrite(Lock& lock, StreamPtr stream) {
    const std::vector<std::string> items = Gather(*stream);
    stream->writing = true;
    ++stream->starting;
    lock.unlock();
    stream->outgoing = Join(items, request_field_number);
    stream->Write();
    lock.lock();
    --stream->starting;
}

void BatchStreamClientCore::State::StartClose(Lock& lock, StreamPtr stream) {
    stream->phase = Phase::kClosing;
    ++stream->starting;
    lock.unlock();
    stream->HalfClose();
    lock.lock();
    --stream->starting;
}

void BatchStreamClientCore::State::DropHold(Lock& lock, StreamPtr stream) {
    stream->held = false;
    lock.unlock();
    stream->GiveUpHold();
    lock.lock();
}

void BatchStreamClientCore::State::Advance(Lock& lock) {
    while (true) {
        const SteadyInstant now = clock_.SteadyNow();
        if (SendDue(now)) {
            if (Stream* stream = FreeStream()) {
                last_message_ = now;
                StartWrite(lock, stream->shared_from_this());
                continue;
            }
        } else {
            flush_now_ = false;
        }
        StreamPtr to_close;
        StreamPtr to_release;
        for (const auto& [id, stream] : streams_) {
            const bool idle = stream->open == 0 && !stream->writing && stream->starting == 0;
            if (stream->phase == Phase::kLeaving && idle) to_close = stream;
            if (stream->phase == Phase::kEnded && stream->held && stream->starting == 0) {
                to_release = stream;
            }
        }
        if (to_close != nullptr) {
            StartClose(lock, std::move(to_close));
        } else if (to_release != nullptr) {
            DropHold(lock, std::move(to_release));
        } else {
            return;
        }
    }
}

// --- what streams tell --------------------------------------------------------------------------

void BatchStreamClientCore::State::OnOpened(Stream& stream) {
    {
        Lock lock(mutex_);
        if (stream.phase != Phase::kOpening) return;
        stream.phase = Phase::kUp;
        ++counts_.streams_opened;
        for (Upstream& upstream : upstreams_) {
            if (upstream.stream.get() == &stream) upstream.failures = 0;
        }
        flush_now_ = commands_.waiting() > 0;
        Advance(lock);
    }
    changed_.notify_all();
    if (options_.on_stream) options_.on_stream(stream.address, Status());
}

bool BatchStreamClientCore::State::OnMessage(Stream& stream, grpc::ByteBuffer& bytes) {
    {
        const std::lock_guard lock(mutex_);
        ++counts_.messages_in;
    }
    grpc::ProtoBufferReader reader(&bytes);
    return owner_.Receive(stream.id, reader);
}

void BatchStreamClientCore::State::OnReadEnd(Stream& stream) {
    Lock lock(mutex_);
    stream.phase = Phase::kEnded;
    Advance(lock);
}

void BatchStreamClientCore::State::OnWritten(Stream& stream) {
    Lock lock(mutex_);
    stream.writing = false;
    stream.outgoing.Clear();
    Advance(lock);
}

void BatchStreamClientCore::State::OnDone(const StreamPtr& stream, const grpc::Status& status) {
    const Status why =
        status.ok() ? Status(Code::kUnavailable, reason::kDraining, "the server ended the stream")
                    : FromGrpc(status);
    std::vector<std::unique_ptr<Open>> broken;
    {
        const std::lock_guard lock(mutex_);
        broken = commands_.TakeSentOn(stream->id);
        counts_.broken += broken.size();
        for (Upstream& upstream : upstreams_) {
            if (upstream.stream != stream) continue;
            upstream.stream = nullptr;
            upstream.next_try = clock_.SteadyNow() + Backoff(upstream.failures++);
            resolve_now_ = true;
        }
    }
    resolver_wake_.notify_one();
    if (!broken.empty()) {
        const Status lost =
            OutcomeUnknownOn(Code::kUnavailable, "the stream to " + stream->address +
                                                     " ended: " + std::string(why.message()));
        for (const auto& open : broken) open->Complete(lost, nullptr);
        broken.clear();
    }
    if (options_.on_stream) options_.on_stream(stream->address, why);
    // The last thing: Stop waits for it, and then what the callbacks point at may go.
    const std::lock_guard lock(mutex_);
    streams_.erase(stream->id);
    changed_.notify_all();
}

// --- the timer thread ---------------------------------------------------------------------------

void BatchStreamClientCore::State::RunTimer() {
    Lock lock(mutex_);
    while (!stopping_) {
        const SteadyInstant now = clock_.SteadyNow();
        ExpireCommands(lock, now);
        FailUnsent(lock, now);
        LookAfterUpstreams(lock, now);
        Advance(lock);
        planned_wake_ = NextWake(now);
        // In durations: the clock need not be the machine's.
        timer_wake_.wait_for(lock, planned_wake_ - now);
    }
}

SteadyInstant BatchStreamClientCore::State::NextWake(SteadyInstant now) {
    const bool busy = commands_.size() > 0;
    bool connecting = false;
    for (const Upstream& upstream : upstreams_) {
        connecting |= upstream.stream == nullptr || upstream.stream->phase == Phase::kOpening;
    }
    const SteadyInstant tick = now + (busy || connecting || draining_ ? kTick : kIdleTick);
    // While commands keep coming, wake once a hold without being told to.
    const bool flowing = last_message_ + 4 * options_.hold + kTick / 10 > now;
    if (options_.hold > Duration::zero() && busy && flowing && FreeStream() != nullptr) {
        return std::clamp(last_message_ + options_.hold, now + options_.hold / 8, tick);
    }
    return tick;
}

void BatchStreamClientCore::State::ExpireCommands(Lock& lock, SteadyInstant now) {
    auto expired = commands_.TakeExpired(now);
    if (expired.empty()) return;
    counts_.expired += expired.size();
    for (const auto& command : expired) {
        if (const auto it = streams_.find(command.stream); it != streams_.end()) {
            --it->second->open;
        }
    }
    lock.unlock();
    const Status unknown = OutcomeUnknownOn(Code::kDeadlineExceeded, "no answer in time");
    const Status unsent(Code::kDeadlineExceeded, reason::kNotSent, "not sent in time");
    for (const auto& command : expired) {
        command.open->Complete(command.stream != 0 ? unknown : unsent, nullptr);
    }
    changed_.notify_all();
    lock.lock();
}

void BatchStreamClientCore::State::FailUnsent(Lock& lock, SteadyInstant now) {
    for (const Upstream& upstream : upstreams_) {
        if (upstream.stream != nullptr && upstream.stream->phase == Phase::kUp) return;
    }
    std::vector<std::unique_ptr<Open>> failed;
    while (commands_.waiting() > 0 && now - commands_.waiting_since() >= options_.unsent_max) {
        failed.push_back(commands_.TakeWaiting());
    }
    if (failed.empty()) return;
    counts_.unsent += failed.size();
    lock.unlock();
    const Status unsent(Code::kUnavailable, reason::kNotSent, "no server can be reached");
    for (const auto& open : failed) open->Complete(unsent, nullptr);
    changed_.notify_all();
    lock.lock();
}

void BatchStreamClientCore::State::Leave(Upstream& upstream, SteadyInstant now) {
    upstream.stream->phase = Phase::kLeaving;
    upstream.stream->leave_until = now + options_.leave_max;
    upstream.stream = nullptr;
    upstream.next_try = now;
}

void BatchStreamClientCore::State::LookAfterUpstreams(Lock& lock, SteadyInstant now) {
    std::vector<std::pair<StreamPtr, grpc::GenericStub*>> to_open;
    std::vector<StreamPtr> to_cancel;
    // Keeps the stubs while they are used outside the mutex.
    std::vector<std::shared_ptr<grpc::Channel>> channels;
    for (Upstream& upstream : upstreams_) {
        const bool up = upstream.stream != nullptr && upstream.stream->phase == Phase::kUp;
        // A connection that is not ready while its stream lives: the server said GOAWAY.
        if (up && (upstream.vanished || upstream.channel->GetState(false) != GRPC_CHANNEL_READY)) {
            Leave(upstream, now);
        }
        if (upstream.stream == nullptr && !upstream.vanished && !draining_ &&
            now >= upstream.next_try && upstream.channel->GetState(true) == GRPC_CHANNEL_READY) {
            upstream.stream =
                std::make_shared<Stream>(shared_from_this(), next_stream_id_++, upstream.address);
            streams_.emplace(upstream.stream->id, upstream.stream);
            ++upstream.stream->starting;
            to_open.emplace_back(upstream.stream, upstream.stub.get());
            channels.push_back(upstream.channel);
        }
    }
    for (const auto& [id, stream] : streams_) {
        const bool leaving = stream->phase == Phase::kLeaving || stream->phase == Phase::kClosing;
        if (leaving && now >= stream->leave_until && !stream->cancelled) {
            stream->cancelled = true;
            to_cancel.push_back(stream);
        }
    }
    if (!to_open.empty() || !to_cancel.empty()) {
        lock.unlock();
        for (const auto& [stream, stub] : to_open) stream->Open(*stub, path);
        for (const auto& stream : to_cancel) stream->Cancel();
        lock.lock();
        for (const auto& [stream, stub] : to_open) --stream->starting;
    }
    std::erase_if(upstreams_, [](const Upstream& upstream) {
        return upstream.vanished && upstream.stream == nullptr;
    });
}

Duration BatchStreamClientCore::State::Backoff(int failures) {
    Duration backoff = options_.reconnect_backoff_initial;
    for (int i = 0; i < failures && backoff < options_.reconnect_backoff_max; ++i) backoff *= 2;
    backoff = std::min(backoff, options_.reconnect_backoff_max);
    // Between half of it and all of it: many gateways must not come back in step.
    std::uniform_int_distribution<Duration::rep> spread(backoff.count() / 2, backoff.count());
    return Duration(spread(jitter_));
}

// --- the resolver thread ------------------------------------------------------------------------

void BatchStreamClientCore::State::RunResolver() {
    Lock lock(mutex_);
    // Addresses don't change their minds.
    const bool once = !options_.resolve && AllNumeric(hosts_);
    while (!stopping_) {
        resolve_now_ = false;
        lock.unlock();
        const auto addresses = options_.resolve ? options_.resolve() : ResolveAddresses(hosts_);
        lock.lock();
        if (stopping_) break;
        if (addresses.ok() && !addresses->empty()) SetAddresses(*addresses);
        const bool unresolved = upstreams_.empty();
        if (once && !unresolved) break;
        const Duration pause =
            unresolved ? std::min<Duration>(options_.resolve_interval, std::chrono::seconds(1))
                       : options_.resolve_interval;
        // A stream that ended may mean new addresses, but not many times a second.
        resolver_wake_.wait_for(lock, std::min<Duration>(pause, std::chrono::milliseconds(200)),
                                [this] { return stopping_; });
        resolver_wake_.wait_for(lock, pause, [this] { return stopping_ || resolve_now_; });
    }
    resolver_done_ = true;
    changed_.notify_all();
}

void BatchStreamClientCore::State::SetAddresses(const std::vector<std::string>& addresses) {
    for (Upstream& upstream : upstreams_) {
        upstream.vanished =
            std::find(addresses.begin(), addresses.end(), upstream.address) == addresses.end();
    }
    for (const std::string& address : addresses) {
        const bool known =
            std::any_of(upstreams_.begin(), upstreams_.end(),
                        [&](const Upstream& upstream) { return upstream.address == address; });
        if (!known) upstreams_.push_back(MakeUpstream(address));
    }
    planned_wake_ = SteadyInstant::min();
    timer_wake_.notify_one();
}

BatchStreamClientCore::State::Upstream BatchStreamClientCore::State::MakeUpstream(
    const std::string& address) {
    grpc::ChannelArguments arguments;
    // A connection of its own: the stream's fate is the connection's.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    arguments.SetInt(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
                     static_cast<int>(options_.receive_bytes_max));
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, ToMs(options_.keepalive_interval));
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, ToMs(options_.keepalive_timeout));
    arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS,
                     ToMs(options_.reconnect_backoff_initial));
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, ToMs(options_.reconnect_backoff_max));
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, ToMs(options_.reconnect_backoff_max));
    if (options_.tls) {
        arguments.SetSslTargetNameOverride(server_name_);
        arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, server_name_);
    }
    Upstream upstream;
    upstream.address = address;
    upstream.channel = grpc::CreateCustomChannel(address, credentials_, arguments);
    upstream.stub = std::make_unique<grpc::GenericStub>(upstream.channel);
    return upstream;
}

// --- the whole ----------------------------------------------------------------------------------

bool BatchStreamClientCore::State::Ready() {
    const std::lock_guard lock(mutex_);
    return std::any_of(upstreams_.begin(), upstreams_.end(), [](const Upstream& upstream) {
        return upstream.stream != nullptr && upstream.stream->phase == Phase::kUp;
    });
}

Status BatchStreamClientCore::State::WaitReady(Duration timeout) {
    Lock lock(mutex_);
    const bool ready = changed_.wait_for(lock, timeout, [this] {
        return std::any_of(upstreams_.begin(), upstreams_.end(), [](const Upstream& upstream) {
            return upstream.stream != nullptr && upstream.stream->phase == Phase::kUp;
        });
    });
    if (ready) return {};
    return Status(Code::kUnavailable, reason::kNotSent, "no stream to " + options_.target);
}

bool BatchStreamClientCore::State::Stop(Duration bound) {
    if (!started_) return true;
    started_ = false;
    std::vector<std::unique_ptr<Open>> unsent;
    Lock lock(mutex_);
    draining_ = true;
    flush_now_ = commands_.waiting() > 0;
    Advance(lock);
    const bool clean = changed_.wait_for(lock, bound, [this] { return commands_.size() == 0; });
    closed_ = true;
    while (commands_.waiting() > 0) unsent.push_back(commands_.TakeWaiting());
    const SteadyInstant now = clock_.SteadyNow();
    for (Upstream& upstream : upstreams_) {
        if (upstream.stream != nullptr && upstream.stream->phase != Phase::kEnded) {
            Leave(upstream, now);
        }
    }
    Advance(lock);
    if (clean) changed_.wait_for(lock, kCloseGrace, [this] { return streams_.empty(); });
    stopping_ = true;
    std::vector<StreamPtr> left;
    for (const auto& [id, stream] : streams_) left.push_back(stream);
    lock.unlock();
    timer_wake_.notify_all();
    resolver_wake_.notify_all();
    for (const StreamPtr& stream : left) stream->Cancel();
    for (const auto& open : unsent) {
        open->Complete(Status(Code::kUnavailable, reason::kNotSent, kStopped), nullptr);
    }
    timer_.join();
    lock.lock();
    // Cancelled streams end soon, and what was open on them is completed with them.
    changed_.wait(lock, [this] { return streams_.empty(); });
    const bool resolver_ended =
        changed_.wait_for(lock, kCloseGrace, [this] { return resolver_done_; });
    // Connections end here, not on whichever of gRPC's threads drops the last share of the state.
    const std::vector<Upstream> upstreams = std::exchange(upstreams_, {});
    lock.unlock();
    if (resolver_ended) {
        resolver_.join();
    } else {
        // In the system's resolver; it keeps its share of the state and then ends.
        resolver_.detach();
    }
    return clean;
}

BatchStreamClientCore::Counts BatchStreamClientCore::State::counts() {
    const std::lock_guard lock(mutex_);
    Counts counts = counts_;
    counts.open = commands_.size();
    counts.streams = 0;
    for (const Upstream& upstream : upstreams_) {
        if (upstream.stream != nullptr && upstream.stream->phase == Phase::kUp) ++counts.streams;
    }
    return counts;
}

BatchStreamClientCore::BatchStreamClientCore(BatchStreamClientOptions options, const Clock& clock,
                                             std::string request_type, std::string response_type)
    : request_type_(std::move(request_type)),
      response_type_(std::move(response_type)),
      state_(std::make_shared<State>(std::move(options), clock, *this)) {}

BatchStreamClientCore::~BatchStreamClientCore() {
    KESSAI_CHECK(!state_->started(), "the derived class shuts the client");
}

Status BatchStreamClientCore::Start() {
    KESSAI_ASSIGN_OR_RETURN(state_->path, PathOf(state_->options().method, request_type_,
                                                 response_type_, &state_->request_field_number));
    return state_->Start();
}

bool BatchStreamClientCore::Ready() const {
    return state_->Ready();
}
Status BatchStreamClientCore::WaitReady(Duration timeout) const {
    return state_->WaitReady(timeout);
}
void BatchStreamClientCore::Flush() {
    state_->Flush();
}
bool BatchStreamClientCore::Stop(Duration bound) {
    return state_->Stop(bound);
}
BatchStreamClientCore::Counts BatchStreamClientCore::counts() const {
    return state_->counts();
}
Result<std::uint64_t> BatchStreamClientCore::Reserve() {
    return state_->Reserve();
}
void BatchStreamClientCore::Submit(std::uint64_t sequence, std::string serialized,
                                   SteadyInstant deadline, std::unique_ptr<Open> open) {
    state_->Submit(sequence, std::move(serialized), deadline, std::move(open));
}
void BatchStreamClientCore::Unreserve(std::uint64_t sequence) {
    state_->Unreserve(sequence);
}
const Clock& BatchStreamClientCore::clock() const {
    return state_->clock();
}
const BatchStreamClientOptions& BatchStreamClientCore::options() const {
    return state_->options();
}
std::vector<std::unique_ptr<BatchStreamClientCore::Open>> BatchStreamClientCore::Take(
    std::uint64_t stream, std::span<const std::uint64_t> sequences) {
    return state_->Take(stream, sequences);
}
void BatchStreamClientCore::Shut() {
    state_->Stop(Duration::zero());
}

}  // namespace kessai::rpc
