#include "transport/command_service.h"

#include <utility>
#include <vector>

#include "kessai/tracing/tracer.h"
#include "transport/proto_mapping.h"

namespace kessai::payment::transport {
namespace {

template <class Response>
class UnaryReply final : public app::ReplySink {
 public:
    UnaryReply(rpc::Answer<Response> answer, const Clock& clock)
        : answer_(std::move(answer)), clock_(clock) {}

    void Deliver(std::uint64_t, Result<domain::Outcome> outcome) override {
        if (!outcome.ok()) {
            answer_(Result<Response>(std::move(outcome).status()));
            return;
        }
        Response response;
        FillOutcome(*outcome, clock_.Now(), &response);
        answer_(response);
    }
    void Flush() override {}

 private:
    rpc::Answer<Response> answer_;
    const Clock& clock_;
};

/// One command's way back, with the span that ends with its answer. Commands of a stream have no
/// call of their own, whose span would be the library's affair.
class TracedReply final : public app::ReplySink {
 public:
    TracedReply(std::shared_ptr<app::ReplySink> reply, tracing::Span span)
        : reply_(std::move(reply)), span_(std::move(span)) {}

    void Deliver(std::uint64_t sequence, Result<domain::Outcome> outcome) override {
        span_.SetStatus(outcome.status());
        span_.End();
        reply_->Deliver(sequence, std::move(outcome));
    }
    void Flush() override { reply_->Flush(); }

 private:
    const std::shared_ptr<app::ReplySink> reply_;
    tracing::Span span_;
};

struct Decoded {
    std::string_view method;
    Result<domain::Command> command;
};

/// The command in the message, and the unary method that it stands for, whose rule it obeys.
Decoded Decode(const v1::Command& message, const auth::Principal& principal) {
    switch (message.body_case()) {
        case v1::Command::kCreateCode:
            return {"CreateCode", ToCommand(message.create_code(), principal)};
        case v1::Command::kDeleteCode:
            return {"DeleteCode", ToCommand(message.delete_code(), principal)};
        case v1::Command::kPayCode:
            return {"PayCode", ToCommand(message.pay_code(), principal)};
        case v1::Command::kCancelPayment:
            return {"CancelPayment", ToCommand(message.cancel_payment(), principal)};
        case v1::Command::kRefundPayment:
            return {"RefundPayment", ToCommand(message.refund_payment(), principal)};
        case v1::Command::kTopUp:
            return {"TopUp", ToCommand(message.top_up(), principal)};
        case v1::Command::kOpenWallet:
            return {"OpenWallet", ToCommand(message.open_wallet(), principal)};
        case v1::Command::BODY_NOT_SET:
            break;
    }
    return {{},
            Status(Code::kInvalidArgument, "FIELD_INVALID",
                   "the command has no body that this service knows")};
}

}  // namespace

/// The way back of one stream: gathers what a batch of the executor answers into one message.
class CommandService::StreamReply final : public app::ReplySink {
 public:
    StreamReply(rpc::BatchSinkPtr sink, const Clock& clock)
        : sink_(std::move(sink)), clock_(clock) {}

    void Deliver(std::uint64_t sequence, Result<domain::Outcome> outcome) override {
        const Instant now = clock_.Now();
        const std::lock_guard lock(mutex_);
        v1::Outcome* message = gathered_.add_outcomes();
        message->set_sequence(sequence);
        FillOutcome(outcome, now, message);
    }

    void Flush() override {
        v1::OutcomeBatch batch;
        {
            const std::lock_guard lock(mutex_);
            batch.Swap(&gathered_);
        }
        if (batch.outcomes_size() > 0)
            sink_->Send(batch.SerializeAsString(), batch.outcomes_size());
    }

 private:
    const rpc::BatchSinkPtr sink_;
    const Clock& clock_;
    std::mutex mutex_;
    v1::OutcomeBatch gathered_;
};

CommandService::CommandService(app::BatchExecutor& executor, const auth::TokenVerifier& verifier,
                               const auth::MethodPolicy& policy, const Clock& clock,
                               tracing::Tracer& tracer)
    : executor_(executor),
      verifier_(verifier),
      policy_(policy),
      clock_(clock),
      tracer_(tracer),
      stream_([this](rpc::ReceivedBatch<ExecuteStream> batch) { OnBatch(std::move(batch)); }) {}

CommandService::~CommandService() = default;

void CommandService::Register(rpc::Service& service) {
    RegisterCommand<v1::CreateCodeRequest, v1::Payment>(service, "CreateCode");
    RegisterCommand<v1::DeleteCodeRequest, v1::Payment>(service, "DeleteCode");
    RegisterCommand<v1::PayCodeRequest, v1::Payment>(service, "PayCode");
    RegisterCommand<v1::CancelPaymentRequest, v1::CancelPaymentResponse>(service, "CancelPayment");
    RegisterCommand<v1::RefundPaymentRequest, v1::Refund>(service, "RefundPayment");
    RegisterCommand<v1::TopUpRequest, v1::TopUpResponse>(service, "TopUp");
    RegisterCommand<v1::OpenWalletRequest, v1::Wallet>(service, "OpenWallet");
    service.Batches("Execute", stream_);
}

template <class Request, class Response>
void CommandService::RegisterCommand(rpc::Service& service, std::string_view method) {
    service.Async<Request, Response>(
        method, [this](const rpc::CallContext& context, const Request& request,
                       rpc::Answer<Response> answer) {
            auto command = ToCommand(request, context.principal());
            if (!command.ok()) {
                answer(Result<Response>(std::move(command).status()));
                return;
            }
            app::Submission submission;
            submission.command = *std::move(command);
            submission.deadline = context.deadline();
            submission.traceparent = context.traceparent();
            submission.reply = std::make_shared<UnaryReply<Response>>(std::move(answer), clock_);
            executor_.Submit(std::move(submission));
        });
}

void CommandService::OnBatch(rpc::ReceivedBatch<ExecuteStream> batch) {
    const std::shared_ptr<StreamReply> reply = ReplyFor(batch.sink);
    std::vector<app::Submission> submissions;
    submissions.reserve(static_cast<std::size_t>(batch.message->commands_size()));
    const auto refuse = [&](const v1::Command& message, Status why) {
        reply->Deliver(message.sequence(), std::move(why));
    };
    for (const v1::Command& message : batch.message->commands()) {
        const auto principal = verifier_.Verify(message.token());
        if (!principal.ok()) {
            refuse(message, principal.status());
            continue;
        }
        Decoded decoded = Decode(message, **principal);
        if (!decoded.method.empty()) {
            const Status allowed = policy_.Get(decoded.method).Check(**principal);
            if (!allowed.ok()) {
                refuse(message, allowed);
                continue;
            }
        }
        if (!decoded.command.ok()) {
            refuse(message, std::move(decoded.command).status());
            continue;
        }
        submissions.push_back({*std::move(decoded.command),
                               batch.received_at + std::chrono::milliseconds(message.timeout_ms()),
                               message.traceparent(), reply, message.sequence()});
        if (!message.traceparent().empty()) Trace(decoded.method, submissions.back());
    }
    executor_.Submit(submissions);
    // What was refused here or by Submit waits for it.
    reply->Flush();
}

void CommandService::Trace(std::string_view method, app::Submission& submission) const {
    const auto parent = tracing::ParseTraceparent(submission.traceparent);
    if (!parent) return;
    tracing::Span span = tracer_.Start(method, tracing::Kind::kServer, *parent);
    if (!span.recording()) return;
    span.SetAttribute("rpc.system", "grpc");
    span.SetAttribute("rpc.method", "Execute");
    submission.traceparent = tracing::FormatTraceparent(span.context());
    submission.reply = std::make_shared<TracedReply>(std::move(submission.reply), std::move(span));
}

std::shared_ptr<CommandService::StreamReply> CommandService::ReplyFor(
    const rpc::BatchSinkPtr& sink) {
    const std::lock_guard lock(mutex_);
    if (auto known = replies_[sink.get()].lock()) return known;
    std::erase_if(replies_, [](const auto& entry) { return entry.second.expired(); });
    auto reply = std::make_shared<StreamReply>(sink, clock_);
    replies_[sink.get()] = reply;
    return reply;
}

}  // namespace kessai::payment::transport
