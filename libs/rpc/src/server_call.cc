#include "server_call.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>
#include <grpcpp/server_context.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "grpc_time.h"
#include "kessai/rpc/metadata.h"
#include "kessai/rpc/reason.h"
#include "kessai/rpc/status.h"
#include "thread_sanitizer.h"
#include "wire.h"

namespace kessai::rpc {
namespace {

std::string_view View(grpc::string_ref text) {
    return {text.data(), text.size()};
}

std::string_view Metadata(const grpc::CallbackServerContext& grpc, const char* key) {
    const auto& metadata = grpc.client_metadata();
    const auto found = metadata.find(key);
    return found == metadata.end() ? std::string_view{} : View(found->second);
}

/// The names in the client's certificate, first those of DNS and URI.
std::vector<std::string> PeerNames(const grpc::CallbackServerContext& grpc) {
    std::vector<std::string> names;
    const auto peer = grpc.auth_context();
    if (peer == nullptr || !peer->IsPeerAuthenticated()) return names;
    for (const grpc::string_ref& name : peer->FindPropertyValues(GRPC_X509_SAN_PROPERTY_NAME)) {
        names.emplace_back(name.data(), name.size());
    }
    return names;
}

Status HandlerFailed(std::string what) {
    return Status(Code::kInternal, reason::kHandlerFailed, std::move(what));
}

}  // namespace

Status CallContextBuilder::Admit(const grpc::CallbackServerContext& grpc, const MethodState& method,
                                 CallContext& context, std::unique_ptr<ObservedCall>& observed) {
    const ServerEnvironment& environment = *method.environment;
    context.method_ = method.method;

    const Duration left = TimeUntil(grpc.raw_deadline());
    const bool endless_stream = method.batches != nullptr;
    context.deadline_ =
        endless_stream ? SteadyInstant::max()
                       : environment.clock->SteadyNow() +
                             std::min(left == Duration::max() ? environment.deadline_default : left,
                                      environment.deadline_max);

    std::string_view parent = Metadata(grpc, metadata::kTraceparent);
    if (parent.size() > metadata::kTraceparentBytesMax) parent = {};
    if (environment.observer != nullptr) {
        observed = environment.observer->Begin({.side = Side::kServer,
                                                .service = method.service,
                                                .method = method.method,
                                                .parent_traceparent = parent});
        context.traceparent_ = observed->traceparent();
    } else {
        context.traceparent_ = parent;
    }

    const auth::MethodRule& rule = *method.rule;
    if (environment.tls) {
        std::vector<std::string> names = PeerNames(grpc);
        if (!names.empty()) context.peer_ = names.front();
        if (!rule.peers.empty() &&
            std::find_first_of(names.begin(), names.end(), rule.peers.begin(), rule.peers.end()) ==
                names.end()) {
            return Status(Code::kPermissionDenied, reason::kPeerNotAllowed,
                          rule.method + " is not for " + context.peer_);
        }
    }
    if (rule.token == auth::MethodRule::Token::kInMetadata) {
        auto principal = environment.verifier->Verify(Metadata(grpc, metadata::kToken));
        if (!principal.ok()) return std::move(principal).status();
        context.principal_ = std::move(*principal);
        KESSAI_RETURN_IF_ERROR(rule.Check(*context.principal_));
    }
    if (left <= Duration::zero()) {
        return Status(Code::kDeadlineExceeded, reason::kDeadlinePassed, "came too late");
    }
    return {};
}

CallReport::CallReport(const MethodState& method)
    : environment_(*method.environment), started_(environment_.clock->SteadyNow()) {
    environment_.open_calls.fetch_add(1, std::memory_order_relaxed);
}

void CallReport::Finish(const Status& status, const CallContext& context, ObservedCall* observed) {
    if (observed != nullptr) {
        const auto duration =
            std::chrono::duration_cast<Duration>(environment_.clock->SteadyNow() - started_);
        observed->End({.status = status,
                       .duration = duration,
                       .principal = context.principal_ptr().get(),
                       .peer = context.peer()});
    }
    environment_.open_calls.fetch_sub(1, std::memory_order_relaxed);
}

namespace internal {

ServerCall::ServerCall(const MethodState& method)
    : method_(method), report_(method), arena_(first_block_, sizeof first_block_) {}

void ServerCall::Run(const grpc::CallbackServerContext& grpc, const grpc::ByteBuffer& bytes) {
    if (Status status = Prepare(grpc, bytes); !status.ok()) {
        End(std::move(status));
    } else if (method_.pool == nullptr) {
        Handle();
    } else {
        // The answer is made in the task: one that is refused and destroyed has none to drop.
        Status queued = method_.pool->Submit([call = shared_from_this()] { call->Handle(); });
        if (!queued.ok()) End(std::move(queued));
    }
}

Status ServerCall::Prepare(const grpc::CallbackServerContext& grpc, const grpc::ByteBuffer& bytes) {
    KESSAI_RETURN_IF_ERROR(CallContextBuilder::Admit(grpc, method_, context_, observed_));
    request_ = method_.make_request(&arena_);
    // Reading moves a cursor of the reader's, not the bytes.
    if (!FromBytes(const_cast<grpc::ByteBuffer&>(bytes), *request_)) {
        return Status(Code::kInvalidArgument, reason::kMessageMalformed,
                      "not a " + request_->GetTypeName());
    }
    return {};
}

void ServerCall::Handle() {
    if (method_.environment->clock->SteadyNow() >= context_.deadline()) {
        End(Status(Code::kDeadlineExceeded, reason::kDeadlinePassed,
                   "the deadline passed before the work began"));
        return;
    }
    if (context_.cancelled()) {
        End(Status(Code::kCancelled, reason::kDeadlinePassed, "the caller has gone"));
        return;
    }
    try {
        if (observed_ != nullptr) {
            // A share of its own: the answer may be the end of the call, and what runs within it
            // must not be its last owner.
            const auto keep = shared_from_this();
            observed_->Within([this] { method_.handler(PendingAnswer(shared_from_this())); });
        } else {
            method_.handler(PendingAnswer(shared_from_this()));
        }
    } catch (const std::exception&) {
        // Unwinding dropped the answer, which refused the call as HANDLER_FAILED.
    }
}

void ServerCall::Report(const Status& status) {
    report_.Finish(status, context_, observed_.get());
}

UnaryCall::UnaryCall(const MethodState& method, grpc::ByteBuffer& response)
    : ServerCall(method), response_(response) {}

grpc::ServerUnaryReactor* UnaryCall::Begin(const MethodState& method,
                                           const grpc::CallbackServerContext& grpc,
                                           const grpc::ByteBuffer& request,
                                           grpc::ByteBuffer& response) {
    auto call = std::make_shared<UnaryCall>(method, response);
    call->self_ = call;
    // gRPC is done with the reactor only after this returned, so the pointer holds.
    grpc::ServerUnaryReactor* reactor = call.get();
    call->Run(grpc, request);
    GiveToGrpc(call.get());
    return reactor;
}

void UnaryCall::Respond(const google::protobuf::MessageLite& response) {
    response_ = ToBytes(response);
    Report(Status());
    GiveToGrpc(this);
    Finish(grpc::Status());
}

bool UnaryCall::Write(const google::protobuf::MessageLite&) {
    KESSAI_CHECK(false, "a unary call has one answer");
}

void UnaryCall::End(Status status) {
    KESSAI_CHECK(!status.ok(), "a unary call ends with an answer or a refusal");
    Report(status);
    GiveToGrpc(this);
    Finish(ToGrpc(status));
}

void UnaryCall::OnCancel() {
    const InGrpcCallback callback(this);
    CallContextBuilder::Cancel(context_);
}

void UnaryCall::OnDone() {
    TakeFromGrpc(this);
    ServerEnvironment* const environment = method_.environment;
    self_.reset();
    // Whoever saw the server stop, saw this.
    GiveToGrpc(environment);
}

StreamingCall::StreamingCall(const MethodState& method, const grpc::CallbackServerContext& grpc)
    : ServerCall(method), grpc_(grpc) {}

grpc::ServerWriteReactor<grpc::ByteBuffer>* StreamingCall::Begin(
    const MethodState& method, const grpc::CallbackServerContext& grpc,
    const grpc::ByteBuffer& request) {
    auto call = std::make_shared<StreamingCall>(method, grpc);
    call->self_ = call;
    grpc::ServerWriteReactor<grpc::ByteBuffer>* reactor = call.get();
    call->Run(grpc, request);
    GiveToGrpc(call.get());
    return reactor;
}

void StreamingCall::Respond(const google::protobuf::MessageLite&) {
    KESSAI_CHECK(false, "a stream has items, not one answer");
}

bool StreamingCall::WaitForRoom(std::unique_lock<std::mutex>& lock) {
    // gRPC ends a call at the deadline its caller gave. One that gave none, or a later one than
    // calls get here, and does not read would hold this thread for ever.
    const auto has_room = [this] { return !writing_; };
    if (!room_.wait_for(lock, TimeLeft(), has_room)) {
        lock.unlock();  // Cancelling may call back from here.
        grpc_.TryCancel();
        lock.lock();
        room_.wait(lock, has_room);  // The write ends with the call.
    }
    return !gone_;
}

Duration StreamingCall::TimeLeft() const {
    return std::chrono::duration_cast<Duration>(context().deadline() -
                                                method_.environment->clock->SteadyNow());
}

bool StreamingCall::Write(const google::protobuf::MessageLite& item) {
    grpc::ByteBuffer bytes = ToBytes(item);
    {
        std::unique_lock lock(mutex_);
        if (!WaitForRoom(lock) || TimeLeft() <= Duration::zero()) return false;
        writing_ = true;
        outgoing_.Swap(&bytes);
    }
    GiveToGrpc(this);
    StartWrite(&outgoing_);
    return true;
}

void StreamingCall::OnWriteDone(bool ok) {
    const InGrpcCallback callback(this);
    const std::lock_guard lock(mutex_);
    writing_ = false;
    if (!ok) gone_ = true;
    room_.notify_all();
}

void StreamingCall::OnDone() {
    TakeFromGrpc(this);
    ServerEnvironment* const environment = method_.environment;
    self_.reset();
    // Whoever saw the server stop, saw this.
    GiveToGrpc(environment);
}

void StreamingCall::OnCancel() {
    const InGrpcCallback callback(this);
    CallContextBuilder::Cancel(context_);
    const std::lock_guard lock(mutex_);
    gone_ = true;
    room_.notify_all();
}

void StreamingCall::End(Status status) {
    {
        std::unique_lock lock(mutex_);
        WaitForRoom(lock);
    }
    Report(status);
    GiveToGrpc(this);
    Finish(ToGrpc(status));
}

PendingAnswer::~PendingAnswer() {
    if (call_ == nullptr) return;
    Refuse(HandlerFailed(std::uncaught_exceptions() > 0 ? "the handler threw an exception"
                                                        : "the handler gave no answer"));
}

const CallContext& PendingAnswer::context() const {
    return call_->context();
}

const google::protobuf::Message& PendingAnswer::request() const {
    return call_->request();
}

void PendingAnswer::Refuse(Status status) {
    KESSAI_CHECK(call_ != nullptr, "a call is answered once");
    KESSAI_CHECK(!status.ok(), "a refusal is not ok");
    std::exchange(call_, nullptr)->End(std::move(status));
}

void PendingAnswer::Respond(const google::protobuf::MessageLite& response) {
    KESSAI_CHECK(call_ != nullptr, "a call is answered once");
    std::exchange(call_, nullptr)->Respond(response);
}

bool PendingAnswer::Write(const google::protobuf::MessageLite& item) {
    KESSAI_CHECK(call_ != nullptr, "a stream has ended");
    return call_->Write(item);
}

void PendingAnswer::FinishStream(Status status) {
    KESSAI_CHECK(call_ != nullptr, "a stream ends once");
    std::exchange(call_, nullptr)->End(std::move(status));
}

}  // namespace internal
}  // namespace kessai::rpc
