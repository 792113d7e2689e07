#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kessai/auth/token.h"
#include "kessai/payment/v1/payment_service.pb.h"
#include "kessai/rpc/batch_stream_server.h"
#include "kessai/rpc/call.h"
#include "kessai/rpc/channel.h"
#include "kessai/rpc/observer.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/worker_pool.h"

namespace kessai::rpc {

namespace pb = kessai::payment::v1;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// Waits until `condition()` holds; false when it doesn't within `bound`.
bool Eventually(const std::function<bool()>& condition, Duration bound = seconds(20));

struct ExecuteStream {
    using Request = pb::Command;
    using RequestBatch = pb::CommandBatch;
    using Response = pb::Outcome;
    using ResponseBatch = pb::OutcomeBatch;
    static const auto& Requests(const RequestBatch& batch) { return batch.commands(); }
    static auto& Responses(ResponseBatch& batch) { return *batch.mutable_outcomes(); }
};

/// What an observer was told.
class RecordingObserver final : public CallObserver {
 public:
    struct Seen {
        std::string method;
        Code code;
        std::string reason;
        std::string subject;
        std::string peer;
        std::string parent;
    };
    std::unique_ptr<ObservedCall> Begin(const CallStart& start) override;
    std::vector<Seen> seen() const;
    std::size_t started() const;
    /// Whether this thread is within an observed call.
    static bool InCall();

 private:
    class One;
    mutable std::mutex mutex_;
    std::vector<Seen> seen_;
    std::size_t started_ = 0;
};

/// Tokens for the service "payment", and whom the tests act as.
struct TestTokens {
    TestTokens();
    std::string Merchant();
    std::string User();
    std::string Operator(const std::string& scope);

    auth::FixedKeyRing keys;
    auth::TokenSigner signer;
    auth::TokenVerifier verifier;
};

/// A server of the payment contract whose handlers the test decides; methods it doesn't mention are
/// left unimplemented.
class TestServer {
 public:
    using GetPayment =
        std::function<Result<pb::Payment>(const CallContext&, const pb::GetPaymentRequest&)>;
    using GetCode =
        std::function<void(const CallContext&, const pb::GetCodeRequest&, Answer<pb::Payment>)>;
    using ListDayRows = std::function<Status(const CallContext&, const pb::ListDayRowsRequest&,
                                             StreamWriter<pb::DayRowPage>&)>;
    using Execute = std::function<void(ReceivedBatch<ExecuteStream>)>;

    struct Handlers {
        /// Run on a pool of `threads` and `queue_max`.
        GetPayment get_payment = {};
        GetCode get_code = {};
        ListDayRows list_day_rows = {};
        Execute execute = {};
        std::size_t threads = 4;
        std::size_t queue_max = 64;
        BatchStreamServerOptions stream = {};
    };

    TestServer(TestTokens& tokens, Handlers handlers, ServerOptions options = {},
               CallObserver* observer = nullptr);
    ~TestServer();

    std::string address() const;
    Server& server() { return *server_; }
    WorkerPool& pool() { return pool_; }
    BatchStreamServerCore& stream() { return *stream_; }

 private:
    Handlers handlers_;
    WorkerPool pool_;
    std::unique_ptr<BatchStreamServer<ExecuteStream>> stream_;
    std::unique_ptr<Server> server_;
};

/// The payment contract with GetCode alone, which is dropped.
Service MinimalService();

/// Methods of the payment contract.
const Method<pb::GetPaymentRequest, pb::Payment>& GetPaymentMethod();
const Method<pb::GetCodeRequest, pb::Payment>& GetCodeMethod();
const Method<pb::ListDayRowsRequest, pb::DayRowPage>& ListDayRowsMethod();
const Method<pb::GetWalletRequest, pb::Wallet>& GetWalletMethod();

Channel ChannelTo(const std::string& address, std::optional<TlsFiles> tls = {},
                  std::string server_name = {});

}  // namespace kessai::rpc
