#include "transport/grpc_payment_gateway.h"

#include <algorithm>
#include <utility>

#include "kessai/payment/v1/payment_service.pb.h"
#include "kessai/rpc/call.h"
#include "kessai/rpc/status.h"
#include "transport/grpc_wait.h"
#include "transport/payment_messages.h"

namespace kessai::gateway::transport {

namespace v1 = payment::v1;

struct ExecuteStream {
    using Request = v1::Command;
    using RequestBatch = v1::CommandBatch;
    using Response = v1::Outcome;
    using ResponseBatch = v1::OutcomeBatch;
    static const auto& Requests(const RequestBatch& batch) { return batch.commands(); }
    static auto& Responses(ResponseBatch& batch) { return *batch.mutable_outcomes(); }
};

namespace {

constexpr std::string_view kAudience = "payment";
constexpr std::int64_t kTokensPerRetry = 10;  // a success gives one back

constexpr rpc::Name kPayment = "kessai.payment.v1.PaymentService";
constexpr auto& GetCodeMethod = rpc::MethodOf<kPayment, "GetCode", v1::GetCodeRequest, v1::Payment>;
constexpr auto& GetPaymentMethod =
    rpc::MethodOf<kPayment, "GetPayment", v1::GetPaymentRequest, v1::Payment>;
constexpr auto& GetRefundMethod =
    rpc::MethodOf<kPayment, "GetRefund", v1::GetRefundRequest, v1::Refund>;
constexpr auto& GetWalletMethod =
    rpc::MethodOf<kPayment, "GetWallet", v1::GetWalletRequest, v1::Wallet>;
constexpr auto& ListHistoryMethod =
    rpc::MethodOf<kPayment, "ListHistory", v1::ListHistoryRequest, v1::ListHistoryResponse>;
constexpr auto& PutMerchantMethod =
    rpc::MethodOf<kPayment, "PutMerchant", v1::Merchant, v1::Merchant>;
constexpr auto& GetMerchantMethod =
    rpc::MethodOf<kPayment, "GetMerchant", v1::GetMerchantRequest, v1::Merchant>;
constexpr auto& CloseDayMethod =
    rpc::MethodOf<kPayment, "CloseDay", v1::CloseDayRequest, v1::BusinessDay>;
constexpr auto& GetBusinessDayMethod =
    rpc::MethodOf<kPayment, "GetBusinessDay", v1::GetBusinessDayRequest, v1::BusinessDay>;
constexpr auto& RepublishEventsMethod =
    rpc::MethodOf<kPayment, "RepublishEvents", v1::RepublishEventsRequest,
                  v1::RepublishEventsResponse>;

Status Unexpected() {
    return {Code::kInternal, "OUTCOME_UNEXPECTED", "the payment service answered something else"};
}

/// Whether the same command may be sent again for this refusal. What is no decision on the command
/// (a full queue, a token that is refused, a fault) answers an earlier attempt that may have been
/// carried out as little as silence does, so it is asked again too.
bool IsWorthRetrying(const Status& refusal, bool may_be_done) {
    switch (refusal.code()) {
        case Code::kUnavailable:
        case Code::kAborted:
        case Code::kUnknown:
            return true;
        case Code::kResourceExhausted:
        case Code::kUnauthenticated:
        case Code::kInternal:
            return may_be_done;
        default:
            return false;
    }
}

app::BusinessDay ToBusinessDay(const v1::BusinessDay& message) {
    app::BusinessDay day;
    day.date_number = message.business_date();
    switch (message.state()) {
        case v1::BusinessDay::OPEN:
            day.state = app::BusinessDay::State::kOpen;
            break;
        case v1::BusinessDay::CLOSING:
            day.state = app::BusinessDay::State::kClosing;
            break;
        case v1::BusinessDay::CLOSED:
            day.state = app::BusinessDay::State::kClosed;
            break;
        default:
            break;
    }
    return day;
}

}  // namespace

struct GrpcPaymentGateway::Parts {
    Options options;
    auth::TokenSigner& signer;
    const Clock& clock;
    std::unique_ptr<rpc::BatchStreamClient<ExecuteStream>> stream;
    std::optional<rpc::Channel> channel;
    std::atomic<std::int64_t> budget{0};
    std::atomic<std::uint64_t> retries{0};
    std::atomic<std::uint64_t> budget_exhausted{0};
    std::atomic<std::uint64_t> outcomes_unknown{0};

    bool TakeRetry() {
        auto left = budget.load(std::memory_order_relaxed);
        while (left >= kTokensPerRetry) {
            if (budget.compare_exchange_weak(left, left - kTokensPerRetry)) return true;
        }
        budget_exhausted.fetch_add(1, std::memory_order_relaxed);
        return false;
    }
    void GiveBack() {
        // Full nearly always; then this is one load.
        if (budget.load(std::memory_order_relaxed) < options.retry_budget * kTokensPerRetry) {
            budget.fetch_add(1, std::memory_order_relaxed);
        }
    }
};

GrpcPaymentGateway::GrpcPaymentGateway(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
GrpcPaymentGateway::~GrpcPaymentGateway() = default;

Result<std::unique_ptr<GrpcPaymentGateway>> GrpcPaymentGateway::Create(
    Options options, auth::TokenSigner& signer, const Clock& clock, rpc::CallObserver* observer) {
    std::unique_ptr<Parts> parts(new Parts{.options = std::move(options),
                                           .signer = signer,
                                           .clock = clock,
                                           .stream = nullptr,
                                           .channel = std::nullopt});
    parts->budget = parts->options.retry_budget * kTokensPerRetry;
    const Options& kept = parts->options;
    rpc::BatchStreamClientOptions stream;
    stream.method = "kessai.payment.v1.PaymentService.Execute";
    stream.target = kept.target;
    stream.tls = kept.tls;
    stream.server_name = kept.server_name;
    stream.open_max = kept.open_max;
    stream.hold = kept.hold;
    parts->stream =
        std::make_unique<rpc::BatchStreamClient<ExecuteStream>>(std::move(stream), clock);

    rpc::ChannelOptions channel;
    channel.target = kept.target;
    channel.tls = kept.tls;
    channel.server_name = kept.server_name;
    // All that is asked one by one are questions, or repeatable.
    channel.retried_methods = {"/kessai.payment.v1.PaymentService/"};
    KESSAI_ASSIGN_OR_RETURN(parts->channel,
                            rpc::Channel::Create(std::move(channel), clock, observer));
    return std::unique_ptr<GrpcPaymentGateway>(new GrpcPaymentGateway(std::move(parts)));
}

Status GrpcPaymentGateway::Start() {
    (void)parts_->channel->Ready();  // begins to connect
    return parts_->stream->Start();
}
bool GrpcPaymentGateway::Ready() const {
    return parts_->stream->Ready();
}
void GrpcPaymentGateway::Stop(Duration bound) {
    parts_->stream->Stop(bound);
}

GrpcPaymentGateway::Counts GrpcPaymentGateway::counts() const {
    const auto stream = parts_->stream->counts();
    return {parts_->retries,    parts_->budget_exhausted, parts_->outcomes_unknown,
            stream.open,        stream.streams,           stream.sent,
            stream.messages_out};
}

template <class T, class Read>
net::Task<Result<T>> GrpcPaymentGateway::Execute(const app::CallContext& context,
                                                 v1::Command& command, Read read) {
    Parts& parts = *parts_;
    command.set_traceparent(context.traceparent);
    Duration backoff = parts.options.backoff_first;
    bool may_be_done = false;
    while (true) {
        const Duration left =
            std::chrono::duration_cast<Duration>(context.deadline - parts.clock.SteadyNow());
        if (left <= std::chrono::milliseconds(1)) break;
        auto token = parts.signer.Mint(*context.caller, kAudience);
        if (!token.ok()) {
            if (may_be_done) break;
            co_return token.status();
        }
        command.set_token(std::move(*token));

        // Given to the waiting coroutine on its loop; made where the answer arrives.
        auto answer = OnLoop<Result<T>>(*context.loop, [&](auto done) {
            Status accepted = parts.stream->Send(
                command, left, [done, read](const Status& status, v1::Outcome* outcome) {
                    if (!status.ok()) return done(status);
                    if (outcome->has_refusal()) return done(rpc::FromProto(outcome->refusal()));
                    done(read(*outcome));
                });
            if (!accepted.ok()) done(std::move(accepted));
        });
        Result<T> outcome = co_await answer;
        if (outcome.ok()) {
            parts.GiveBack();
            co_return outcome;
        }
        const Status& refusal = outcome.status();
        may_be_done = may_be_done || rpc::OutcomeUnknown(refusal);
        if (!IsWorthRetrying(refusal, may_be_done)) {
            if (refusal.code() == Code::kDeadlineExceeded) break;
            // What the service decided on is decided, whatever became of an earlier attempt.
            co_return outcome;
        }
        const bool time_left =
            parts.clock.SteadyNow() + backoff + std::chrono::milliseconds(5) < context.deadline;
        if (!time_left || !parts.TakeRetry()) {
            if (may_be_done) break;
            co_return outcome;
        }
        parts.retries.fetch_add(1, std::memory_order_relaxed);
        // Half of it is jitter.
        const auto spread = parts.clock.SteadyNow().time_since_epoch().count() / 1'000;
        co_await context.loop->Sleep(backoff / 2 + Duration(spread % (backoff.count() / 2 + 1)));
        backoff = std::min(backoff * 2, parts.options.backoff_max);
    }
    if (!may_be_done) {
        co_return Status(Code::kUnavailable, rpc::reason::kNotSent,
                         "the payment service was not reached in time");
    }
    parts.outcomes_unknown.fetch_add(1, std::memory_order_relaxed);
    co_return Status(Code::kUnavailable, rpc::reason::kOutcomeUnknown,
                     "the payment service did not answer in time");
}

template <class Request, class Response>
net::Task<Result<Response>> GrpcPaymentGateway::Ask(const app::CallContext& context,
                                                    const rpc::Method<Request, Response>& method,
                                                    const Request& request) {
    auto token = parts_->signer.Mint(*context.caller, kAudience);
    if (!token.ok()) co_return token.status();
    rpc::CallOptions options;
    options.timeout =
        std::chrono::duration_cast<Duration>(context.deadline - parts_->clock.SteadyNow());
    options.deadline = context.deadline;
    options.token = *token;
    options.traceparent = context.traceparent;
    options.wait_for_ready = true;
    auto call = CallOnLoop(*context.loop, *parts_->channel, method, request, options);
    co_return co_await call;
}

namespace {
Result<domain::Payment> ReadPayment(v1::Outcome& outcome) {
    if (!outcome.has_payment()) return Unexpected();
    return ToPayment(*outcome.mutable_payment());
}
}  // namespace

net::Task<Result<domain::Payment>> GrpcPaymentGateway::CreateCode(
    const app::CallContext& context, const domain::CreateCode& command) {
    v1::Command message;
    FillCreateCode(command, message.mutable_create_code());
    co_return co_await Execute<domain::Payment>(context, message, ReadPayment);
}

net::Task<Result<domain::Payment>> GrpcPaymentGateway::DeleteCode(const app::CallContext& context,
                                                                  std::string_view code_id) {
    v1::Command message;
    message.mutable_delete_code()->set_code_id(std::string(code_id));
    co_return co_await Execute<domain::Payment>(context, message, ReadPayment);
}

net::Task<Result<domain::Payment>> GrpcPaymentGateway::PayCode(const app::CallContext& context,
                                                               std::string_view code_id,
                                                               Money amount) {
    v1::Command message;
    message.mutable_pay_code()->set_code_id(std::string(code_id));
    FillMoney(amount, message.mutable_pay_code()->mutable_amount());
    co_return co_await Execute<domain::Payment>(context, message, ReadPayment);
}

net::Task<Status> GrpcPaymentGateway::CancelPayment(const app::CallContext& context,
                                                    std::string_view merchant_payment_id) {
    v1::Command message;
    message.mutable_cancel_payment()->set_merchant_payment_id(std::string(merchant_payment_id));
    auto outcome = co_await Execute<bool>(context, message, [](v1::Outcome& answer) {
        return answer.has_cancel() ? Result<bool>(true) : Unexpected();
    });
    co_return outcome.status();
}

net::Task<Result<domain::Refund>> GrpcPaymentGateway::RefundPayment(
    const app::CallContext& context, const domain::RefundPayment& command) {
    v1::Command message;
    FillRefundPayment(command, message.mutable_refund_payment());
    co_return co_await Execute<domain::Refund>(context, message,
                                               [](v1::Outcome& outcome) -> Result<domain::Refund> {
                                                   if (!outcome.has_refund()) return Unexpected();
                                                   return ToRefund(*outcome.mutable_refund());
                                               });
}

net::Task<Result<domain::TopUp>> GrpcPaymentGateway::TopUp(const app::CallContext& context,
                                                           std::string_view idempotency_key,
                                                           Money amount, std::string_view source) {
    v1::Command message;
    v1::TopUpRequest* request = message.mutable_top_up();
    request->set_idempotency_key(std::string(idempotency_key));
    FillMoney(amount, request->mutable_amount());
    request->set_source(std::string(source));
    co_return co_await Execute<domain::TopUp>(context, message,
                                              [](v1::Outcome& outcome) -> Result<domain::TopUp> {
                                                  if (!outcome.has_top_up()) return Unexpected();
                                                  return ToTopUp(outcome.top_up());
                                              });
}

net::Task<Result<domain::Wallet>> GrpcPaymentGateway::OpenWallet(const app::CallContext& context) {
    v1::Command message;
    message.mutable_open_wallet();
    co_return co_await Execute<domain::Wallet>(context, message,
                                               [](v1::Outcome& outcome) -> Result<domain::Wallet> {
                                                   if (!outcome.has_wallet()) return Unexpected();
                                                   return ToWallet(outcome.wallet());
                                               });
}

net::Task<Result<domain::Payment>> GrpcPaymentGateway::GetCode(const app::CallContext& context,
                                                               std::string_view code_id) {
    v1::GetCodeRequest request;
    request.set_code_id(std::string(code_id));
    auto answer = co_await Ask(context, GetCodeMethod(), request);
    if (!answer.ok()) co_return answer.status();
    co_return ToPayment(*answer);
}

net::Task<Result<domain::Payment>> GrpcPaymentGateway::GetPaymentByOrder(
    const app::CallContext& context, std::string_view merchant_payment_id) {
    v1::GetPaymentRequest request;
    request.set_merchant_payment_id(std::string(merchant_payment_id));
    auto answer = co_await Ask(context, GetPaymentMethod(), request);
    if (!answer.ok()) co_return answer.status();
    co_return ToPayment(*answer);
}

net::Task<Result<domain::Payment>> GrpcPaymentGateway::GetPayment(const app::CallContext& context,
                                                                  std::int64_t payment_id) {
    v1::GetPaymentRequest request;
    request.set_payment_id(payment_id);
    auto answer = co_await Ask(context, GetPaymentMethod(), request);
    if (!answer.ok()) co_return answer.status();
    co_return ToPayment(*answer);
}

net::Task<Result<domain::Refund>> GrpcPaymentGateway::GetRefund(const app::CallContext& context,
                                                                std::string_view merchant_refund_id,
                                                                std::int64_t payment_id) {
    v1::GetRefundRequest request;
    request.set_merchant_refund_id(std::string(merchant_refund_id));
    request.set_payment_id(payment_id);
    auto answer = co_await Ask(context, GetRefundMethod(), request);
    if (!answer.ok()) co_return answer.status();
    co_return ToRefund(*answer);
}

net::Task<Result<domain::Wallet>> GrpcPaymentGateway::GetWallet(const app::CallContext& context) {
    const v1::GetWalletRequest request;
    auto answer = co_await Ask(context, GetWalletMethod(), request);
    if (!answer.ok()) co_return answer.status();
    co_return ToWallet(*answer);
}

net::Task<Result<domain::HistoryPage>> GrpcPaymentGateway::ListHistory(
    const app::CallContext& context, std::uint32_t page_size, std::string_view page_token) {
    v1::ListHistoryRequest request;
    request.set_page_size(page_size);
    request.set_page_token(std::string(page_token));
    auto answer = co_await Ask(context, ListHistoryMethod(), request);
    if (!answer.ok()) co_return answer.status();
    co_return ToHistoryPage(*answer);
}

net::Task<Result<domain::Merchant>> GrpcPaymentGateway::PutMerchant(
    const app::CallContext& context, const domain::Merchant& merchant) {
    v1::Merchant request;
    request.set_merchant_id(merchant.merchant_id);
    request.set_name(merchant.name);
    request.set_suspended(merchant.suspended);
    request.set_multiple_refunds(merchant.multiple_refunds);
    auto answer = co_await Ask(context, PutMerchantMethod(), request);
    if (!answer.ok()) co_return answer.status();
    co_return ToMerchant(*answer);
}

net::Task<Result<domain::Merchant>> GrpcPaymentGateway::GetMerchant(const app::CallContext& context,
                                                                    std::int64_t merchant_id) {
    v1::GetMerchantRequest request;
    request.set_merchant_id(merchant_id);
    auto answer = co_await Ask(context, GetMerchantMethod(), request);
    if (!answer.ok()) co_return answer.status();
    co_return ToMerchant(*answer);
}

net::Task<Result<app::BusinessDay>> GrpcPaymentGateway::CloseDay(const app::CallContext& context,
                                                                 std::int32_t date_number,
                                                                 bool early) {
    v1::CloseDayRequest request;
    request.set_business_date(date_number);
    request.set_early(early);
    auto answer = co_await Ask(context, CloseDayMethod(), request);
    if (!answer.ok()) co_return answer.status();
    co_return ToBusinessDay(*answer);
}

net::Task<Result<app::BusinessDay>> GrpcPaymentGateway::GetBusinessDay(
    const app::CallContext& context, std::int32_t date_number) {
    v1::GetBusinessDayRequest request;
    request.set_business_date(date_number);
    auto answer = co_await Ask(context, GetBusinessDayMethod(), request);
    if (!answer.ok()) co_return answer.status();
    co_return ToBusinessDay(*answer);
}

net::Task<Result<std::uint32_t>> GrpcPaymentGateway::RepublishEvents(
    const app::CallContext& context, const std::vector<domain::ChangeName>& changes) {
    v1::RepublishEventsRequest request;
    for (const domain::ChangeName& change : changes) {
        auto* named = request.add_changes();
        named->set_object_id(change.object_id);
        named->set_version(change.version);
    }
    auto answer = co_await Ask(context, RepublishEventsMethod(), request);
    if (!answer.ok()) co_return answer.status();
    co_return answer->published();
}

}  // namespace kessai::gateway::transport
