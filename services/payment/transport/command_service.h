#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>

#include "app/batch_executor.h"
#include "kessai/auth/policy.h"
#include "kessai/auth/token.h"
#include "kessai/payment/v1/payment_service.pb.h"
#include "kessai/rpc/batch_stream_server.h"
#include "kessai/rpc/service.h"
#include "kessai/time/clock.h"

namespace kessai::tracing {
class Tracer;
}

namespace kessai::payment::transport {

struct ExecuteStream {
    using Request = v1::Command;
    using RequestBatch = v1::CommandBatch;
    using Response = v1::Outcome;
    using ResponseBatch = v1::OutcomeBatch;
    static const auto& Requests(const RequestBatch& batch) { return batch.commands(); }
    static auto& Responses(ResponseBatch& batch) { return *batch.mutable_outcomes(); }
};

/// The commands of PaymentService: decodes, submits to the executor, encodes what comes of it. The
/// unary methods and the stream share the executor and the rules of `policy`.
/// What it is made of must outlive it, and it must outlive the server.
class CommandService {
 public:
    CommandService(app::BatchExecutor& executor, const auth::TokenVerifier& verifier,
                   const auth::MethodPolicy& policy, const Clock& clock, tracing::Tracer& tracer);
    ~CommandService();

    void Register(rpc::Service& service);
    /// For its metrics.
    const rpc::BatchStreamServerCore& stream() const { return stream_; }

 private:
    class StreamReply;

    template <class Request, class Response>
    void RegisterCommand(rpc::Service& service, std::string_view method);
    void OnBatch(rpc::ReceivedBatch<ExecuteStream> batch);
    /// Makes a span of a command that came with a trace.
    void Trace(std::string_view method, app::Submission& submission) const;
    std::shared_ptr<StreamReply> ReplyFor(const rpc::BatchSinkPtr& sink);

    app::BatchExecutor& executor_;
    const auth::TokenVerifier& verifier_;
    const auth::MethodPolicy& policy_;
    const Clock& clock_;
    tracing::Tracer& tracer_;
    rpc::BatchStreamServer<ExecuteStream> stream_;

    std::mutex mutex_;
    std::unordered_map<const rpc::BatchSink*, std::weak_ptr<StreamReply>> replies_;
};

}  // namespace kessai::payment::transport
